"""What is asked of Stripe: pages on which people pay, and changes of their subscriptions.

Stripe's objects carry in their metadata what they are for, so that all that follows is told by them alone: a payment of
a pack its credits, a price its plan and that plan's credits.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import stripe
import structlog

from aiops.billing.prices import Pack
from aiops.http.stripe_transport import StripeTransport
from aiops.settings import Settings

if TYPE_CHECKING:
    from stripe.params import SubscriptionUpdateParams
    from stripe.params.checkout import SessionCreateParams

log = structlog.get_logger()

RETRIES_MAX = 2
ACCOUNT, CREDITS, PLAN = "aiops_account", "aiops_credits", "aiops_plan"  # what the metadata say
SESSION_ID = "{CHECKOUT_SESSION_ID}"  # Stripe puts the id in its place
OPEN_SESSIONS_MAX = 20
EVENTS_AT_ONCE = 100


class PaymentsError(Exception):
    """Stripe could not be asked; the message says why, to people."""


class PaymentsAwayError(PaymentsError):
    """Stripe cannot be reached, or not now."""


class PaymentsRefusedError(PaymentsError):
    """Stripe refuses what was asked: the operator has something to mend."""


class Gateway:
    """Stripe, under one secret key. `close` it in the end."""

    def __init__(self, secret_key: str, webhook_secret: str, api_base: str) -> None:
        self.webhook_secret = webhook_secret
        self._transport = StripeTransport()
        self._stripe = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base},
            http_client=self._transport,
            max_network_retries=RETRIES_MAX,
        )
        self.api = self._stripe.v1

    async def close(self) -> None:
        await self._transport.close_async()

    def event(self, payload: bytes, signature: str | None) -> stripe.Event:
        """An event, if it is Stripe's and not older than five minutes.

        Raises:
            ValueError: it is not, or cannot be read.
        """
        try:
            return self._stripe.construct_event(payload, signature, self.webhook_secret)
        except (stripe.SignatureVerificationError, ValueError, AttributeError, TypeError):
            raise ValueError("Its signature is missing, wrong or too old.") from None

    async def make_customer(self, account_id: str, email: str) -> str:
        """The id of a new customer; of the same one where that was asked for a moment ago already."""
        with translated():
            customer = await self.api.customers.create_async(
                {"email": email, "metadata": {ACCOUNT: account_id}},
                {"idempotency_key": f"aiops-customer-{account_id}"},
            )
        return customer.id

    async def price_of(self, plan: str, amount: int, currency: str, credits_: int) -> str:
        """The id of the price of a plan by the month; made where there is none of this amount yet."""
        key = f"aiops {plan} {amount} {currency}"
        with translated():
            found = await self.api.prices.list_async({"lookup_keys": [key], "active": True, "limit": 1})
            if found.data:
                return found.data[0].id
            price = await self.api.prices.create_async(
                {
                    "currency": currency,
                    "unit_amount": amount,
                    "recurring": {"interval": "month"},
                    "lookup_key": key,
                    "product_data": {"name": f"{plan} plan, {credits_:,} credits a month"},
                    "metadata": {PLAN: plan, CREDITS: str(credits_)},
                },
                {"idempotency_key": f"aiops-price-{_digest(key)}"},
            )
        return price.id

    async def sell_pack(self, account_id: str, customer_id: str, pack: Pack, currency: str, address: str) -> str:
        """Where somebody pays for a pack."""
        bought = {ACCOUNT: account_id, CREDITS: str(pack.credits)}
        return await self._check_out(
            {
                "mode": "payment",
                "customer": customer_id,
                "client_reference_id": account_id,
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": currency,
                            "unit_amount": pack.amount,
                            "product_data": {"name": pack.name},
                        },
                    }
                ],
                "payment_intent_data": {"description": pack.name, "metadata": bought},
                **_ways_back(address),
            }
        )

    async def sell_plan(self, account_id: str, customer_id: str, price_id: str, address: str) -> str:
        """Where somebody subscribes to a plan. Pages to do so that are still open elsewhere end: nobody pays twice."""
        with translated():
            open_ones = await self.api.checkout.sessions.list_async(
                {"customer": customer_id, "status": "open", "limit": OPEN_SESSIONS_MAX}
            )
            for session in open_ones.data:
                if session.mode == "subscription":
                    await self.api.checkout.sessions.expire_async(session.id)
        return await self._check_out(
            {
                "mode": "subscription",
                "customer": customer_id,
                "client_reference_id": account_id,
                "line_items": [{"quantity": 1, "price": price_id}],
                "subscription_data": {"metadata": {ACCOUNT: account_id}},
                **_ways_back(address),
            }
        )

    async def is_paid(self, customer_id: str, session_id: str) -> bool:
        """Whether a page of Stripe's was paid, by this customer."""
        with translated():
            session = await self.api.checkout.sessions.retrieve_async(session_id)
        return session.customer == customer_id and session.payment_status != "unpaid"

    async def change_price(
        self, subscription_id: str, price_id: str, *, is_upgrade: bool, version: int
    ) -> tuple[str, str | None]:
        """Has a subscription go on at another price. An upgrade begins a new period, at its full price, at once;
        anything else counts from the next period on. Asked twice under one `version`, it is done once.

        Returns the id of its latest invoice, and where that is paid if it could not be charged.
        """
        with translated():
            now = await self.api.subscriptions.retrieve_async(subscription_id)
            change: SubscriptionUpdateParams = {
                "items": [{"id": now["items"].data[0].id, "price": price_id}],
                "proration_behavior": "none",
                "expand": ["latest_invoice"],
            }
            if is_upgrade:
                change["billing_cycle_anchor"] = {"type": "now"}
                change["payment_behavior"] = "pending_if_incomplete"
            key = f"aiops-{subscription_id}-{version}-{price_id}"
            changed = await self.api.subscriptions.update_async(subscription_id, change, {"idempotency_key": key})
        invoice = changed.latest_invoice
        assert isinstance(invoice, stripe.Invoice)
        return invoice.id, invoice.hosted_invoice_url if changed.pending_update else None

    async def end_with_period(self, subscription_id: str, *, is_ending: bool) -> None:
        """Cancels a subscription to the end of what is paid, or has it go on after all."""
        with translated():
            await self.api.subscriptions.update_async(subscription_id, {"cancel_at_period_end": is_ending})

    async def portal(self, customer_id: str, address: str) -> str:
        """Where a customer sees invoices and changes how they pay."""
        with translated():
            session = await self.api.billing_portal.sessions.create_async(
                {"customer": customer_id, "return_url": f"{address}/billing"}
            )
        return session.url

    async def events_since(self, moment: datetime, types: Sequence[str]) -> AsyncIterator[stripe.Event]:
        """The events of these types that Stripe keeps, for 30 days at most, the newest first."""
        with translated():
            first = await self.api.events.list_async(
                {"created": {"gte": int(moment.timestamp())}, "types": list(types), "limit": EVENTS_AT_ONCE}
            )
            async for event in first.auto_paging_iter():
                yield event

    async def _check_out(self, parameters: "SessionCreateParams") -> str:
        with translated():
            session = await self.api.checkout.sessions.create_async(parameters)
        assert session.url is not None
        return session.url


