from starlette.responses import Response

from aiops.context import Context


async def handle(context: Context) -> Response:
    return Response(context.runtime.document.as_json, media_type="application/json")
