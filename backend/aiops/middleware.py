"""Around every call: its id, its line in the log, its headers, and an answer where nobody foresaw what happened."""

import asyncio
import secrets
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aiops import metrics
from aiops.errors import InternalError

log = structlog.get_logger()

SECURITY_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
UNKNOWN_OPERATION = "unknown"


def new_request_id() -> str:
    return f"req_{secrets.token_hex(8)}"


class CallMiddleware:
    """`state.request_id` names the call; what is put into `state.headers` on the way is sent with the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = request_id = new_request_id()
        state["headers"] = {"X-Request-Id": request_id, **SECURITY_HEADERS}
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._call(scope, receive, send)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(scope["state"]["headers"])
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except (Exception, asyncio.CancelledError):  # cut off by a server that is stopped by force
            log.exception("unforeseen", operation=_operation(scope), method=scope["method"])
            if status:
                raise
            error = InternalError()
            await JSONResponse(error.body, error.status)(scope, receive, send_with_headers)
        operation = _operation(scope)
        metrics.answered(operation, status)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        log.info("answered", operation=operation, method=scope["method"], status=status, milliseconds=milliseconds)


def _operation(scope: Scope) -> str:
    """What was called. Not the path: a key that is sent in the wrong place stands there."""
    operation_id: str = scope["state"].get("operation_id", UNKNOWN_OPERATION)
    return operation_id
