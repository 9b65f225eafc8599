"""What a person buys and changes. Each ends at a page of Stripe's, or in what was taken over from there."""

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from aiops.accounts.plans import limits_of
from aiops.billing.facts import Reference
from aiops.billing.gateway import Gateway, PaymentsRefusedError
from aiops.billing.prices import Pack
from aiops.billing.takeover import LIVE_STATUSES, Takeover
from aiops.database.engine import Session
from aiops.database.tables import Account, Payment, Subscription
from aiops.ledger import ledger
from aiops.runtime import Runtime

PAYMENTS_SHOWN = 50
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
            PaymentsError: Stripe cannot be asked.
        """
        if plan not in self.runtime.prices.plans:
            raise ShopError("There is no such plan to be bought.")
        if not self.account.is_confirmed:
            raise ShopError("Confirm your e-mail address first.")
        subscription = await self._subscription()
        if subscription is None:
            address, price_id = self.runtime.settings.address, await self._price_id(plan)
            return await self.gateway.sell_plan(self.account.id, await self._customer_id(), price_id, address)
        if subscription.status == "past_due":
            raise ShopError("Your last invoice is not paid yet. Pay it first, under “Invoices and payment method”.")
        return await self._change(subscription, plan)

    async def _change(self, subscription: Subscription, plan: str) -> str | None:
        if subscription.ends_with_period:
            await self.gateway.end_with_period(subscription.id, is_ending=False)
        monthly = self.runtime.prices.plans
        is_upgrade = monthly[plan] > monthly.get(subscription.paid_plan or "", 0)
        invoice_id, unpaid_at = await self.gateway.change_price(
            subscription.id, await self._price_id(plan), is_upgrade=is_upgrade, version=self.account.billing_version
        )
        await self._take_over(Reference("invoice", invoice_id))
        return unpaid_at

    async def end_with_period(self, *, is_ending: bool) -> None:
        """Cancels the subscription to the end of what is paid, or has it go on after all."""
        subscription = await self._subscription()
        if subscription is None:
            raise ShopError("There is no subscription to be changed.")
        await self.gateway.end_with_period(subscription.id, is_ending=is_ending)
        await self._take_over(Reference("subscription", subscription.id))

    async def portal(self) -> str:
        """Where Stripe shows invoices and takes another card."""
        if self.account.customer_id is None:
            raise ShopError("There is nothing to be seen yet: you have not bought anything.")
        return await self.gateway.portal(self.account.customer_id, self.runtime.settings.address)

    async def came_back(self, session_id: str) -> bool:
        """Takes over what was paid on a page of Stripe's, without waiting for the event that tells of it; whether it
        was paid by now."""
        customer_id = self.account.customer_id
        if customer_id is None or not SESSION.fullmatch(session_id):
            return False
        if not await self.gateway.is_paid(customer_id, session_id):
            return False
        await self._take_over(Reference("session", session_id))
        return True

    async def _take_over(self, reference: Reference) -> None:
        customer_id, runtime = self.account.customer_id, self.runtime
        if customer_id is None:
            raise PaymentsRefusedError("The account is not known at Stripe.")
        takeover = Takeover(runtime.database, self.gateway, runtime.plans)
        await takeover.take_over(customer_id, reference, runtime.clock())

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

    async def _subscription(self) -> Subscription | None:
        async with self.runtime.database.read() as session:
            return await live_subscription(session, self.account.id)


async def live_subscription(session: Session, account_id: str) -> Subscription | None:
    """The subscription that an account has; the latest, should there be more."""
    found = await session.execute(
        select(Subscription)
        .where(col(Subscription.account_id) == account_id, col(Subscription.status).in_(LIVE_STATUSES))
        .order_by(col(Subscription.created_at).desc(), col(Subscription.id))
        .limit(1)
    )
    return found.scalar_one_or_none()


async def latest_payments(session: Session, account_id: str) -> list[Payment]:
    found = await session.execute(
        select(Payment)
        .where(col(Payment.account_id) == account_id)
        .order_by(col(Payment.created_at).desc(), col(Payment.id))
        .limit(PAYMENTS_SHOWN)
    )
    return list(found.scalars())
