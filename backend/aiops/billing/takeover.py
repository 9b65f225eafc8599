"""Takes over what Stripe says into accounts and ledger, each thing once and in whatever order it is told.

An event only says where to look. What is looked up is the present state, and an account moves to it: a payment is
received once, its reversal follows the money that went back, a period counts if it is the latest. Two that look at the
same moment cannot take over the older state after the newer one: `Account.billing_version` is read before Stripe is
asked and must not have moved when the answer is taken over; else Stripe is asked again. No transaction is open
meanwhile.

Whose a customer is stands at Stripe too, in its metadata: a database that was restored may not know it any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select
from sqlmodel import col

from aiops.accounts.plans import SMALLEST, Plans, limits_of
from aiops.billing.facts import Facts, Paid, PaidPeriod, Reference, Subscribed, account_of, fetch
from aiops.billing.gateway import ENDED_STATUSES, Gateway, PaymentsAwayError, PaymentsError
from aiops.database.engine import Database, Session
from aiops.database.tables import Account, Payment, StripeEvent, Subscription
from aiops.identifiers import is_id
from aiops.ledger import ledger

log = structlog.get_logger()

TRIES_MAX = 10
EVENT_AGE = timedelta(days=60)
# A payment that is late leaves the plan while Stripe tries again; what becomes of it then is set there.
LIVE_STATUSES = ("active", "trialing", "past_due")


class TwoCustomersError(PaymentsError):
    """`customer_id` is a customer of an account that is another customer by now. An operator has to see to it."""

    def __init__(self, customer_id: str, account: Account) -> None:
        super().__init__(f"{customer_id} is the customer of {account.id}, which has become {account.customer_id}.")
        self.customer_id = customer_id


@dataclass(frozen=True, slots=True)
class Takeover:
    """Moves accounts to what Stripe says."""

    database: Database
    gateway: Gateway
    plans: Plans

    async def take_over(
        self, customer_id: str, reference: Reference, now: datetime, event: StripeEvent | None = None
    ) -> bool:
        """Moves a customer's account to what Stripe says of a thing of theirs; whether anything was done: not for an
        event that was handled already.

        Raises:
            TwoCustomersError: the customer's account is another customer.
            PaymentsError: Stripe cannot be asked, or somebody else was faster time and again.
        """
        for _ in range(TRIES_MAX):
            async with self.database.read() as session:
                if event is not None and await session.get(StripeEvent, event.id) is not None:
                    return False
                account = await _account_of(session, customer_id)
            if account is None:
                if await self._is_known_again(customer_id):
                    continue
                return await self._note(event)
            facts = await fetch(self.gateway, self.plans, customer_id, reference)
            async with self.database.write() as session:
                if await self._apply(session, account, facts, now, event):
                    return True
        raise PaymentsAwayError("Too much changes at once. Try again in a moment.")

    async def _apply(
        self, session: Session, seen: Account, facts: Facts, now: datetime, event: StripeEvent | None
    ) -> bool:
        account = await ledger.lock_account(session, seen.id)
        if account.billing_version != seen.billing_version:
            return False
        account.billing_version += 1
        if event is not None:
            session.add(_copy(event))
        await session.flush()
        for paid in facts.payments:
            await _receive(session, account.id, paid, now)
        paid_for = {period.subscription_id for period in facts.periods}
        for subscribed in facts.subscriptions:
            await _keep_subscription(session, account.id, subscribed, is_ours=subscribed.id in paid_for)
        for period in facts.periods:
            await _keep_period(session, period)
        await session.flush()
        await _follow_subscriptions(session, self.plans, account.id)
        return True

    async def _is_known_again(self, customer_id: str) -> bool:
        """Notes a customer with the account that it was made for; whether that is here."""
        account_id = await account_of(self.gateway, customer_id)
        if account_id is None or not is_id(account_id, "acc"):
            return False
        async with self.database.write() as session:
            if await session.get(Account, account_id) is None:
                log.warning("account_not_here", customer=customer_id, account=account_id)
                return False
            account = await ledger.lock_account(session, account_id)
            if account.customer_id not in (None, customer_id):
                log.warning("two_customers", account=account_id, known=account.customer_id, customer=customer_id)
                raise TwoCustomersError(customer_id, account)
            account.customer_id = customer_id
        log.info("customer_known_again", customer=customer_id, account=account_id)
        return True

    async def _note(self, event: StripeEvent | None) -> bool:
        """Keeps an event that is about nobody here: others may sell with the same account at Stripe."""
        if event is not None:
            async with self.database.write() as session:
                if await session.get(StripeEvent, event.id) is None:
                    session.add(_copy(event))
        return False


async def _receive(session: Session, account_id: str, paid: Paid, now: datetime) -> None:
    payment = Payment(
        id=paid.id,
        account_id=account_id,
        kind=paid.kind,
        description=paid.description,
        credits=paid.credits,
        amount=paid.amount,
        currency=paid.currency,
        invoice_url=paid.url,
        created_at=paid.paid_at,
    )
    if await ledger.receive(session, payment, now, period=paid.period):
        log.info("payment_received", payment=paid.id, kind=paid.kind, amount=paid.amount, currency=paid.currency)
    await ledger.reverse(session, paid.id, paid.amount_refunded, now)


async def _keep_subscription(session: Session, account_id: str, now: Subscribed, *, is_ours: bool) -> None:
    """Not one that never was for a plan: the same customer may be sold other things at Stripe."""
    kept = await session.get(Subscription, now.id)
    if kept is None and now.plan is None and not is_ours:
        return
    if kept is None:
        kept = Subscription(id=now.id, account_id=account_id, status=now.status, created_at=now.created_at)
        session.add(kept)
    kept.status, kept.plan, kept.ends_with_period = now.status, now.plan, now.ends_with_period


async def _keep_period(session: Session, paid: PaidPeriod) -> None:
    """The latest period that was paid for, in whatever order they are told."""
    kept = await session.get_one(Subscription, paid.subscription_id)
    if kept.period_start is None or kept.period_start <= paid.start:
        kept.paid_plan, kept.period_start, kept.period_end = paid.plan, paid.start, paid.end


async def _follow_subscriptions(session: Session, plans: Plans, account_id: str) -> None:
    """The plan is that of the largest subscription that is paid; after the last one, the one to start on."""
    found = await session.execute(
        select(col(Subscription.paid_plan)).where(
            col(Subscription.account_id) == account_id,
            col(Subscription.status).in_(LIVE_STATUSES),
            col(Subscription.paid_plan).is_not(None),
        )
    )
    paid = sorted(found.scalars().all(), key=lambda plan: limits_of(plans, plan or "").monthly_credits)
    account = await ledger.lock_account(session, account_id)
    if paid and paid[-1] is not None:
        account.plan, account.is_plan_paid = paid[-1], True
    elif account.is_plan_paid:
        account.plan, account.is_plan_paid = SMALLEST, False
    await session.flush()


async def _account_of(session: Session, customer_id: str) -> Account | None:
    found = await session.execute(select(Account).where(col(Account.customer_id) == customer_id))
    return found.scalar_one_or_none()


async def customers_who_subscribe(database: Database) -> set[str]:
    """Whoever has, as far as is known here, a subscription that has not ended."""
    async with database.read() as session:
        found = await session.execute(
            select(col(Account.customer_id))
            .join(Subscription, col(Subscription.account_id) == col(Account.id))
            .where(col(Account.customer_id).is_not(None), col(Subscription.status).not_in(ENDED_STATUSES))
        )
        return {str(customer_id) for customer_id in found.scalars()}


async def sweep(session: Session, now: datetime) -> None:
    """Deletes the events that Stripe no longer keeps, and so does not send again."""
    over = col(StripeEvent.handled_at) < now - EVENT_AGE
    await session.execute(delete(StripeEvent).where(over).execution_options(synchronize_session=False))


def _copy(event: StripeEvent) -> StripeEvent:
    """A row for this transaction: one that was rolled back keeps the object."""
    return StripeEvent(id=event.id, type=event.type, handled_at=event.handled_at)
