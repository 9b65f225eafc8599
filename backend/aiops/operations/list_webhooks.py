from typing import Annotated

from fastapi import Query

from aiops.context import Context
from aiops.contract.models import ListWebhooksParametersQuery, WebhookList
from aiops.webhooks import subscriptions
from aiops.webhooks.presentation import present


async def handle(context: Context, query: Annotated[ListWebhooksParametersQuery, Query()]) -> WebhookList:
    async with context.runtime.database.read() as session:
        webhooks, next_cursor = await subscriptions.list_webhooks(
            session, context.caller.account_id, query.limit, query.cursor, query.event
        )
    return WebhookList(data=[present(webhook) for webhook in webhooks], next_cursor=next_cursor)
