"""Whatever happens at Stripe, and however its events arrive, the account is the same in the end."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from aiops.billing.events import handle
from aiops.billing.prices import Pack
from aiops.billing.takeover import Takeover
from aiops.database.tables import Account, Job
from aiops.identifiers import new_id
from aiops.ledger import ledger
from tests.fixtures.service import Service, running_service
from tests.fixtures.stripe.server import StripeServer, signed_event, stripe_server
from tests.fixtures.stripe.world import DECLINED_CARD, GOOD_CARD, Object

PACK = Pack(credits=100, amount=500)
ACTS = st.lists(
    st.sampled_from(
        ("buy", "subscribe", "upgrade", "downgrade", "renew", "fail to renew", "cancel", "cancel in the portal", "end",
         "refund a part", "refund all", "fail a refund", "dispute", "win", "lose", "spend", "spend all",
         "begin a job", "fail a job")
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip
COST = 20  # of a job
SPENT = 120  # more than the credits to begin with, less than a pack and those


Draw = Callable[[list[Object], bool], list[Object]]  # which of those that wait arrive now; or all


class Play:
    """What happens at Stripe to one customer, act by act; what cannot happen at the moment does not."""

    def __init__(self, stripe: StripeServer, customer: str, account_id: str) -> None:
        self.stripe, self.world = stripe, stripe.world
        self.customer, self.account_id = customer, account_id
        self.prices = {
            plan: self._price(plan, amount, credits_)
            for plan, amount, credits_ in (("pro", 1900, 500), ("business", 9900, 5000))
        }

    def act(self, name: str) -> None:
        self.world.cards[self.customer] = GOOD_CARD
        subscriptions = [one for one in self.world.all("sub") if one["status"] != "canceled"]
        self._of_payments(name)
        if subscriptions:
            self._of_subscription(name, subscriptions[0])
        elif name == "subscribe":
            line = {"quantity": 1, "price": self.prices["pro"]["id"]}
            self._pay({"mode": "subscription", "line_items": [line], "subscription_data": {}})

    def _of_subscription(self, name: str, subscription: Object) -> None:
        match name:
            case "upgrade":
                at_once = {"billing_cycle_anchor": {"type": "now"}, "payment_behavior": "pending_if_incomplete"}
                self._change_price(subscription, "business", at_once)
            case "downgrade":
                self._change_price(subscription, "pro", {})
            case "renew":
                self.world.renew(subscription)
            case "fail to renew":
                self.world.cards[self.customer] = DECLINED_CARD
                self.world.renew(subscription)
            case "cancel":
                self.world.update_subscription(subscription, {"cancel_at_period_end": True})
            case "cancel in the portal":
                self.world.cancel_in_portal(subscription)
            case "end":
                self.world.end(subscription)

    def _of_payments(self, name: str) -> None:
        payments, refunds, disputes = (self.world.all(kind) for kind in ("pi", "re", "dp"))
        match name:
            case "buy":
                self._pay({"mode": "payment", "line_items": [self._line()], "payment_intent_data": self._metadata()})
            case "refund a part" if payments and self._left(payments[0]) > 100:
                self.world.refund(payments[0], 100)
            case "refund all" if payments and self._left(payments[-1]):
                self.world.refund(payments[-1], self._left(payments[-1]))
            case "fail a refund" if refunds and refunds[0]["status"] == "succeeded":
                self.world.fail_refund(refunds[0])
            case "dispute" if payments and not disputes:
                self.world.dispute(payments[0])
            case "win" | "lose" if disputes and disputes[0]["status"] == "needs_response":
                self.world.close_dispute(disputes[0], "won" if name == "win" else "lost")

    def _left(self, payment: Object) -> int:
        charge = self.world.objects[payment["latest_charge"]]
        return int(charge["amount"]) - int(charge["amount_refunded"])

    def _pay(self, asked: Object) -> None:
        ways = {"success_url": "http://aiops.test/", "cancel_url": "http://aiops.test/"}
        self.world.pay(self.world.make_session({**asked, **ways, "customer": self.customer}))

    def _change_price(self, subscription: Object, plan: str, when: Object) -> None:
        item = subscription["items"]["data"][0]["id"]
        change = {"items": [{"id": item, "price": self.prices[plan]["id"]}]}
        self.world.update_subscription(subscription, {**change, **when})

    def _line(self) -> Object:
        price = {"currency": "usd", "unit_amount": PACK.amount, "product_data": {"name": PACK.name}}
        return {"quantity": 1, "price_data": price}

    def _metadata(self) -> Object:
        return {"metadata": {"aiops_account": self.account_id, "aiops_credits": str(PACK.credits)}}

    def _price(self, plan: str, amount: int, credits_: int) -> Object:
        metadata = {"aiops_plan": plan, "aiops_credits": str(credits_)}
        product = {"name": f"{plan} plan"}
        asked = {"currency": "usd", "unit_amount": amount, "metadata": metadata, "product_data": product}
        return self.world.make_price(asked)


async def play(url: str, stripe: StripeServer, folder: Path, acts: list[str], draw: Draw) -> tuple[Any, ...]:
    """The account after these acts, if its events arrive as `draw` has them, some of them only in the end: what it has
    got and was left, and its plan. How much of that could be spent on the way depends on what had arrived by then."""
    async with running_service(folder, url, **stripe.settings) as service:
        ada = await service.customer(plan="free", credits=30)
        customer = stripe.world.make_customer({"email": "ada@example.com"})["id"]
        async with service.runtime.database.write() as session:
            (await ledger.lock_account(session, ada.id)).customer_id = customer
        at_stripe = Play(stripe, customer, ada.id)
        at_stripe.act("subscribe")
        waiting: list[Object] = []
        spent = 0
        for act in acts:
            at_stripe.act(act)
            spent += await spend(service, ada.id, act)
            await work(service, ada.id, act)
            waiting += stripe.unsent()
            arrive = draw(waiting, False)
            await take(service, arrive)
            waiting = [event for event in waiting if event not in arrive]
        await take(service, draw(waiting, True))
        await work(service, ada.id, "fail all jobs")
        assert await service.findings() == []
        async with service.runtime.database.read() as session:
            account, owed = await session.get_one(Account, ada.id), await ledger.owed(session, ada.id)
            assert not (account.credits and owed), "what is owed is taken from what is there"
            return account.credits + spent - owed, account.plan, account.is_plan_paid


async def spend(service: Service, account_id: str, act: str) -> int:
    """Spends as much as the act wants and as there is; how much that was."""
    if act not in ("spend", "spend all"):
        return 0
    async with service.runtime.database.write() as session:
        credits_ = (await ledger.lock_account(session, account_id)).credits
        amount = min(credits_, SPENT) if act == "spend" else credits_
        if amount:
            await ledger.take(session, account_id, amount, service.clock(), description="spent, for a test")
        return amount


async def work(service: Service, account_id: str, act: str) -> None:
    """Holds credits for a job, or gives back what is held, as a failure does."""
    now = service.clock()
    async with service.runtime.database.write() as session:
        account = await ledger.lock_account(session, account_id)
        if act == "begin a job" and account.credits >= COST:
            hour = now + timedelta(hours=1)
            job = Job(
                id=new_id("job"),
                account_id=account_id,
                operation_id="generate_image",
                credits=COST,
                request={},
                status="running",
                lease_until=hour,
                deadline_at=hour,
                created_at=now,
            )
            session.add(job)
            await session.flush()
            await ledger.hold(session, account_id, job.id, COST, now)
        if act in ("fail a job", "fail all jobs"):
            is_open = (col(Job.account_id) == account_id) & (col(Job.status) == "running")
            jobs = (await session.execute(select(Job).where(is_open).order_by(col(Job.created_at)))).scalars().all()
            for job in jobs[: 1 if act == "fail a job" else None]:
                job.status, job.lease_until, job.finished_at = "failed", None, now
                await session.flush()
                await ledger.release(session, account_id, job.id, COST, now)


async def take(service: Service, events: list[Object]) -> None:
    runtime = service.runtime
    assert runtime.payments is not None
    takeover = Takeover(runtime.database, runtime.payments, runtime.plans)
    for event in events:
        body, headers = signed_event(event)
        await handle(takeover, runtime.payments.event(body, headers["Stripe-Signature"]), runtime.clock())


# An example starts two servers: what fails is told as it was found, since making it smaller would take many minutes.
SETTINGS = settings(suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate))


def check(fresh: Callable[[], AbstractContextManager[str]], acts: list[str], data: st.DataObject) -> None:
    def in_turn(waiting: list[Object], _is_all: bool) -> list[Object]:
        return list(waiting)

    def somehow(waiting: list[Object], is_all: bool) -> list[Object]:
        """Some, in any order, some of them twice or thrice; in the end, each of them."""
        some = data.draw(st.lists(st.sampled_from(waiting), max_size=4)) if waiting else []
        return some + (data.draw(st.permutations(waiting)) if is_all else [])

    ends = []
    for draw in (in_turn, somehow):
        with stripe_server() as stripe, fresh() as url, TemporaryDirectory() as folder:
            ends.append(asyncio.run(play(url, stripe, Path(folder), acts, draw)))
    assert ends[0] == ends[1]


@settings(SETTINGS, max_examples=4)
@given(acts=ACTS, data=st.data())
def test_any_order_and_repetition_of_events_ends_in_the_same_balance(
    fresh_database: Callable[[], AbstractContextManager[str]], acts: list[str], data: st.DataObject
) -> None:
    check(fresh_database, acts, data)


@pytest.mark.long
@pytest.mark.timeout(1200)
@settings(SETTINGS, max_examples=25)
@given(acts=ACTS, data=st.data())
def test_many_orders_of_many_events_end_in_the_same_balance(
    fresh_database: Callable[[], AbstractContextManager[str]], acts: list[str], data: st.DataObject
) -> None:
    check(fresh_database, acts, data)
