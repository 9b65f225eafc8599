"""Where Stripe sends its events. An answer other than 2xx has it send the event again, for three days."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aiops.billing.events import handle
from aiops.billing.gateway import PaymentsError
from aiops.billing.takeover import Takeover
from aiops.errors import ApiError, MalformedRequestError
from aiops.request_body import read_body
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
        body = await read_body(request, EVENT_BYTES_MAX, "event")
        event = runtime.payments.event(body, request.headers.get("stripe-signature"))
    except ValueError:
        log.warning("stripe_event_refused")
        return _refused(MalformedRequestError("This is not an event that Stripe has signed for this endpoint."))
    except ApiError as error:
        return _refused(error)
    try:
        takeover = Takeover(runtime.database, runtime.payments, runtime.plans)
        await handle(takeover, event, runtime.clock())
    except PaymentsError as error:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return JSONResponse({"error": str(error), "code": "payments_unavailable"}, 503, headers)
    return JSONResponse({"received": True})


def _refused(error: ApiError) -> Response:
    return JSONResponse(error.body, error.status)


ROUTE = Route(PATH, receive, methods=["POST"])
