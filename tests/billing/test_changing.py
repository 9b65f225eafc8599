"""A subscription is changed as it was asked, charged once, and what is said of it is true."""

import asyncio
import itertools
from typing import Any

import pytest

from aiops.billing import subscriptions
from tests.fixtures.shop import Buyer, Shop
from tests.fixtures.stripe.world import DECLINED_CARD, GOOD_CARD, Object

UPGRADE = "POST /v1/subscriptions/"


async def subscriber(shop: Shop, plan: str = "pro") -> tuple[Buyer, Object]:
    ada = await shop.buyer()
    subscription = await ada.subscribe(plan)
    await shop.send()
    return ada, subscription


async def amounts(ada: Buyer) -> list[int]:
    return [payment.amount for payment in await ada.payments()]


async def test_a_cancellation_in_the_portal_is_taken_back_as_any_other(sqlite_shop: Shop) -> None:
    ada, subscription = await subscriber(sqlite_shop)
    sqlite_shop.stripe.world.cancel_in_portal(subscription)
    await sqlite_shop.send()
    assert "Go on with pro" in (await ada.person.get("/billing")).text
    await ada.choose("/billing/resume")
    assert "Your subscription goes on." in ada.person.text
    assert subscription["cancel_at"] is None
    sqlite_shop.stripe.world.renew(subscription)
    await sqlite_shop.send()
    assert await ada.state() == (1025, 0, "pro")


@pytest.mark.parametrize("way", ["here", "in the portal"])
async def test_an_upgrade_that_is_not_paid_leaves_a_cancellation_as_it_is(sqlite_shop: Shop, way: str) -> None:
    ada, subscription = await subscriber(sqlite_shop)
    if way == "here":
        await ada.choose("/billing/plan", plan="free")
        assert "for $99.00, and your subscription goes on." in (await ada.person.get("/billing")).text
    else:
        sqlite_shop.stripe.world.cancel_in_portal(subscription)
    sqlite_shop.stripe.world.cards[subscription["customer"]] = DECLINED_CARD
    await ada.choose("/billing/plan", plan="business")
    await sqlite_shop.send()
    assert "ends on" in (await ada.person.get("/billing")).text
    sqlite_shop.stripe.world.renew(subscription)
    await sqlite_shop.send()
    assert await ada.state() == (525, 0, "free")


async def test_an_upgrade_that_is_paid_takes_a_cancellation_back(sqlite_shop: Shop) -> None:
    ada, subscription = await subscriber(sqlite_shop)
    await ada.choose("/billing/plan", plan="free")
    sqlite_shop.stripe.world.cards[subscription["customer"]] = DECLINED_CARD
    invoice = await ada.choose("/billing/plan", plan="business")
    assert invoice is not None
    ada.pay(invoice, GOOD_CARD)
    sqlite_shop.stripe.world.renew(subscription)
    await sqlite_shop.send()
    assert await ada.state() == (10_525, 0, "business")


async def test_a_subscription_that_was_cancelled_in_the_portal_goes_on_before_it_is_upgraded(sqlite_shop: Shop) -> None:
    """A moment at which it ends does not wait for a payment, as the end of the period does."""
    ada, subscription = await subscriber(sqlite_shop)
    sqlite_shop.stripe.world.cancel_in_portal(subscription)
    assert await ada.choose("/billing/plan", plan="business") is None
    assert "Choose to go on with it first, then upgrade." in ada.person.text
    await ada.choose("/billing/resume")
    await ada.choose("/billing/plan", plan="business")
    assert await amounts(ada) == [1900, 9900]


