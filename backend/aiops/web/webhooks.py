"""The account's webhooks and what was sent to them: subscribe, try out, new secrets, send again."""

from collections.abc import Sequence

from pydantic import ValidationError
from starlette.responses import Response

from aiops.accounts import rate_limits
from aiops.contract.models import WebhookRequest
from aiops.database.engine import Session
from aiops.database.tables import Delivery, Event, Webhook
from aiops.error_handlers import message
from aiops.errors import InvalidInputError
from aiops.identifiers import is_id
from aiops.web.forms import Form
from aiops.web.visits import PageError, Visit, see
from aiops.webhooks import deliveries, outbox, signing, subscriptions

DELIVERIES_SHOWN = 10
PAGE_SIZE = 50


async def show_list(visit: Visit) -> Response:
    return await _list(visit)


async def make(visit: Visit) -> Response:
    form, events = visit.form, visit.runtime.document.events
    chosen = [event for event in events if form.value(event)]
    try:
        body = WebhookRequest.model_validate({"url": form.value("url").strip(), "events": chosen})
        async with visit.runtime.database.write() as session:
            _, secret = await subscriptions.subscribe(
                session,
                visit.runtime.settings,
                visit.account.id,
                visit.runtime.clock(),
                url=body.url,
                events=body.events,
            )
    except ValidationError as error:
        form.errors.update({str(one["loc"][0]): message(dict(one)) for one in error.errors()})
    except InvalidInputError as error:
        form.errors.update({one["field"]: one["message"] for one in error.body["details"]})
    else:
        visit.form = Form()
        return await _list(visit, secret=secret)
    return await _list(visit, status=422)


async def rotate_callback_secret(visit: Visit) -> Response:
    async with visit.runtime.database.write() as session:
        secret = await signing.rotate(session, visit.runtime.settings.sealer, visit.account.id, visit.runtime.clock())
    return await _list(visit, secret=secret)


async def show(visit: Visit) -> Response:
    return await _one(visit)


async def try_out(visit: Visit) -> Response:
    """Sends an event that has not happened."""
    samples, event = visit.runtime.document.events, visit.form.value("event")
    async with visit.runtime.database.write() as session:
        await _count(visit, session)
        webhook = await _find(visit, session)
        if event not in samples or webhook.disabled_at is not None:
            raise PageError(422, "Nothing can be sent", "Choose an event, and a webhook that is active.")
        await outbox.write_test(session, webhook, event, samples[event], visit.runtime.clock())
    visit.runtime.outgoing.set()
    return see(f"/webhooks/{webhook.id}")


async def rotate(visit: Visit) -> Response:
    async with visit.runtime.database.write() as session:
        webhook = await _find(visit, session)
        secret = await signing.rotate(session, visit.runtime.settings.sealer, webhook.id, visit.runtime.clock())
    return await _one(visit, secret=secret)


async def remove(visit: Visit) -> Response:
    async with visit.runtime.database.write() as session:
        webhook = await _find(visit, session)
        await subscriptions.unsubscribe(session, visit.account.id, webhook.id, visit.runtime.clock())
    return see("/webhooks")


async def show_deliveries(visit: Visit) -> Response:
    """All that was sent, to callback URLs too."""
    query = visit.request.query_params
    status = query.get("status") if query.get("status") in deliveries.STATUSES else None
    async with visit.runtime.database.read() as session:
        try:
            rows, next_cursor = await deliveries.list_deliveries(
                session, PAGE_SIZE, query.get("cursor"), account_id=visit.account.id, status=status
            )
        except InvalidInputError:
            raise PageError(404, "There is no such page", "Begin with the newest deliveries.") from None
    statuses = deliveries.STATUSES
    return visit.render("deliveries.html", rows=rows, next_cursor=next_cursor, chosen=status, statuses=statuses)


async def show_recent(visit: Visit) -> Response:
    """The newest deliveries to a webhook by themselves, for a page that keeps itself up to date."""
    async with visit.runtime.database.read() as session:
        webhook = await _find(visit, session)
        rows = await _recent(session, webhook)
    return visit.render_part("recent_deliveries.html", webhook=webhook, rows=rows)


async def send_again(visit: Visit) -> Response:
    delivery_id = visit.request.path_params["delivery_id"]
    async with visit.runtime.database.write() as session:
        await _count(visit, session)
        delivery = None
        if is_id(delivery_id, "dlv"):
            delivery = await deliveries.send_again(session, delivery_id, visit.runtime.clock(), visit.account.id)
    if delivery is None:
        raise PageError(404, "There is no such delivery", "Its webhook may be deleted or disabled.")
    visit.runtime.outgoing.set()
    return see(f"/webhooks/{delivery.webhook_id}" if delivery.webhook_id else "/webhooks/deliveries")


async def _count(visit: Visit, session: Session) -> None:
    """What sends something to somebody counts as a call of the API does."""
    limit, now = rate_limits.OTHER_REQUESTS_PER_MINUTE, visit.runtime.clock()
    _, refusal = await rate_limits.admit(session, visit.account.id, rate_limits.OTHER, limit, now)
    if refusal is not None:
        raise PageError(429, "Too many at once", "Wait a minute, then go on.")


async def _find(visit: Visit, session: Session) -> Webhook:
    webhook_id = visit.request.path_params["webhook_id"]
    webhook = None
    if is_id(webhook_id, "hook"):
        webhook = await subscriptions.find(session, webhook_id, visit.account.id)
    if webhook is None:
        raise PageError(404, "There is no such webhook", "It may be deleted already.")
    return webhook


async def _recent(session: Session, webhook: Webhook) -> Sequence[tuple[Delivery, Event]]:
    rows, _ = await deliveries.list_deliveries(session, DELIVERIES_SHOWN, webhook_id=webhook.id)
    return rows


async def _list(visit: Visit, *, status: int = 200, secret: str | None = None) -> Response:
    async with visit.runtime.database.read() as session:
        found, _ = await subscriptions.list_webhooks(session, visit.account.id, subscriptions.WEBHOOKS_MAX, None)
    events = list(visit.runtime.document.events)
    return visit.render("webhooks.html", status=status, form=visit.form, webhooks=found, events=events, secret=secret)


async def _one(visit: Visit, *, secret: str | None = None) -> Response:
    async with visit.runtime.database.read() as session:
        webhook = await _find(visit, session)
        rows = await _recent(session, webhook)
    return visit.render("webhook.html", webhook=webhook, rows=rows, secret=secret)
