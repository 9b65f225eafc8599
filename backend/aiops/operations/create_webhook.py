from aiops.context import Context
from aiops.contract.models import NewWebhook, WebhookRequest
from aiops.webhooks import subscriptions
from aiops.webhooks.presentation import present


async def handle(context: Context, body: WebhookRequest) -> NewWebhook:
    runtime, now = context.runtime, context.runtime.clock()
    refusal = subscriptions.check_receiver("url", body.url, runtime.settings.private_hosts)
    if refusal is not None:
        raise refusal
    async with runtime.database.write() as session:
        webhook, secret = await subscriptions.subscribe(
            session, runtime.settings.sealer, context.caller.account_id, now, url=body.url, events=body.events
        )
    return NewWebhook(**present(webhook).model_dump(), secret=secret)
