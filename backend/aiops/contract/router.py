"""Routes, one for each operation of the document.

What happens to a call, in this order: the API key is checked before the body is read; the body is capped while it is
read; the call is counted; parameters and body are validated by the generated models; then the handler is called, or,
for a service, a job is submitted and waited for. A form is read by its handler (`uploads/receiving.py`), in the end.
"""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from aiops.accounts import rate_limits
from aiops.accounts.authentication import Caller, authenticate
from aiops.accounts.rate_limits import Quota
from aiops.contract import models
from aiops.contract.binding import Binding
from aiops.error_handlers import NOT_JSON
from aiops.errors import (
    ApiError,
    InvalidInputError,
    JobRunningError,
    MalformedRequestError,
    UnsupportedMediaTypeError,
)
from aiops.jobs import service_call
from aiops.jobs.service_call import ServiceCall
from aiops.jobs.submission import count_refused
from aiops.preferences import Preferences, read_preferences
from aiops.request_body import read_body
from aiops.runtime import Runtime

log = structlog.get_logger()

BODY_BYTES_MAX = 65_536
IDEMPOTENCY_KEY = re.compile(r"[!-~]([ -~]{0,253}[!-~])?")


def add_routes(app: FastAPI, bindings: Mapping[str, Binding]) -> None:
    """One route an operation; GET answers HEAD as well."""
    app.router.route_class = _OperationRoute
    for binding in bindings.values():
        operation = binding.operation
        app.add_api_route(
            operation.path,
            _service_endpoint(binding) if operation.is_service else binding.handle,
            methods=["GET", "HEAD"] if operation.method == "GET" else [operation.method],
            status_code=operation.success,
            operation_id=operation.id,
            name=operation.id,
        )


class _OperationRoute(APIRoute):
    """Authenticates, caps and counts, before FastAPI reads the body and validates."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            runtime: Runtime = request.app.state.runtime
            operation = runtime.document.operations[self.operation_id or ""]
            request.state.operation_id = operation.id
            if not operation.is_authenticated:
                return await handle(request)
            authorization = request.headers.get("authorization")
            caller = await authenticate(runtime.database, runtime.plans, authorization, runtime.clock())
            request.state.caller = caller
            if operation.is_service:
                return await _counted(runtime, caller, request, handle)
            await _count_other(runtime, caller, request)
            if operation.request_schema is None:
                return await handle(request)
            return await handle(Request(request.scope, _replay(await _read_body(request))))

        return guarded


async def _count_other(runtime: Runtime, caller: Caller, request: Request) -> None:
    limit = rate_limits.OTHER_REQUESTS_PER_MINUTE
    async with runtime.database.write() as session:
        quota, refusal = await rate_limits.admit(session, caller.account_id, rate_limits.OTHER, limit, runtime.clock())
    _announce(request, quota)
    if refusal is not None:
        raise refusal


async def _counted(
    runtime: Runtime, caller: Caller, request: Request, handle: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Handles a call to a service. One that is refused before it is submitted counts as well."""
    try:
        body = await _read_body(request)
        return await handle(Request(request.scope, _replay(body)))
    except (ApiError, RequestValidationError, HTTPException):
        if not hasattr(request.state, "submitted"):
            outcome = await count_refused(runtime.database, caller, runtime.clock())
            _announce(request, outcome.quota)
            if outcome.error is not None:
                raise outcome.error from None
        raise


def _service_endpoint(binding: Binding) -> Callable[..., Awaitable[Response]]:
    """An endpoint that takes the service's request, as FastAPI wants to see it: typed."""

    async def endpoint(request: Request, body: BaseModel) -> Response:
        runtime: Runtime = request.app.state.runtime
        caller: Caller = request.state.caller
        preferences = read_preferences(request.headers.getlist("prefer"))
        call = ServiceCall(
            operation=binding.operation,
            caller=caller,
            body=body,
            idempotency_key=_idempotency_key(request),
            request_id=request.state.request_id,
            refusal=binding.refusal(runtime, body),
            preferences=preferences,
        )
        outcome = await service_call.accept(runtime, call)
        request.state.submitted = True
        _announce(request, outcome.quota)
        if outcome.job_id is None:
            raise outcome.error or TypeError("a submission ends in a job or in an error")
        is_new = not outcome.replayed
        answer = await _answer(runtime, caller, outcome.job_id, preferences.seconds, is_new=is_new)
        return _respond(answer, preferences, is_new=is_new)

    parameters = inspect.signature(endpoint).parameters
    typed = [parameters["request"], parameters["body"].replace(annotation=binding.request_model)]
    endpoint.__signature__ = inspect.Signature(typed)  # type: ignore[attr-defined]
    endpoint.__annotations__ = {"request": Request, "body": binding.request_model}
    return endpoint


def _respond(answer: dict[str, Any] | models.Job, preferences: Preferences, *, is_new: bool) -> JSONResponse:
    """The answer of a job that has ended, or 202 with the job."""
    headers = {} if is_new else {"Idempotent-Replayed": "true"}
    if not isinstance(answer, models.Job):
        return JSONResponse(answer, headers=headers | preferences.applied(is_accepted=False))
    headers |= {"Location": f"/api/jobs/{answer.id}", "Retry-After": str(service_call.LOOK_AGAIN_SECONDS)}
    return JSONResponse(answer.model_dump(mode="json"), 202, headers=headers | preferences.applied(is_accepted=True))


async def _answer(
    runtime: Runtime, caller: Caller, job_id: str, seconds: float | None, *, is_new: bool
) -> dict[str, Any] | models.Job:
    """The answer of a job. A call that cannot be answered after all has to name its job, which may be charged."""
    try:
        return await service_call.wait(runtime, caller, job_id, seconds, is_new=is_new)
    except ApiError:
        raise
    except (Exception, asyncio.CancelledError) as error:  # cut off by a server that is stopped by force
        log.exception("answer_lost", job_id=job_id)
        raise JobRunningError(job_id, service_call.RUNNING_RETRY_SECONDS) from error


def _idempotency_key(request: Request) -> str | None:
    values = request.headers.getlist("idempotency-key")
    if not values:
        return None
    if len(values) > 1 or IDEMPOTENCY_KEY.fullmatch(values[0]) is None:
        raise InvalidInputError([("Idempotency-Key", "Input should be 1 to 255 printable ASCII characters")])
    return values[0]


async def _read_body(request: Request) -> bytes:
    """The body, checked by its type before it is read."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaTypeError
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaTypeError
    body = await read_body(request, BODY_BYTES_MAX)
    if not body:
        raise MalformedRequestError("The body is empty. Send a JSON object.")
    if 0 in body:
        raise MalformedRequestError(NOT_JSON)  # UTF-16 or UTF-32, which the parser would take
    return body


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _announce(request: Request, quota: Quota) -> None:
    request.state.headers.update(quota.headers())


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """Method and path of every route, HEAD left out: it comes with GET."""
    routes: list[Any] = [route for route in app.routes if isinstance(route, APIRoute)]
    return {(method, route.path) for route in routes for method in route.methods if method != "HEAD"}
