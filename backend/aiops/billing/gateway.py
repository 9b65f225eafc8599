"""What is asked of Stripe: customers, prices, events, and pages on which people pay.

Stripe's objects carry in their metadata what they are for, so that all that follows is told by them alone: a payment of
a pack its credits, a price its plan and that plan's credits.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import stripe
import structlog

from aiops.billing.prices import Pack
from aiops.http.stripe_transport import StripeTransport
from aiops.settings import Settings

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

log = structlog.get_logger()

RETRIES_MAX = 2
ACCOUNT, CREDITS, PLAN, ATTEMPT = "aiops_account", "aiops_credits", "aiops_plan", "aiops_attempt"  # in the metadata
SESSION_ID = "{CHECKOUT_SESSION_ID}"  # Stripe puts the id in its place
OPEN_SESSIONS_MAX = 20
SUBSCRIPTIONS_MAX = 100
EVENTS_AT_ONCE = 100
ENDED_STATUSES = ("canceled", "incomplete", "incomplete_expired")  # over, or never begun
NOT_THERE = 404
IN_PROGRESS = 409  # the status where the same was asked a moment ago and is not done yet

# `waits` where the money is on its way still, as from a bank account.
PaymentState = Literal["paid", "waits", "unpaid"] | None


class PaymentsError(Exception):
    """Stripe could not be asked; the message says why, to people."""


class PaymentsAwayError(PaymentsError):
    """Stripe cannot be reached, or not now."""


class PaymentsRefusedError(PaymentsError):
    """Stripe refuses what was asked: the operator has something to mend."""


class PaymentsInDoubtError(PaymentsError):
    """Stripe was asked to charge somebody and has not answered: it may have."""


class CannotChangeError(Exception):
    """A subscription is as it cannot be changed; the message says why, to people."""


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
        """The id of a new customer."""
        with translated():
            customer = await self.api.customers.create_async({"email": email, "metadata": {ACCOUNT: account_id}})
        return customer.id

    async def price_of(self, plan: str, amount: int, currency: str, credits_: int) -> str:
        """The id of the price of a plan by the month; made where there is none of this amount and these credits, which
        the page to pay on names, yet."""
        key = f"aiops {plan} {amount} {currency} {credits_}"
        with translated():
            if found := await self._price_by_key(key):
                return found
            try:
                price = await self.api.prices.create_async(
                    {
                        "currency": currency,
                        "unit_amount": amount,
                        "recurring": {"interval": "month"},
                        "lookup_key": key,
                        "product_data": {"name": f"{plan} plan, {credits_:,} credits a month"},
                        "metadata": {PLAN: plan, CREDITS: str(credits_)},
                    }
                )
            except stripe.InvalidRequestError:
                if found := await self._price_by_key(key):  # made by somebody else at this moment
                    return found
                raise
        return price.id

    async def sell_pack(self, account_id: str, customer_id: str, pack: Pack, currency: str, address: str) -> str:
        """Where somebody pays for a pack."""
        bought = {ACCOUNT: account_id, CREDITS: str(pack.credits)}
        session = await self._check_out(
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
        return _url_of(session)

    async def sell_plan(self, account_id: str, customer_id: str, price_id: str, address: str) -> str:
        """Where somebody subscribes to a plan. Nobody subscribes twice: other pages to do so end, and only then is it
        seen whether one of them was paid. Of two that are made at the same moment, whoever looks later ends the older.

        Raises:
            CannotChangeError: there is a subscription by now.
        """
        session = await self._check_out(
            {
                "mode": "subscription",
                "customer": customer_id,
                "client_reference_id": account_id,
                "line_items": [{"quantity": 1, "price": price_id}],
                "subscription_data": {"metadata": {ACCOUNT: account_id}},
                **_ways_back(address),
            }
        )
        newest, *others = await self._pages_to_subscribe(customer_id) or [session]
        for other in others:
            await self._end_page(other)
        with translated():
            found = await self.api.subscriptions.list_async({"customer": customer_id, "limit": SUBSCRIPTIONS_MAX})
        if any(one.status not in ENDED_STATUSES and plan_of(one) for one in found.data):
            await self._end_page(newest)
            raise CannotChangeError("You have subscribed a moment ago. Go back, and reload the page.")
        return _url_of(session)

    async def payment_state(self, customer_id: str, session_id: str) -> PaymentState:
        """How it stands with a page on which this customer could pay; None where it is not theirs, or not there."""
        with translated():
            try:
                session = await self.api.checkout.sessions.retrieve_async(session_id)
            except stripe.InvalidRequestError as error:
                if error.http_status != NOT_THERE:
                    raise
                return None
        if session.customer != customer_id:
            return None
        if session.payment_status != "unpaid":
            return "paid"
        return "waits" if session.status == "complete" else "unpaid"

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

    async def _price_by_key(self, key: str) -> str | None:
        found = await self.api.prices.list_async({"lookup_keys": [key], "active": True, "limit": 1})
        return found.data[0].id if found.data else None

    async def _check_out(self, parameters: "SessionCreateParams") -> stripe.checkout.Session:
        with translated():
            return await self.api.checkout.sessions.create_async(parameters)

    async def _pages_to_subscribe(self, customer_id: str) -> list[stripe.checkout.Session]:
        """Those that are open, the newest first, in an order that is the same to all."""
        with translated():
            found = await self.api.checkout.sessions.list_async(
                {"customer": customer_id, "status": "open", "limit": OPEN_SESSIONS_MAX}
            )
        pages = [one for one in found.data if one.mode == "subscription"]
        return sorted(pages, key=lambda one: (one.created, one.id), reverse=True)

    async def _end_page(self, session: stripe.checkout.Session) -> None:
        """Ends a page on which somebody could pay; one that has been paid meanwhile stays as it is."""
        with translated():
            try:
                await self.api.checkout.sessions.expire_async(session.id)
            except stripe.InvalidRequestError as error:
                log.info("checkout_not_ended", code=error.code, stripe_request=error.request_id)


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
        if is_away or error.http_status == IN_PROGRESS or (error.http_status or 0) >= 500:
            raise PaymentsAwayError("Stripe, who takes the payments, cannot be reached. Try again soon.") from error
        if isinstance(error, stripe.CardError):
            raise PaymentsRefusedError("The payment was declined. Use another card.") from error
        raise PaymentsRefusedError("Stripe refuses what we have asked of it. It is in our log.") from error


def plan_of(subscription: stripe.Subscription) -> str | None:
    """The plan that a subscription is for; None where it is for something else that is sold at the same Stripe."""
    items = subscription["items"].data
    return items[0].price.metadata.to_dict().get(PLAN) if items else None


def _ways_back(address: str) -> "SessionCreateParams":
    return {
        "success_url": f"{address}/billing/paid?session_id={SESSION_ID}",
        "cancel_url": f"{address}/billing",
    }


def _url_of(session: stripe.checkout.Session) -> str:
    assert session.url is not None
    return session.url