def at_once(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Has so many upgrades wait for one another, once each has seen how the subscription is."""
    upgrade, all_of_them = subscriptions._upgrade, asyncio.Barrier(times)

    async def upgrade_together(*arguments: Any) -> tuple[str, str | None]:
        await all_of_them.wait()
        return await upgrade(*arguments)

    monkeypatch.setattr(subscriptions, "_upgrade", upgrade_together)


@pytest.mark.parametrize("way", ["here", "in the portal"])
async def test_a_downgrade_takes_a_cancellation_back(sqlite_shop: Shop, way: str) -> None:
    ada, subscription = await subscriber(sqlite_shop, "business")
    if way == "here":
        await ada.choose("/billing/plan", plan="free")
    else:
        sqlite_shop.stripe.world.cancel_in_portal(subscription)
    await ada.choose("/billing/plan", plan="pro")
    sqlite_shop.stripe.world.renew(subscription)
    await sqlite_shop.send()
    assert await ada.state() == (5525, 0, "pro")


async def test_upgrades_that_are_asked_for_at_the_same_moment_are_one(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has seen that there is none yet."""
    ada, _ = await subscriber(sqlite_shop)
    at_once(monkeypatch, 3)
    answers = await ada.choose_at_once(3, "/billing/plan", plan="business")
    assert ["Your plan is changed." in answer.text for answer in answers] == [True] * 3
    await sqlite_shop.send()
    assert await ada.state() == (5525, 0, "business")
    assert await amounts(ada) == [1900, 9900]


async def test_an_upgrade_whose_answer_is_lost_is_charged_once_and_told_truly(sqlite_shop: Shop) -> None:
    ada, _ = await subscriber(sqlite_shop)
    fault = sqlite_shop.stripe.fault
    fault.calls, fault.status, fault.only, fault.is_late = 3, 0, UPGRADE, True
    assert await ada.choose("/billing/plan", plan="business") is None
    assert "It is not known yet whether this worked" in ada.person.text
    assert "Nothing was charged" not in ada.person.text
    assert await ada.choose("/billing/plan", plan="business") is None
    assert "Your plan is changed." in ada.person.text
    await sqlite_shop.send()
    assert await ada.state() == (5525, 0, "business")
    assert await amounts(ada) == [1900, 9900]


@pytest.mark.parametrize(("status", "told"), [(500, "It is not known yet whether this worked"), (402, "declined")])
@pytest.mark.parametrize("times", [1, 3])
async def test_an_upgrade_that_has_failed_can_be_asked_for_again(
    sqlite_shop: Shop, status: int, told: str, times: int
) -> None:
    """Stripe answers a key for a day as it did the first time, errors too."""
    ada, _ = await subscriber(sqlite_shop)
    fault = sqlite_shop.stripe.fault
    for _ in range(times):
        fault.calls, fault.status, fault.only = 1, status, UPGRADE
        assert await ada.choose("/billing/plan", plan="business") is None
        assert told in ada.person.text
    await ada.choose("/billing/plan", plan="business")
    assert "Your plan is changed." in ada.person.text
    await sqlite_shop.send()
    assert await ada.state() == (5525, 0, "business")
    assert await amounts(ada) == [1900, 9900]


async def test_an_upgrade_that_has_failed_can_be_asked_for_after_a_cancellation(sqlite_shop: Shop) -> None:
    ada, _ = await subscriber(sqlite_shop)
    fault = sqlite_shop.stripe.fault
    fault.calls, fault.status, fault.only = 1, 500, UPGRADE
    await ada.choose("/billing/plan", plan="business")
    await ada.choose("/billing/plan", plan="free")
    await ada.choose("/billing/plan", plan="business")
    assert "Your plan is changed." in ada.person.text
    await sqlite_shop.send()
    assert await amounts(ada) == [1900, 9900]


@pytest.mark.parametrize("status", [409, 429, 503])
async def test_an_answer_that_does_not_come_of_the_upgrade_itself_begins_no_other(
    sqlite_shop: Shop, status: int
) -> None:
    """The upgrade of somebody else may be under way; a second key would charge a second time."""
    ada, subscription = await subscriber(sqlite_shop)
    fault = sqlite_shop.stripe.fault
    fault.calls, fault.status, fault.only = 3, status, UPGRADE
    await ada.choose("/billing/plan", plan="business")
    fault.calls = 0
    assert subscription["metadata"].keys() == {"aiops_account"}
    assert "It is not known yet whether this worked" in ada.person.text


@pytest.mark.parametrize("is_noted", [True, False], ids=["noted", "not noted"])
async def test_upgrades_that_fail_at_the_same_moment_are_one(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch, is_noted: bool
) -> None:
    """Where it cannot be noted that they have failed, the next to ask are told the same, and note it."""
    ada, _ = await subscriber(sqlite_shop)
    at_once(monkeypatch, 3)
    fault = sqlite_shop.stripe.fault
    fault.calls, fault.status, fault.only = (1 if is_noted else 100), 402, UPGRADE
    for _ in range(1 if is_noted else 2):
        answers = await ada.choose_at_once(3, "/billing/plan", plan="business")
        assert ["declined" in answer.text for answer in answers] == [True] * 3
        fault.calls = 0
    answers = await ada.choose_at_once(3, "/billing/plan", plan="business")
    assert ["Your plan is changed." in answer.text for answer in answers] == [True] * 3
    await sqlite_shop.send()
    assert await amounts(ada) == [1900, 9900]


async def test_upgrades_to_different_plans_at_the_same_moment_are_charged_once(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = sqlite_shop.service.runtime
    monkeypatch.setitem(runtime.plans, "enterprise", runtime.plans["business"])
    monkeypatch.setitem(runtime.prices.plans, "enterprise", 19900)
    ada, _ = await subscriber(sqlite_shop)
    at_once(monkeypatch, 2)
    business, enterprise = await asyncio.gather(
        *(ada.choose_at_once(1, "/billing/plan", plan=plan) for plan in ("business", "enterprise"))
    )
    under_way = "Another change of your subscription is under way. Look at your plan again in a minute."
    assert sorted(under_way in answer.text for answer in business + enterprise) == [False, True]
    await sqlite_shop.send()
    assert len(await amounts(ada)) == 2


async def test_an_upgrade_that_was_paid_is_not_told_as_a_failure(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe is away from the moment at which it has charged."""
    ada, _ = await subscriber(sqlite_shop)
    change_price = subscriptions.change_price

    async def change_and_fail(*arguments: Any, **options: Any) -> tuple[str, str | None]:
        done = await change_price(*arguments, **options)
        sqlite_shop.stripe.fault.calls = 100
        return done

    monkeypatch.setattr(subscriptions, "change_price", change_and_fail)
    assert await ada.choose("/billing/plan", plan="business") is None
    assert "Your plan is changed." in ada.person.text
    assert "Nothing was charged" not in ada.person.text
    sqlite_shop.stripe.fault.calls = 0
    await sqlite_shop.send()
    assert await ada.state() == (5525, 0, "business")
    assert await amounts(ada) == [1900, 9900]


async def test_an_upgrade_that_waits_for_its_payment_is_not_asked_for_again(sqlite_shop: Shop) -> None:
    ada, subscription = await subscriber(sqlite_shop)
    sqlite_shop.stripe.world.cards[subscription["customer"]] = DECLINED_CARD
    first = await ada.choose("/billing/plan", plan="business")
    second = await ada.choose("/billing/plan", plan="business")
    assert first is not None
    assert first == second
    ada.pay(first, GOOD_CARD)
    assert await ada.choose("/billing/plan", plan="business") is None
    await sqlite_shop.send()
    assert await ada.state() == (5525, 0, "business")
    assert await amounts(ada) == [1900, 9900]


async def test_a_smaller_plan_is_not_charged_although_nobody_has_told_of_the_larger_one(sqlite_shop: Shop) -> None:
    """What is paid is not known: the latest invoice is that of an upgrade which waits for its payment."""
    ada = await sqlite_shop.buyer()
    subscription = await ada.subscribe("business")
    subscription["latest_invoice"] = sqlite_shop.stripe.world.open_invoice(subscription)["id"]
    await ada.choose("/billing/plan", plan="pro")
    assert [one["status"] for one in sqlite_shop.stripe.world.all("in")] == ["open", "paid"]
    await sqlite_shop.send()
    assert await ada.state() == (5025, 0, "business")


async def test_a_smaller_plan_is_not_charged_although_the_larger_one_is_not_sold_any_more(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has it keeps it; it has no price here to be compared with."""
    ada, subscription = await subscriber(sqlite_shop, "business")
    monkeypatch.delitem(sqlite_shop.service.runtime.prices.plans, "business")
    offered = (await ada.person.get("/billing")).text
    assert await ada.choose("/billing/plan", plan="pro") is None
    await sqlite_shop.send()
    assert await amounts(ada) == [9900]
    assert "Change to pro on" in offered
    assert await ada.state() == (5025, 0, "business")
    sqlite_shop.stripe.world.renew(subscription)
    await sqlite_shop.send()
    assert await ada.state() == (5525, 0, "pro")


async def test_a_larger_plan_is_an_upgrade_although_the_smaller_one_is_not_sold_any_more(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = await subscriber(sqlite_shop)
    monkeypatch.delitem(sqlite_shop.service.runtime.prices.plans, "pro")
    await ada.choose("/billing/plan", plan="business")
    await sqlite_shop.send()
    assert await amounts(ada) == [1900, 9900]
    assert await ada.state() == (5525, 0, "business")


async def test_changes_to_and_fro_are_each_done(sqlite_shop: Shop) -> None:
    """No answer of a change before stands for that of a later one."""
    ada, subscription = await subscriber(sqlite_shop, "business")
    for plan in ("pro", "business", "pro", "business", "pro"):
        await ada.choose("/billing/plan", plan=plan)
        assert subscription["items"]["data"][0]["price"]["metadata"]["aiops_plan"] == plan
    assert await amounts(ada) == [9900]


async def test_who_pays_two_pages_at_once_is_told_and_can_end_both(sqlite_shop: Shop) -> None:
    """As an operator can do it at Stripe; of our own pages only one can be paid."""
    ada, first = await subscriber(sqlite_shop)
    world = sqlite_shop.stripe.world
    ways = {"success_url": "http://aiops.test/", "cancel_url": "http://aiops.test/"}
    line = {"quantity": 1, "price": first["items"]["data"][0]["price"]["id"]}
    asked = {"mode": "subscription", "line_items": [line], "subscription_data": {}, **ways}
    world.pay(world.make_session({**asked, "customer": first["customer"]}))
    await sqlite_shop.send()
    assert await ada.state() == (1025, 0, "pro")
    assert "You have 2 subscriptions at once" in (await ada.person.get("/billing")).text
    await ada.choose("/billing/plan", plan="free")
    await ada.choose("/billing/resume")
    assert "subscriptions at once" not in (await ada.person.get("/billing")).text
    second, _ = world.all("sub")
    assert (first["cancel_at_period_end"], second["cancel_at_period_end"]) == (True, False)
    await ada.choose("/billing/plan", plan="free")
    for one in (first, second):
        world.renew(one)
    await sqlite_shop.send()
    assert await ada.state() == (1025, 0, "free")


async def test_what_else_a_customer_subscribes_to_at_stripe_is_let_alone(sqlite_shop: Shop) -> None:
    """An operator may sell them something that aiops knows nothing of."""
    ada, ours = await subscriber(sqlite_shop)
    world = sqlite_shop.stripe.world
    world.renew(ours)
    world.end(ours)
    price = world.make_price({"currency": "usd", "unit_amount": 700, "product_data": {"name": "a newsletter"}})
    ways = {"success_url": "http://aiops.test/", "cancel_url": "http://aiops.test/"}
    asked = {"mode": "subscription", "line_items": [{"quantity": 1, "price": price["id"]}], "subscription_data": {}}
    world.pay(world.make_session({**asked, **ways, "customer": ours["customer"]}))
    theirs = world.all("sub")[0]
    await sqlite_shop.send()
    assert await ada.state() == (1025, 0, "free")
    await ada.choose("/billing/plan", plan="free")
    assert "There is no subscription to be changed." in ada.person.text
    await ada.subscribe("business")
    await sqlite_shop.send()
    assert await ada.state() == (6025, 0, "business")
    assert "subscriptions at once" not in (await ada.person.get("/billing")).text
    await ada.choose("/billing/plan", plan="free")
    assert not theirs["cancel_at_period_end"]
    assert theirs["items"]["data"][0]["price"] == price


async def test_cancelling_ends_a_subscription_that_nobody_has_told_of_yet(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    subscription = await ada.subscribe("pro")
    await ada.choose("/billing/plan", plan="free")
    assert subscription["cancel_at_period_end"]
    await sqlite_shop.send()
    assert await ada.state() == (525, 0, "pro")


async def test_who_has_just_subscribed_is_led_to_no_second_page(sqlite_shop: Shop) -> None:
    """Their subscription is there, but no event has told of it."""
    ada = await sqlite_shop.buyer()
    await ada.subscribe("pro")
    assert await ada.choose("/billing/plan", plan="pro") is None
    assert "Your plan is changed." in ada.person.text
    assert len(sqlite_shop.stripe.world.all("cs")) == 1
    assert await ada.state() == (525, 0, "pro")


async def test_of_pages_to_subscribe_that_are_made_at_once_one_can_be_paid(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    await ada.choose_at_once(4, "/billing/plan", plan="pro")
    statuses = [one["status"] for one in sqlite_shop.stripe.world.all("cs")]
    assert sorted(statuses) == ["expired", "expired", "expired", "open"]


async def test_a_page_that_is_paid_while_another_is_made_ends_that_one(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await sqlite_shop.buyer()
    first = await ada.choose("/billing/plan", plan="pro")
    assert first is not None
    make_session, is_second = sqlite_shop.stripe.world.make_session, itertools.count()

    def make_while_the_first_is_paid(asked: Object) -> Object:
        if not next(is_second):
            ada.pay(first)
        return make_session(asked)

    monkeypatch.setattr(sqlite_shop.stripe.world, "make_session", make_while_the_first_is_paid)
    assert await ada.choose("/billing/plan", plan="business") is None
    assert "You have subscribed a moment ago." in ada.person.text
    assert [one["status"] for one in sqlite_shop.stripe.world.all("cs")] == ["expired", "complete"]
