"""How a subscription is changed at Stripe: its price, and whether it goes on."""

from typing import TYPE_CHECKING

import stripe
import structlog

from aiops.billing.gateway import (
    ACCOUNT,
    ATTEMPT,
    ENDED_STATUSES,
    IN_PROGRESS,
    SUBSCRIPTIONS_MAX,
    CannotChangeError,
    Gateway,
    PaymentsAwayError,
    PaymentsError,
    PaymentsInDoubtError,
    plan_of,
    translated,
)

if TYPE_CHECKING:
    from stripe.params import SubscriptionUpdateParams

log = structlog.get_logger()


async def customers_who_subscribe(gateway: Gateway) -> set[str]:
    """Everybody at Stripe who has a subscription of ours that has not ended: for a plan, or made here."""
    with translated():
        first = await gateway.api.subscriptions.list_async({"limit": SUBSCRIPTIONS_MAX})
        return {
            str(one.customer)
            async for one in first.auto_paging_iter()
            if one.status not in ENDED_STATUSES and (plan_of(one) or ACCOUNT in one.metadata.to_dict())
        }


async def change_price(
    gateway: Gateway, subscription_id: str, price_id: str, *, is_upgrade: bool
) -> tuple[str, str | None]:
    """Has a subscription go on at another price. An upgrade begins a new period, at its full price, at once;
    anything else counts from the next period on. A cancellation is taken back, of an upgrade once it is paid.

    However often it is asked, and by however many at once, an upgrade is charged once: what is there already or
    waits for its payment is not asked for again, and those that ask at the same moment make one attempt, under one key.
    An attempt that succeeds makes an invoice, one that fails is noted in the metadata: either begins another.

    Returns the id of its latest invoice, and where that is paid if it could not be charged.

    Raises:
        CannotChangeError: it ends at a moment that a payment cannot take back, or another upgrade is under way.
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
    try:
        changed = await _attempt(gateway, now, change)
    except PaymentsAwayError as error:
        raise PaymentsInDoubtError("Stripe, who takes the payments, has not answered.") from error
    invoice = _latest_invoice(changed)
    return invoice.id, invoice.hosted_invoice_url if changed.pending_update else None


async def _attempt(
    gateway: Gateway, now: stripe.Subscription, change: "SubscriptionUpdateParams"
) -> stripe.Subscription:
    key = f"aiops-upgrade-{_attempt_id(now)}"
    with translated():
        try:
            return await gateway.api.subscriptions.update_async(now.id, change, {"idempotency_key": key})
        except stripe.IdempotencyError as error:
            log.info("another_upgrade_under_way", subscription=now.id, stripe_request=error.request_id)
            told = "Another change of your subscription is under way. Look at your plan again in a minute."
            raise CannotChangeError(told) from None
        except stripe.StripeError as error:
            await _note_failure(gateway, now, error)
            raise


def _attempt_id(now: stripe.Subscription) -> str:
    """The latest invoice, and the failure that was noted since; the same to all who see the subscription as it is."""
    invoice_id = _latest_invoice(now).id
    noted: str = now.metadata.to_dict().get(ATTEMPT, "")
    return noted if noted.startswith(f"{invoice_id}-") else invoice_id


async def _note_failure(gateway: Gateway, now: stripe.Subscription, error: stripe.StripeError) -> None:
    """Has the next attempt be another one: Stripe answers a key for a day as it did the first time, errors too
    (https://docs.stripe.com/api/idempotent_requests). All who are told of this failure note the same.

    Only what the attempt itself has come to is noted. `Original-Request` says so: no answer has it that was given
    before Stripe looked at the key, while the attempt of somebody else may still be under way.
    """
    request_id = (error.headers or {}).get("original-request")
    if not request_id or error.http_status == IN_PROGRESS or isinstance(error, stripe.RateLimitError):
        return
    noted = f"{_latest_invoice(now).id}-{request_id}"
    try:
        with translated():
            await gateway.api.subscriptions.update_async(now.id, {"metadata": {ATTEMPT: noted}})
    except PaymentsError:
        log.warning("failure_not_noted", subscription=now.id)  # whoever asks next is told the same, and notes it


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
