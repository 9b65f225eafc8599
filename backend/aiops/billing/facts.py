"""What Stripe says, fetched anew and turned into plain data. Nothing of it depends on the event that made us ask."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import stripe

from aiops.accounts.plans import Plans
from aiops.billing.gateway import (
    ACCOUNT,
    CREDITS,
    ENDED_STATUSES,
    NOT_THERE,
    PLAN,
    SUBSCRIPTIONS_MAX,
    Gateway,
    plan_of,
    translated,
)

Kind = Literal["customer", "invoice", "payment_intent", "session", "subscription"]

# A dispute takes the money at once, and gives it back if it is won. An inquiry (warning_…) takes nothing.
DISPUTES_THAT_TAKE = ("needs_response", "under_review", "appeal_needs_response", "appeal_under_review", "lost")
DISPUTES_MAX = 100


@dataclass(frozen=True, slots=True)
class Reference:
    """What an event is about; or a customer, who has subscriptions."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Paid:
    """Money that was received; `amount_refunded` of it has gone back. `kind` is pack or plan; a plan's has a period."""

    id: str
    kind: Literal["pack", "plan"]
    description: str
    credits: int
    amount: int
    currency: str
    amount_refunded: int
    paid_at: datetime
    url: str | None
    period: str | None = None


@dataclass(frozen=True, slots=True)
class PaidPeriod:
    """What a subscription's invoice was paid for."""

    subscription_id: str
    plan: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription as it is now. `plan` is what it is for from the next period on; None where that is not ours."""

    id: str
    status: str
    plan: str | None
    ends_with_period: bool
    created_at: datetime


@dataclass(slots=True)
class Facts:
    payments: list[Paid] = field(default_factory=list)
    periods: list[PaidPeriod] = field(default_factory=list)
    subscriptions: list[Subscribed] = field(default_factory=list)


async def fetch(gateway: Gateway, plans: Plans, customer_id: str, reference: Reference) -> Facts:
    """All that follows from what a reference names; nothing, where it is not this customer's or not there.

    Raises:
        PaymentsError: Stripe cannot be asked.
    """
    fetcher = _Fetcher(gateway, plans, customer_id)
    with translated():
        try:
            await fetcher.fetch(reference)
        except stripe.InvalidRequestError as error:
            if error.http_status != NOT_THERE:
                raise
    return fetcher.facts


async def customer_of(gateway: Gateway, payment_intent_id: str) -> str | None:
    """Who has paid."""
    with translated():
        return _id_of((await gateway.api.payment_intents.retrieve_async(payment_intent_id)).customer)


async def account_of(gateway: Gateway, customer_id: str) -> str | None:
    """The id of the account that a customer was made for, by its metadata: of one that was deleted there are none."""
    with translated():
        try:
            customer = await gateway.api.customers.retrieve_async(customer_id)
        except stripe.InvalidRequestError as error:
            if error.http_status != NOT_THERE:
                raise
            return None
    account_id = (customer.to_dict().get("metadata") or {}).get(ACCOUNT)
    return account_id if isinstance(account_id, str) else None


class _Fetcher:
    def __init__(self, gateway: Gateway, plans: Plans, customer_id: str) -> None:
        self.api = gateway.api
        self.plans = plans
        self.customer_id = customer_id
        self.facts = Facts()

    async def fetch(self, reference: Reference) -> None:
        fetch = {
            "customer": self._customer,
            "invoice": self._invoice,
            "payment_intent": self._payment_intent,
            "session": self._session,
            "subscription": self._subscription,
        }
        await fetch[reference.kind](reference.id)

    async def _session(self, session_id: str) -> None:
        session = await self.api.checkout.sessions.retrieve_async(session_id)
        if _id_of(session.customer) != self.customer_id:
            return
        if session.mode == "payment" and (payment_intent := _id_of(session.payment_intent)):
            await self._payment_intent(payment_intent)
        elif session.mode == "subscription" and (invoice := _id_of(session.invoice)):
            await self._invoice(invoice)

    async def _customer(self, customer_id: str) -> None:
        """All subscriptions, with what the present period of each was paid for."""
        found = await self.api.subscriptions.list_async(
            {"customer": customer_id, "status": "all", "limit": SUBSCRIPTIONS_MAX}
        )
        for now in found.data:
            self._note(now)
            if now.status not in ENDED_STATUSES and (invoice := _id_of(now.latest_invoice)):
                await self._invoice(invoice)

    async def _subscription(self, subscription_id: str) -> None:
        if all(one.id != subscription_id for one in self.facts.subscriptions):
            self._note(await self.api.subscriptions.retrieve_async(subscription_id))

    def _note(self, now: stripe.Subscription) -> None:
        if _id_of(now.customer) != self.customer_id:
            return
        ends = now.cancel_at_period_end or now.cancel_at is not None
        self.facts.subscriptions.append(Subscribed(now.id, now.status, plan_of(now), ends, _moment(now.created)))

    async def _payment_intent(self, payment_intent_id: str) -> None:
        """A pack's payment says so itself; any other may be that of an invoice."""
        intent = await self.api.payment_intents.retrieve_async(payment_intent_id, {"expand": ["latest_charge"]})
        if _id_of(intent.customer) != self.customer_id:
            return
        credits_ = intent.metadata.to_dict().get(CREDITS, "")
        if not credits_.isdecimal():
            await self._invoices_paid_by(payment_intent_id)
        elif intent.status == "succeeded" and isinstance(intent.latest_charge, stripe.Charge):
            charge = intent.latest_charge
            self.facts.payments.append(
                Paid(
                    id=intent.id,
                    kind="pack",
                    description=f"{int(credits_):,} credits",
                    credits=int(credits_),
                    amount=intent.amount_received,
                    currency=intent.currency,
                    amount_refunded=await self._gone_back(intent.id, charge),
                    paid_at=_moment(charge.created),
                    url=charge.receipt_url,
                )
            )

    async def _invoices_paid_by(self, payment_intent_id: str) -> None:
        found = await self.api.invoice_payments.list_async(
            {"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}}
        )
        for payment in found.data:
            if (invoice := _id_of(payment.invoice)) is not None:
                await self._invoice(invoice)

    async def _invoice(self, invoice_id: str) -> None:
        invoice = await self.api.invoices.retrieve_async(invoice_id, {"expand": ["payments"]})
        details = invoice.parent.subscription_details if invoice.parent else None
        subscription_id = _id_of(details.subscription) if details else None
        if subscription_id is None or _id_of(invoice.customer) != self.customer_id:
            return
        await self._subscription(subscription_id)
        line = _line_of_plan(invoice)
        if invoice.status != "paid" or line is None:
            return
        plan, credits_ = await self._plan_of(line)
        if plan is None:
            return
        start, end = _moment(line.period.start), _moment(line.period.end)
        self.facts.periods.append(PaidPeriod(subscription_id, plan, start, end))
        self.facts.payments.append(
            Paid(
                id=invoice.id,
                kind="plan",
                description=f"{plan} plan, {start:%-d %b %Y} to {end:%-d %b %Y}",
                credits=credits_,
                amount=invoice.amount_paid,
                currency=invoice.currency,
                amount_refunded=await self._gone_back_of(invoice),
                paid_at=_moment(invoice.status_transitions.paid_at or invoice.created),
                url=invoice.hosted_invoice_url,
                period=f"{start:%Y-%m-%dT%H:%M:%SZ} {plan} {subscription_id}",
            )
        )

    async def _plan_of(self, line: stripe.InvoiceLineItem) -> tuple[str | None, int]:
        """The plan of a line, and its credits: those of the plans file, or once it has left that, those it was sold
        with."""
        assert line.pricing is not None
        assert line.pricing.price_details is not None
        price_id = _id_of(line.pricing.price_details.price)
        assert price_id is not None
        metadata = (await self.api.prices.retrieve_async(price_id)).metadata.to_dict()
        plan, sold_with = metadata.get(PLAN), metadata.get(CREDITS, "")
        if plan in self.plans:
            return plan, self.plans[plan].monthly_credits
        return (plan, int(sold_with)) if sold_with.isdecimal() else (None, 0)

    async def _gone_back_of(self, invoice: stripe.Invoice) -> int:
        total = 0
        for payment in invoice.payments.data if invoice.payments else ():
            intent_id = _id_of(payment.payment.payment_intent)
            if payment.status == "paid" and intent_id is not None:
                intent = await self.api.payment_intents.retrieve_async(intent_id, {"expand": ["latest_charge"]})
                if isinstance(intent.latest_charge, stripe.Charge):
                    total += await self._gone_back(intent.id, intent.latest_charge)
        return total

    async def _gone_back(self, payment_intent_id: str, charge: stripe.Charge) -> int:
        """What was refunded, and what disputes have taken."""
        if not charge.disputed:
            return charge.amount_refunded
        disputes = await self.api.disputes.list_async({"payment_intent": payment_intent_id, "limit": DISPUTES_MAX})
        taken = sum(one.amount for one in disputes.data if _takes(one))
        return min(charge.amount_refunded + taken, charge.amount)


def _takes(dispute: stripe.Dispute) -> bool:
    """Whether a dispute has the money. One that was prevented has it if it was resolved by giving the money back, and
    not if it was blocked (https://docs.stripe.com/radar/rules/disputes)."""
    if dispute.status == "prevented":
        card = dispute.payment_method_details.card if dispute.payment_method_details else None
        return card is not None and card.case_type == "resolution"
    return dispute.status in DISPUTES_THAT_TAKE


def _line_of_plan(invoice: stripe.Invoice) -> stripe.InvoiceLineItem | None:
    """The line of the period that is paid for: not one that settles an earlier period."""
    return next((line for line in _plan_lines(invoice.lines.data)), None)


def _plan_lines(lines: Iterable[stripe.InvoiceLineItem]) -> Iterable[stripe.InvoiceLineItem]:
    for line in lines:
        details = line.parent.subscription_item_details if line.parent else None
        if details is not None and not details.proration and line.pricing and line.pricing.price_details:
            yield line


def _id_of(thing: object) -> str | None:
    """The id of what Stripe names by its id, or whole where it was asked to."""
    if thing is None or isinstance(thing, str):
        return thing
    return str(getattr(thing, "id"))  # noqa: B009 - every object of Stripe has one


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
