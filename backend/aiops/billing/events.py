"""The events that Stripe sends, and what each is about."""

from datetime import datetime, timedelta
from typing import Any

import stripe
import structlog

from aiops.billing.facts import Kind, Reference, customer_of
from aiops.billing.takeover import Takeover
from aiops.database.tables import StripeEvent

log = structlog.get_logger()

# By the type of its event, what a thing is; of a refund or a dispute it is the payment that is looked at.
KINDS: dict[str, Kind] = {
    "checkout.session.completed": "session",
    "checkout.session.async_payment_succeeded": "session",
    "customer.subscription.created": "subscription",
    "customer.subscription.updated": "subscription",
    "customer.subscription.deleted": "subscription",
    "invoice.paid": "invoice",
    "invoice.payment_failed": "invoice",
    "charge.refunded": "payment_intent",
    "refund.updated": "payment_intent",
    "refund.failed": "payment_intent",
    "charge.dispute.created": "payment_intent",
    "charge.dispute.funds_withdrawn": "payment_intent",
    "charge.dispute.funds_reinstated": "payment_intent",
    "charge.dispute.closed": "payment_intent",
}


async def handle(takeover: Takeover, event: stripe.Event, now: datetime) -> bool:
    """Takes over what an event tells of; whether anything was done: not for one that is none of ours, or was handled.

    Raises:
        PaymentsError: Stripe cannot be asked; it has to send the event again.
    """
    kind = KINDS.get(event.type)
    if kind is None:
        return False
    thing: dict[str, Any] = event.data.object.to_dict()
    thing_id = thing.get("payment_intent") if kind == "payment_intent" else thing.get("id")
    if not isinstance(thing_id, str):
        return False
    customer_id = thing.get("customer") or (
        await customer_of(takeover.gateway, thing_id) if kind == "payment_intent" else None
    )
    if not isinstance(customer_id, str):
        return False
    kept = StripeEvent(id=event.id, type=event.type, handled_at=now)
    is_new = await takeover.take_over(customer_id, Reference(kind, thing_id), now, kept)
    log.info("stripe_event", stripe_event=event.id, type=event.type, is_new=is_new)
    return is_new


async def catch_up(takeover: Takeover, now: datetime, days: int) -> int:
    """Handles what Stripe has had to tell in the last days and could not; how many events that were.

    Raises:
        PaymentsError: Stripe cannot be asked.
    """
    handled = 0
    async for event in takeover.gateway.events_since(now - timedelta(days=days), list(KINDS)):
        handled += await handle(takeover, event, now)
    return handled
