"""What a person buys and changes. Each ends at a page of Stripe's, or in what was taken over from there."""

import re
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlmodel import col

from aiops.accounts.plans import Plans, limits_of
from aiops.billing import subscriptions
from aiops.billing.facts import Reference
from aiops.billing.gateway import (
    ENDED_STATUSES,
    CannotChangeError,
    Gateway,
    PaymentsError,
    PaymentsRefusedError,
    PaymentState,
)
from aiops.billing.prices import Pack, Prices
from aiops.billing.takeover import Takeover
from aiops.database.engine import Session
from aiops.database.tables import Account, Payment, Subscription
from aiops.ledger import ledger
from aiops.runtime import Runtime

log = structlog.get_logger()

PAYMENTS_SHOWN = 50
SUBSCRIPTIONS_SHOWN = 100
UNPAID_STATUSES = ("past_due", "unpaid")
SESSION = re.compile(r"cs_[A-Za-z0-9_]{1,200}")


class ShopError(Exception):
    """What somebody wants cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Shop:
    """What is sold, to one account."""

    runtime: Runtime
    gateway: Gateway
    account: Account

    async def buy(self, pack: Pack) -> str:
        """Where the pack is paid for."""
        if not self.account.is_confirmed:
            raise ShopError("Confirm your e-mail address first.")
        customer_id = await self._customer_id()
        currency, address = self.runtime.prices.currency, self.runtime.settings.address
        return await self.gateway.sell_pack(self.account.id, customer_id, pack, currency, address)

    async def choose(self, plan: str) -> str | None:
        """Subscribes to a plan, or changes to it: at once to one that costs more, at the end of what is paid to one
        that costs less. Where it has to be paid for on a page of Stripe's, that page.

        Raises:
            ShopError: the plan is not for sale, or the latest invoice is not paid.
            PaymentsInDoubtError: Stripe may have charged for it; to ask again does not charge again.
            PaymentsError: Stripe cannot be asked; nothing is charged.
        """
        if plan not in self.runtime.prices.plans:
            raise ShopError("There is no such plan to be bought.")
        if not self.account.is_confirmed:
            raise ShopError("Confirm your e-mail address first.")
        found = await self._subscriptions()
        try:
            return await (self._change(found[0], plan) if found else self._subscribe(plan))
        except CannotChangeError as error:
            raise ShopError(str(error)) from None

    async def _subscribe(self, plan: str) -> str:
        address, price_id = self.runtime.settings.address, await self._price_id(plan)
        return await self.gateway.sell_plan(self.account.id, await self._customer_id(), price_id, address)

    async def _change(self, subscription: Subscription, plan: str) -> str | None:
        if subscription.status in UNPAID_STATUSES:
            raise ShopError("Your last invoice is not paid yet. Pay it first, under “Invoices and payment method”.")
        is_more = costs_more(self.runtime.prices, self.runtime.plans, subscription, plan)
        invoice_id, unpaid_at = await subscriptions.change_price(
            self.gateway, subscription.id, await self._price_id(plan), is_upgrade=is_more
        )
        await self._take_over_what_is_done(Reference("invoice", invoice_id))
        return unpaid_at

    async def cancel(self) -> None:
        """Ends every subscription with what is paid of it."""
        for one in await self._some_subscriptions():
            await subscriptions.end_with_period(self.gateway, one.id)
            await self._take_over_what_is_done(Reference("subscription", one.id))

    async def go_on(self) -> None:
        """Takes back the cancellation; of the latest subscription, should there be more."""
        latest, *_ = await self._some_subscriptions()
        await subscriptions.go_on(self.gateway, latest.id)
        await self._take_over_what_is_done(Reference("subscription", latest.id))

    async def portal(self) -> str:
        """Where Stripe shows invoices and takes another card."""
        if self.account.customer_id is None:
            raise ShopError("There is nothing to be seen yet: you have not bought anything.")
        return await self.gateway.portal(self.account.customer_id, self.runtime.settings.address)

    async def came_back(self, session_id: str) -> PaymentState:
        """Takes over what was paid on a page of Stripe's, without waiting for the event that tells of it; how it stands
        with that page."""
        customer_id = self.account.customer_id
        if customer_id is None or not SESSION.fullmatch(session_id):
            return None
        state = await self.gateway.payment_state(customer_id, session_id)
        if state == "paid":
            await self._take_over(Reference("session", session_id))
        return state

    async def _take_over(self, reference: Reference) -> None:
        customer_id, runtime = self.account.customer_id, self.runtime
        if customer_id is None:
            raise PaymentsRefusedError("The account is not known at Stripe.")
        takeover = Takeover(runtime.database, self.gateway, runtime.plans)
        await takeover.take_over(customer_id, reference, runtime.clock())

    async def _take_over_what_is_done(self, reference: Reference) -> None:
        """It is done: should it not be to be seen yet, the event that tells of it brings it."""
        try:
            await self._take_over(reference)
        except PaymentsError as error:
            log.warning("change_not_taken_over", kind=reference.kind, id=reference.id, reason=str(error))

    async def _price_id(self, plan: str) -> str:
        prices, credits_ = self.runtime.prices, limits_of(self.runtime.plans, plan).monthly_credits
        return await self.gateway.price_of(plan, prices.plans[plan], prices.currency, credits_)

    async def _customer_id(self) -> str:
        """Who this is at Stripe; noted before anything can be paid for."""
        if self.account.customer_id is not None:
            return self.account.customer_id
        made = await self.gateway.make_customer(self.account.id, self.account.email)
        async with self.runtime.database.write() as session:
            account = await ledger.lock_account(session, self.account.id)
            account.customer_id = account.customer_id or made
            return account.customer_id

    async def _some_subscriptions(self) -> list[Subscription]:
        found = await self._subscriptions()
        if not found:
            raise ShopError("There is no subscription to be changed.")
        return found

    async def _subscriptions(self) -> list[Subscription]:
        """As `list_subscriptions`, by what Stripe says now."""
        if self.account.customer_id is not None:
            await self._take_over(Reference("customer", self.account.customer_id))
        async with self.runtime.database.read() as session:
            return await list_subscriptions(session, self.account.id)


def costs_more(prices: Prices, plans: Plans, subscription: Subscription, plan: str) -> bool:
    """Whether a plan that is sold is an upgrade. What is paid may not be told yet; then what it is for counts. One that
    is not sold any more has no price here: it is the credits of a month that are compared."""
    present = {one for one in (subscription.paid_plan, subscription.plan) if one is not None}
    return all(
        prices.plans[plan] > prices.plans[one]
        if one in prices.plans
        else limits_of(plans, plan).monthly_credits > limits_of(plans, one).monthly_credits
        for one in present
    )


async def list_subscriptions(session: Session, account_id: str) -> list[Subscription]:
    """The subscriptions of an account that have not ended, the latest first. It has one, unless two pages to subscribe
    were paid, or an operator has made another at Stripe."""
    found = await session.execute(
        select(Subscription)
        .where(col(Subscription.account_id) == account_id, col(Subscription.status).not_in(ENDED_STATUSES))
        .order_by(col(Subscription.created_at).desc(), col(Subscription.id))
        .limit(SUBSCRIPTIONS_SHOWN)
    )
    return list(found.scalars())


async def latest_payments(session: Session, account_id: str) -> list[Payment]:
    found = await session.execute(
        select(Payment)
        .where(col(Payment.account_id) == account_id)
        .order_by(col(Payment.created_at).desc(), col(Payment.id))
        .limit(PAYMENTS_SHOWN)
    )
    return list(found.scalars())
