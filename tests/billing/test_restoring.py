"""A database that was restored does not know who has become a customer since its backup; Stripe does."""

from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from aiops.billing.events import catch_up
from aiops.billing.takeover import Takeover
from aiops.database.tables import Account, StripeEvent
from tests.fixtures.shop import Buyer, Shop
from tests.fixtures.stripe.world import Object, World


async def restore(shop: Shop) -> None:
    """A backup from before anybody had bought anything."""
    async with shop.service.runtime.database.write() as session:
        await session.execute(update(Account).values(customer_id=None))


def takeover_of(shop: Shop) -> Takeover:
    runtime = shop.service.runtime
    assert runtime.payments is not None
    return Takeover(runtime.database, runtime.payments, runtime.plans)


async def handled(shop: Shop) -> set[str]:
    async with shop.service.runtime.database.read() as session:
        return set((await session.execute(select(col(StripeEvent.id)))).scalars())


async def test_what_was_bought_for_the_first_time_since_is_caught_up_with(shop: Shop) -> None:
    ada, bob = await shop.buyer(), await shop.buyer("bob@example.com")
    await ada.buy(100)
    subscription = await bob.subscribe("pro")
    await restore(shop)
    events = len(shop.stripe.unsent())
    done = await catch_up(takeover_of(shop), shop.service.clock(), 30)
    assert (done.events, done.customers, done.failed) == (events, 1, [])
    assert await ada.state() == (125, 0, "free")
    assert await bob.state() == (525, 0, "pro")
    assert (await bob.account()).customer_id == subscription["customer"]
    await bob.choose("/billing/plan", plan="free")
    assert subscription["cancel_at_period_end"], "it is the same subscription that is changed here"


async def test_a_subscription_whose_events_stripe_keeps_no_more_is_found(shop: Shop) -> None:
    ada = await shop.buyer()
    await ada.subscribe("pro")
    await restore(shop)
    shop.stripe.world.events.clear()
    done = await catch_up(takeover_of(shop), shop.service.clock(), 30)
    assert (done.events, done.customers, done.failed) == (0, 1, [])
    assert await ada.state() == (525, 0, "pro")


async def test_who_subscribes_to_something_else_is_not_asked_for(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    subscription = await ada.subscribe("pro")
    await restore(sqlite_shop)
    sqlite_shop.stripe.world.events.clear()
    subscription["metadata"].clear()
    subscription["items"]["data"][0]["price"]["metadata"].clear()
    sqlite_shop.stripe.calls.clear()
    done = await catch_up(takeover_of(sqlite_shop), sqlite_shop.service.clock(), 30)
    assert (done.customers, done.failed) == (0, [])
    assert sqlite_shop.stripe.calls == [("GET", "/v1/events"), ("GET", "/v1/subscriptions")]


async def test_an_event_that_comes_before_the_catching_up_is_not_lost(shop: Shop) -> None:
    ada = await shop.buyer()
    subscription = await ada.subscribe("pro")
    await restore(shop)
    before = shop.stripe.unsent()
    shop.stripe.world.renew(subscription)
    events = shop.stripe.unsent()
    assert set(await shop.send_at_once(events)) <= {200, 503}
    await shop.send(events)
    assert await ada.state() == (525, 0, "pro")
    await shop.send(before)
    assert await ada.state() == (1025, 0, "pro")


async def test_an_account_that_has_become_another_customer_is_named_and_keeps_nobody_back(shop: Shop) -> None:
    ada, bob = await shop.buyer(), await shop.buyer("bob@example.com")
    lost = (await ada.subscribe("business"))["customer"]
    await bob.buy(100)
    await restore(shop)
    before = shop.stripe.unsent()
    await ada.buy(500)
    second = shop.stripe.unsent()
    answers = {event["id"]: (await shop.post(event)).status_code for event in before}
    done = await catch_up(takeover_of(shop), shop.service.clock(), 30)
    assert done.failed == [lost], "once, of however many events"
    assert await bob.state() == (125, 0, "free")
    assert await ada.state() == (525, 0, "free")
    of_lost = {event["id"] for event in before if event["data"]["object"]["customer"] == lost}
    assert {id_ for id_, status in answers.items() if status == 503} == of_lost, "Stripe is to tell it again"
    assert await handled(shop) == {event["id"] for event in (*before, *second)} - of_lost


def is_deleted(world: World, customer: Object) -> None:
    world.delete_customer(customer)


def is_of_another_product(_: World, customer: Object) -> None:
    customer["metadata"] = {"their_user": "7"}


def is_of_an_account_that_is_not_here(_: World, customer: Object) -> None:
    customer["metadata"]["aiops_account"] = "acc_000000000000000000000000"


def names_no_account(_: World, customer: Object) -> None:
    customer["metadata"]["aiops_account"] = "ada"


@pytest.mark.parametrize(
    "change", [is_deleted, is_of_another_product, is_of_an_account_that_is_not_here, names_no_account]
)
async def test_the_customers_of_others_are_ignored(sqlite_shop: Shop, change: Callable[[World, Object], None]) -> None:
    ada: Buyer = await sqlite_shop.buyer()
    await ada.subscribe("pro")
    await restore(sqlite_shop)
    (customer,) = sqlite_shop.stripe.world.all("cus")
    change(sqlite_shop.stripe.world, customer)
    events = sqlite_shop.stripe.unsent()
    done = await catch_up(takeover_of(sqlite_shop), sqlite_shop.service.clock(), 30)
    assert (done.events, done.customers, done.failed) == (0, 0, [])
    assert await ada.state() == (25, 0, "free")
    assert await handled(sqlite_shop) == {event["id"] for event in events}
    calls = len(sqlite_shop.stripe.calls)
    await sqlite_shop.send(events)
    assert len(sqlite_shop.stripe.calls) == calls, "and are not asked for again"
