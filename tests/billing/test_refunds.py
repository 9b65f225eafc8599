"""Credits follow the money: what goes back takes its credits along, as far as they are there."""

import asyncio

import pytest

from aiops.providers.base import Call
from tests.fixtures.service import IMAGE, until
from tests.fixtures.shop import Buyer, Shop


async def test_a_refund_takes_its_credits(shop: Shop) -> None:
    ada = await shop.buyer()
    payment = await ada.buy(100)
    await shop.send()
    shop.stripe.world.refund(payment, 200)
    await shop.send()
    assert await ada.state() == (85, 0, "free")
    shop.stripe.world.refund(payment, 300)
    await shop.send()
    assert await ada.state() == (25, 0, "free")
    assert await ada.entries() == [("grant", 25), ("purchase", 100), ("adjustment", -40), ("adjustment", -60)]


async def test_what_was_spent_is_owed_and_taken_from_what_comes_next(shop: Shop) -> None:
    ada = await shop.buyer()
    payment = await ada.buy(100)
    await shop.send()
    await ada.spend(115)
    shop.stripe.world.refund(payment, 500)
    await shop.send()
    assert await ada.state() == (0, 90, "free")
    assert (
        "90 credits of payments that were returned had been spent already." in (await ada.person.get("/billing")).text
    )
    await ada.buy(500)
    await shop.send()
    assert await ada.state() == (410, 0, "free")
    assert (await ada.entries())[-2:] == [("purchase", 500), ("adjustment", -90)]


async def test_what_is_owed_is_taken_from_a_grant_as_well(shop: Shop) -> None:
    ada = await shop.buyer()
    payment = await ada.buy(100)
    await shop.send()
    await ada.spend(125)
    shop.stripe.world.refund(payment, 500)
    await shop.send()
    assert await ada.state() == (0, 100, "free")
    shop.service.clock.advance(days=32)
    await ada.person.sign_in()
    await ada.person.get("/billing")
    assert await ada.state() == (0, 75, "free")


@pytest.mark.parametrize("prefer", ["wait", "respond-async"])
async def test_what_is_owed_is_taken_from_what_a_failed_job_gives_back(shop: Shop, prefer: str) -> None:
    ada = await shop.buyer()
    payment = await ada.buy(100)
    await shop.send()
    await ada.spend(118)
    provider, client = shop.service.provider, await ada.client()
    begun, broken = asyncio.Event(), asyncio.Event()

    async def break_down(_call: Call) -> None:
        begun.set()
        await broken.wait()
        raise RuntimeError("the provider is broken")

    provider.behave = break_down
    headers = {"Prefer": prefer} if prefer == "respond-async" else {}
    call = asyncio.create_task(client.post(IMAGE, json={"prompt": "a boat"}, headers=headers))
    await begun.wait()
    shop.stripe.world.refund(payment, 15)
    await shop.send()
    assert await ada.state() == (0, 1, "free")
    broken.set()
    answer = await call
    if prefer == "wait":
        assert (answer.status_code, answer.json()["credits"]) == (500, 4)
    await until(lambda: has_come_back(ada))
    assert await ada.state() == (4, 0, "free")
    assert (await ada.entries())[-3:] == [("adjustment", -2), ("release", 5), ("adjustment", -1)]


async def has_come_back(ada: Buyer) -> bool:
    return (await ada.account()).held == 0


async def test_a_refund_that_fails_gives_the_credits_back(shop: Shop) -> None:
    ada = await shop.buyer()
    payment = await ada.buy(100)
    refund = shop.stripe.world.refund(payment, 500)
    await shop.send()
    assert await ada.state() == (25, 0, "free")
    shop.stripe.world.fail_refund(refund)
    await shop.send()
    assert await ada.state() == (125, 0, "free")


async def test_a_refund_that_is_told_of_before_its_purchase(shop: Shop) -> None:
    ada = await shop.buyer()
    payment = await ada.buy(100)
    shop.stripe.world.refund(payment, 250)
    completed, refunded = shop.stripe.unsent()
    await shop.send([refunded])
    assert await ada.state() == (75, 0, "free")
    await shop.send([completed])
    assert await ada.state() == (75, 0, "free")


async def test_a_refund_of_a_period_takes_the_credits_of_that_period(shop: Shop) -> None:
    ada = await shop.buyer()
    subscription = await ada.subscribe("pro")
    shop.stripe.world.renew(subscription)
    await shop.send()
    shop.stripe.world.refund(shop.stripe.world.all("pi")[-1], 950)
    await shop.send()
    assert await ada.state() == (775, 0, "pro")


@pytest.mark.parametrize(
    ("opened_as", "closed_as", "meanwhile", "in_the_end"),
    [
        pytest.param("needs_response", "won", 25, 125, id="won"),
        pytest.param("needs_response", "lost", 25, 25, id="lost"),
        pytest.param("warning_needs_response", "warning_closed", 125, 125, id="an inquiry takes nothing"),
        pytest.param("appeal_needs_response", "won", 25, 125, id="an appeal is won"),
        pytest.param("appeal_under_review", "lost", 25, 25, id="an appeal is lost"),
    ],
)
async def test_a_dispute_takes_the_credits_while_it_has_the_money(
    sqlite_shop: Shop, opened_as: str, closed_as: str, meanwhile: int, in_the_end: int
) -> None:
    ada = await sqlite_shop.buyer()
    payment = await ada.buy(100)
    dispute = sqlite_shop.stripe.world.dispute(payment, opened_as)
    await sqlite_shop.send()
    assert await ada.state() == (meanwhile, 0, "free")
    sqlite_shop.stripe.world.close_dispute(dispute, closed_as)
    await sqlite_shop.send()
    assert await ada.state() == (in_the_end, 0, "free")


@pytest.mark.parametrize(("case_type", "left"), [("resolution", 25), ("block", 125)])
async def test_a_dispute_that_is_prevented_takes_the_credits_if_the_money_was_given_back_for_it(
    sqlite_shop: Shop, case_type: str, left: int
) -> None:
    ada = await sqlite_shop.buyer()
    payment = await ada.buy(100)
    await sqlite_shop.send()
    sqlite_shop.stripe.world.dispute(payment, "prevented", case_type)
    await sqlite_shop.send()
    assert await ada.state() == (left, 0, "free")