def connect(settings: Settings) -> Gateway | None:
    """Stripe as it is configured; None where it is not, and nothing is sold.

    Raises:
        ValueError: one of its two secrets is missing.
    """
    key, secret = settings.stripe_secret_key, settings.stripe_webhook_secret
    if key is None and secret is None:
        return None
    if key is None or secret is None:
        raise ValueError(
            "Set AIOPS_STRIPE_SECRET_KEY and AIOPS_STRIPE_WEBHOOK_SECRET together: without events from Stripe, "
            "nobody would get what they have paid for."
        )
    return Gateway(key.get_secret_value(), secret.get_secret_value(), settings.stripe_api_base)


@contextmanager
def translated() -> Iterator[None]:
    """Turns what Stripe's library raises into what can be told to people; the log has the rest, but nothing secret."""
    try:
        yield
    except stripe.StripeError as error:
        log.warning("stripe_failed", code=error.code, status=error.http_status, stripe_request=error.request_id)
        is_away = isinstance(error, stripe.APIConnectionError | stripe.RateLimitError)
        if is_away or (error.http_status or 0) >= 500:
            raise PaymentsAwayError("Stripe, who takes the payments, cannot be reached. Try again soon.") from error
        if isinstance(error, stripe.CardError):
            raise PaymentsRefusedError("The payment was declined. Use another card.") from error
        raise PaymentsRefusedError(
            "Stripe refuses what we have asked of it. It is in our log; nothing was charged."
        ) from error


def _ways_back(address: str) -> "SessionCreateParams":
    return {
        "success_url": f"{address}/billing/paid?session_id={SESSION_ID}",
        "cancel_url": f"{address}/billing",
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
