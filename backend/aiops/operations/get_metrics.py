import hmac

from starlette.responses import Response

from aiops import metrics
from aiops.context import Context
from aiops.errors import UnauthorizedError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def handle(context: Context) -> Response:
    token = context.runtime.settings.metrics_token
    sent = context.request.headers.get("authorization", "")
    if token is not None and not hmac.compare_digest(sent.encode(), f"Bearer {token.get_secret_value()}".encode()):
        raise UnauthorizedError("Missing or wrong token. Send the one of AIOPS_METRICS_TOKEN as a Bearer token.")
    body = await metrics.exposition(context.runtime.database, context.runtime.clock())
    return Response(body, headers={"Content-Type": CONTENT_TYPE})
