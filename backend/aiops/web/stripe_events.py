"""Where Stripe sends its events. An answer other than 2xx has it send the event again, for three days."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aiops.billing.events import handle
from aiops.billing.gateway import PaymentsError
from aiops.billing.takeover import Takeover
from aiops.errors import ApiError, MalformedRequestError, RequestTooLargeError
from aiops.runtime import Runtime

log = structlog.get_logger()

PATH = "/stripe/events"
EVENT_BYTES_MAX = 1_000_000
RETRY_SECONDS = 30


async def receive(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    request.state.operation_id = "stripe_event"
    if runtime.payments is None:
        raise HTTPException(404)
    try:
        event = runtime.payments.event(await _body(request), request.headers.get("stripe-signature"))
    except (ClientDisconnect, ValueError):
        log.warning("stripe_event_refused")
        return _refused(MalformedRequestError("This is not an event that Stripe has signed for this endpoint."))
    except RequestTooLargeError as error:
        return _refused(error)
    try:
        takeover = Takeover(runtime.database, runtime.payments, runtime.plans)
        await handle(takeover, event, runtime.clock())
    except PaymentsError as error:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return JSONResponse({"error": str(error), "code": "payments_unavailable"}, 503, headers)
    return JSONResponse({"received": True})


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > EVENT_BYTES_MAX:
            raise RequestTooLargeError(EVENT_BYTES_MAX, "event")
    return bytes(body)


def _refused(error: ApiError) -> Response:
    return JSONResponse(error.body, error.status)


ROUTE = Route(PATH, receive, methods=["POST"])
