from starlette.responses import Response

from aiops.context import Context
from aiops.errors import NotFoundError
from aiops.identifiers import is_id
from aiops.webhooks import subscriptions


async def handle(context: Context, webhook_id: str) -> Response:
    runtime = context.runtime
    async with runtime.database.write() as session:
        is_deleted = is_id(webhook_id, "hook") and await subscriptions.unsubscribe(
            session, context.caller.account_id, webhook_id, runtime.clock()
        )
    if not is_deleted:
        raise NotFoundError("There is no such webhook in this account.")
    return Response(status_code=204)
