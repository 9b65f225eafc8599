"""Around every call: its id, its line in the log, its headers, and an answer where nobody foresaw what happened."""

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


class CallMiddleware:
    """`state.request_id` names the call; what is put into `state.headers` on the way is sent with the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = request_id = f"req_{secrets.token_hex(8)}"
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
        except Exception:
            log.exception("unforeseen", method=scope["method"], path=scope["path"])
            if status:
                raise
            error = InternalError()
            await JSONResponse(error.body, error.status)(scope, receive, send_with_headers)
        operation = scope["state"].get("operation_id", UNKNOWN_OPERATION)
        metrics.answered(operation, status)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        log.info("answered", operation=operation, method=scope["method"], status=status, milliseconds=milliseconds)
