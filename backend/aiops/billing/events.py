"""The events that Stripe sends, and what each is about; and what is made up for when they did not arrive."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import stripe
import structlog

from aiops.billing import subscriptions
from aiops.billing import takeover as takeovers
from aiops.billing.facts import Kind, Reference, customer_of
from aiops.billing.takeover import Takeover, TwoCustomersError
from aiops.database.tables import StripeEvent

log = structlog.get_logger()

FAILURES_MAX = 50

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


@dataclass(slots=True)
class CaughtUp:
    """How many events were handled, and how many customers' subscriptions compared. `failed` are the ids of the events
    and customers that could not be, which may be tried again; of an account with two customers, that of the one whose
    things are nobody's."""

    events: int = 0
    customers: int = 0
    failed: list[str] = field(default_factory=list)

    async def count(self, step: Awaitable[bool], id_: str) -> bool:
        """Takes a step; one that fails keeps no other from being taken, unless nearly all of them do."""
        try:
            return await step
        except Exception as error:
            log.error("not_caught_up", id=id_, exc_info=error)  # noqa: TRY400 - what it is comes first
            failed = error.customer_id if isinstance(error, TwoCustomersError) else id_
            if failed not in self.failed:
                self.failed.append(failed)
            if len(self.failed) >= FAILURES_MAX:
                raise
            return False


async def catch_up(takeover: Takeover, now: datetime, days: int) -> CaughtUp:
    """Handles what Stripe has had to tell in the last days and could not, and moves every subscription to what it is
    at Stripe now: what was told longer ago is not told again.

    Raises:
        PaymentsError: Stripe cannot be asked.
    """
    done = CaughtUp()
    async for event in takeover.gateway.events_since(now - timedelta(days=days), list(KINDS)):
        done.events += await done.count(handle(takeover, event, now), event.id)
    subscribers = await subscriptions.customers_who_subscribe(takeover.gateway)
    for customer_id in sorted(subscribers | await takeovers.customers_who_subscribe(takeover.database)):
        step = takeover.take_over(customer_id, Reference("customer", customer_id), now)
        done.customers += await done.count(step, customer_id)
    return done
