from aiops.context import Context
from aiops.contract.models import NewWebhook, WebhookRequest
from aiops.webhooks import subscriptions
from aiops.webhooks.presentation import present


async def handle(context: Context, body: WebhookRequest) -> NewWebhook:
    runtime, account_id, now = context.runtime, context.caller.account_id, context.runtime.clock()
    async with runtime.database.write() as session:
        webhook, secret = await subscriptions.subscribe(
            session, runtime.settings, account_id, now, url=body.url, events=body.events
        )
    return NewWebhook(**present(webhook).model_dump(), secret=secret)
