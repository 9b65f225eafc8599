"""How a subscription is changed at Stripe: its price, and whether it goes on."""

from typing import TYPE_CHECKING

import stripe

from aiops.billing.gateway import (
    ENDED_STATUSES,
    SUBSCRIPTIONS_MAX,
    CannotChangeError,
    Gateway,
    PaymentsAwayError,
    PaymentsInDoubtError,
    translated,
)

if TYPE_CHECKING:
    from stripe.params import SubscriptionUpdateParams


async def customers_who_subscribe(gateway: Gateway) -> set[str]:
    """Everybody at Stripe who has a subscription that has not ended."""
    with translated():
        first = await gateway.api.subscriptions.list_async({"limit": SUBSCRIPTIONS_MAX})
        return {str(one.customer) async for one in first.auto_paging_iter() if one.status not in ENDED_STATUSES}


async def change_price(
    gateway: Gateway, subscription_id: str, price_id: str, *, is_upgrade: bool
) -> tuple[str, str | None]:
    """Has a subscription go on at another price. An upgrade begins a new period, at its full price, at once;
    anything else counts from the next period on. A cancellation is taken back, of an upgrade once it is paid.

    However often it is asked, and by however many at once, an upgrade is charged once: what is there already or
    waits for its payment is not asked for again, and each attempt has an invoice of its own, by which those that
    ask at the same moment are known for one.

    Returns the id of its latest invoice, and where that is paid if it could not be charged.

    Raises:
        CannotChangeError: it ends at a moment that a payment cannot take back.
        PaymentsInDoubtError: it may have been charged.
    """
    with translated():
        now = await gateway.api.subscriptions.retrieve_async(subscription_id, {"expand": ["latest_invoice"]})
    item, invoice = now["items"].data[0], _latest_invoice(now)
    if price_id == _price_that_waits(now):
        return invoice.id, invoice.hosted_invoice_url
    if price_id == item.price.id:
        await _go_on(gateway, now)
        return invoice.id, None
    if is_upgrade:
        return await _upgrade(gateway, now, price_id)
    change: SubscriptionUpdateParams = {
        "items": [{"id": item.id, "price": price_id}],
        "proration_behavior": "none",
    }
    with translated():
        changed = await gateway.api.subscriptions.update_async(subscription_id, change)
    await _go_on(gateway, changed)
    return invoice.id, None


async def _upgrade(gateway: Gateway, now: stripe.Subscription, price_id: str) -> tuple[str, str | None]:
    change: SubscriptionUpdateParams = {
        "items": [{"id": now["items"].data[0].id, "price": price_id}],
        "proration_behavior": "none",
        "billing_cycle_anchor": {"type": "now"},
        "payment_behavior": "pending_if_incomplete",
        "expand": ["latest_invoice"],
    }
    if now.cancel_at_period_end:
        change["cancel_at_period_end"] = False  # waits for the payment, as the price does
    elif now.cancel_at is not None:
        raise CannotChangeError("Your subscription is cancelled. Choose to go on with it first, then upgrade.")
    key = f"aiops-upgrade-{_latest_invoice(now).id}-{price_id}"
    try:
        with translated():
            changed = await gateway.api.subscriptions.update_async(now.id, change, {"idempotency_key": key})
    except PaymentsAwayError as error:
        raise PaymentsInDoubtError("Stripe, who takes the payments, has not answered.") from error
    invoice = _latest_invoice(changed)
    return invoice.id, invoice.hosted_invoice_url if changed.pending_update else None


async def end_with_period(gateway: Gateway, subscription_id: str) -> None:
    """Cancels a subscription to the end of what is paid."""
    with translated():
        await gateway.api.subscriptions.update_async(subscription_id, {"cancel_at_period_end": True})


async def go_on(gateway: Gateway, subscription_id: str) -> None:
    """Takes back a cancellation."""
    with translated():
        now = await gateway.api.subscriptions.retrieve_async(subscription_id)
    await _go_on(gateway, now)


async def _go_on(gateway: Gateway, now: stripe.Subscription) -> None:
    """However it was noted: Stripe's portal may set a moment instead of the end of the period
    (https://docs.stripe.com/billing/subscriptions/billing-mode/compare), and both at once are refused."""
    with translated():
        if now.cancel_at_period_end:
            now = await gateway.api.subscriptions.update_async(now.id, {"cancel_at_period_end": False})
        if now.cancel_at is not None:
            await gateway.api.subscriptions.update_async(now.id, {"cancel_at": ""})


def _latest_invoice(subscription: stripe.Subscription) -> stripe.Invoice:
    """That of a subscription which was asked for with it."""
    assert isinstance(subscription.latest_invoice, stripe.Invoice)
    return subscription.latest_invoice


def _price_that_waits(subscription: stripe.Subscription) -> str | None:
    """The price of an upgrade that is to be paid still."""
    waiting = subscription.pending_update
    items = waiting.subscription_items if waiting else None
    return items[0].price.id if items else None
