"""What somebody pays for is what they get."""

import asyncio
import html
import re

import pytest

from aiops.billing.gateway import Gateway
from aiops.logs import configure_logs
from tests.fixtures.shop import Shop
from tests.fixtures.stripe.server import SECRET_KEY, WEBHOOK_SECRET
from tests.fixtures.stripe.world import DECLINED_CARD, GOOD_CARD

LOOKS_AGAIN = re.compile(r'http-equiv="refresh" content="5; url=([^"]+)"')


async def test_a_pack_is_bought(shop: Shop) -> None:
    ada = await shop.buyer()
    await ada.buy(100)
    assert await ada.state() == (25, 0, "free"), "not before Stripe says so"
    await shop.send()
    assert await ada.state() == (125, 0, "free")
    assert await ada.entries() == [("grant", 25), ("purchase", 100)]
    (payment,) = await ada.payments()
    assert (payment.kind, payment.amount, payment.currency) == ("pack", 500, "usd")


async def test_who_comes_back_from_paying_need_not_wait_for_the_event(shop: Shop) -> None:
    ada = await shop.buyer()
    await ada.buy(100)
    (session,) = shop.stripe.world.all("cs")
    await ada.person.get(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))
    assert "Thank you. What you have paid for is here." in ada.person.text
    assert await ada.state() == (125, 0, "free")
    await shop.send()
    assert await ada.state() == (125, 0, "free")


async def test_who_comes_back_without_having_paid_is_told_so(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    session = await ada.choose("/billing/buy", credits="100")
    assert session is not None
    await ada.person.get(f"/billing/paid?session_id={session['id']}")
    assert "Nothing was paid on that page, and nothing was charged." in ada.person.text
    assert 'http-equiv="refresh"' not in ada.person.text
    assert await ada.state() == (25, 0, "free")


async def test_a_payment_that_takes_its_time_is_looked_for_some_times(sqlite_shop: Shop) -> None:
    """As one from a bank account, which Stripe confirms days later."""
    ada = await sqlite_shop.buyer()
    await ada.buy(100)
    (session,) = sqlite_shop.stripe.world.all("cs")
    session["payment_status"] = "unpaid"
    address, looks = f"/billing/paid?session_id={session['id']}", 0
    while "is being confirmed" in (await ada.person.get(address)).text:
        sqlite_shop.service.clock.advance(seconds=5)
        found = LOOKS_AGAIN.search(ada.person.text)
        assert found is not None
        address, looks = html.unescape(found[1]), looks + 1
    assert looks == 24
    assert "Your payment is not confirmed yet." in ada.person.text
    assert 'http-equiv="refresh"' not in ada.person.text
    session["payment_status"] = "paid"
    await ada.person.get(address)
    assert "Thank you." in ada.person.text
    assert await ada.state() == (125, 0, "free")


@pytest.mark.parametrize("query", ["", "?session_id=", "?session_id=cs_made_up", "?session_id={CHECKOUT_SESSION_ID}"])
@pytest.mark.parametrize("is_customer", [True, False], ids=["a customer", "nobody yet"])
async def test_an_address_that_names_no_payment_is_not_waited_at(
    sqlite_shop: Shop, query: str, is_customer: bool
) -> None:
    ada = await sqlite_shop.buyer()
    if is_customer:
        await ada.buy(100)
    page = await ada.person.get(f"/billing/paid{query}")
    assert page.status_code == 404
    assert "There is no such payment" in ada.person.text
    assert 'http-equiv="refresh"' not in ada.person.text


async def test_pages_that_ask_stripe_are_asked_so_many_times_a_minute(shop: Shop) -> None:
    ada, bob = await shop.buyer(), await shop.buyer("bob@example.com")
    shop.service.clock.begin_minute()
    answers = await ada.choose_at_once(31, "/billing/portal")
    assert sorted(answer.status_code for answer in answers) == [409] * 30 + [429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    calls = len(shop.stripe.calls)
    for action in ("/billing/buy", "/billing/plan", "/billing/resume"):
        assert await ada.choose(action, plan="pro", credits="100") is None
        assert ada.person.page is not None
        assert ada.person.page.status_code == 429
    assert (await ada.person.get("/billing/paid?session_id=cs_1")).status_code == 429
    assert (await ada.person.get("/billing")).status_code == 200, "which asks for nothing"
    assert len(shop.stripe.calls) == calls
    assert await bob.choose("/billing/buy", credits="100") is not None
    shop.service.clock.advance(minutes=2)
    assert await ada.choose("/billing/buy", credits="100") is not None


async def test_nobody_gets_what_somebody_else_has_paid_for(sqlite_shop: Shop) -> None:
    ada, bob = await sqlite_shop.buyer(), await sqlite_shop.buyer("bob@example.com")
    await bob.choose("/billing/buy", credits="500")
    await ada.buy(100)
    session = next(one for one in sqlite_shop.stripe.world.all("cs") if one["payment_status"] == "paid")
    await bob.person.get(f"/billing/paid?session_id={session['id']}")
    assert "There is no such payment" in bob.person.text
    assert await bob.state() == (25, 0, "free")


async def test_a_subscription_brings_its_plan_and_the_credits_of_each_period_that_is_paid(shop: Shop) -> None:
    ada = await shop.buyer()
    subscription = await ada.subscribe("pro")
    await shop.send()
    assert await ada.state() == (525, 0, "pro")
    shop.stripe.world.renew(subscription)
    await shop.send()
    assert await ada.state() == (1025, 0, "pro")
    shop.service.clock.advance(days=70)
    await ada.person.sign_in()
    await ada.person.get("/billing")
    assert await ada.state() == (1025, 0, "pro"), "no calendar month beside the periods that are paid"


async def test_an_upgrade_begins_a_month_at_once(shop: Shop) -> None:
    ada = await shop.buyer()
    await ada.subscribe("pro")
    await shop.send()
    assert await ada.choose("/billing/plan", plan="business") is None
    assert "Your plan is changed." in ada.person.text
    assert await ada.state() == (5525, 0, "business")
    await shop.send()
    assert await ada.state() == (5525, 0, "business")
    assert [payment.amount for payment in await ada.payments()] == [1900, 9900]


async def test_an_upgrade_that_cannot_be_paid_changes_nothing_until_it_is(shop: Shop) -> None:
    ada = await shop.buyer()
    subscription = await ada.subscribe("pro")
    await shop.send()
    shop.stripe.world.cards[subscription["customer"]] = DECLINED_CARD
    invoice = await ada.choose("/billing/plan", plan="business")
    assert invoice is not None
    await shop.send()
    assert await ada.state() == (525, 0, "pro")
    ada.pay(invoice, GOOD_CARD)
    await shop.send()
    assert await ada.state() == (5525, 0, "business")


async def test_a_double_click_on_an_upgrade_is_paid_once(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    await ada.subscribe("pro")
    await sqlite_shop.send()
    await ada.choose_at_once(3, "/billing/plan", plan="business")
    await sqlite_shop.send()
    assert await ada.state() == (5525, 0, "business")
    assert [payment.amount for payment in await ada.payments()] == [1900, 9900]


async def test_a_downgrade_waits_for_the_end_of_what_is_paid(shop: Shop) -> None:
    ada = await shop.buyer()
    subscription = await ada.subscribe("business")
    await shop.send()
    assert await ada.choose("/billing/plan", plan="pro") is None
    await shop.send()
    assert await ada.state() == (5025, 0, "business")
    assert "pro from" in " ".join((await ada.person.get("/billing")).text.split())
    shop.stripe.world.renew(subscription)
    await shop.send()
    assert await ada.state() == (5525, 0, "pro")


async def test_a_downgrade_can_be_taken_back_for_nothing(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    subscription = await ada.subscribe("business")
    await sqlite_shop.send()
    await ada.choose("/billing/plan", plan="pro")
    assert await ada.choose("/billing/plan", plan="business") is None
    assert len(await ada.payments()) == 1
    sqlite_shop.stripe.world.renew(subscription)
    await sqlite_shop.send()
    assert await ada.state() == (10_025, 0, "business")


async def test_a_cancelled_subscription_ends_with_what_is_paid_and_credits_stay(shop: Shop) -> None:
    ada = await shop.buyer()
    subscription = await ada.subscribe("pro")
    await shop.send()
    await ada.choose("/billing/plan", plan="free")
    await shop.send()
    assert await ada.state() == (525, 0, "pro")
    await ada.choose("/billing/resume")
    assert not subscription["cancel_at_period_end"]
    await ada.choose("/billing/plan", plan="free")
    shop.stripe.world.renew(subscription)
    await shop.send()
    assert await ada.state() == (525, 0, "free")
    shop.service.clock.advance(days=40)
    await ada.person.sign_in()
    await ada.person.get("/billing")
    assert await ada.state() == (550, 0, "free"), "the months of the free plan go on"


async def test_a_renewal_that_fails_brings_nothing_until_it_is_paid(shop: Shop) -> None:
    ada = await shop.buyer()
    subscription = await ada.subscribe("pro")
    await shop.send()
    shop.stripe.world.cards[subscription["customer"]] = DECLINED_CARD
    invoice = shop.stripe.world.renew(subscription)
    assert invoice is not None
    await shop.send()
    assert await ada.state() == (525, 0, "pro")
    assert "Your last payment has failed." in (await ada.person.get("/billing")).text
    await ada.choose("/billing/plan", plan="business")
    assert "Your last invoice is not paid yet." in ada.person.text
    ada.pay(invoice, GOOD_CARD)
    await shop.send()
    assert await ada.state() == (1025, 0, "pro")
    assert "Your last payment has failed." not in (await ada.person.get("/billing")).text


async def test_a_renewal_that_is_never_paid_ends_on_the_plan_to_start_on(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    subscription = await ada.subscribe("pro")
    sqlite_shop.stripe.world.cards[subscription["customer"]] = DECLINED_CARD
    sqlite_shop.stripe.world.renew(subscription)
    sqlite_shop.stripe.world.end(subscription)
    await sqlite_shop.send()
    assert await ada.state() == (525, 0, "free")


async def test_two_pages_to_subscribe_are_not_both_paid(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    first = await ada.choose("/billing/plan", plan="pro")
    second = await ada.choose("/billing/plan", plan="business")
    assert first is not None
    assert second is not None
    assert (first["status"], second["status"]) == ("expired", "open")


async def test_nothing_is_sold_to_an_address_that_is_not_confirmed(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    async with sqlite_shop.service.runtime.database.write() as session:
        account = await session.get_one(type(await ada.account()), (await ada.account()).id)
        account.is_confirmed = False
    for action, fields in (("/billing/buy", {"credits": "100"}), ("/billing/plan", {"plan": "pro"})):
        assert await ada.choose(action, **fields) is None
        assert "Confirm your e-mail address first." in ada.person.text
    assert sqlite_shop.stripe.world.all("cs") == []


async def test_what_is_not_for_sale_cannot_be_bought(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    for action, fields in (("/billing/buy", {"credits": "1000000"}), ("/billing/plan", {"plan": "platinum"})):
        assert await ada.choose(action, **fields) is None
        assert ada.person.page is not None
        assert ada.person.page.status_code in (409, 422)
    await ada.choose("/billing/resume")
    assert "There is no subscription to be changed." in ada.person.text
    await ada.choose("/billing/portal")
    assert "you have not bought anything" in ada.person.text


async def test_stripe_away_is_told_and_costs_nothing(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    sqlite_shop.stripe.fault.calls, sqlite_shop.stripe.fault.status = 100, 503
    assert await ada.choose("/billing/buy", credits="100") is None
    assert ada.person.page is not None
    assert ada.person.page.status_code == 503
    assert "Nothing was charged this time." in ada.person.text
    sqlite_shop.stripe.fault.calls = 1
    await ada.buy(100)  # the library repeats a call that failed once
    await sqlite_shop.send()
    assert await ada.state() == (125, 0, "free")


async def test_no_secret_and_no_event_is_in_the_log(sqlite_shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    configure_logs("json")  # to what is standard error now
    ada = await sqlite_shop.buyer()
    await ada.buy(100)
    sqlite_shop.stripe.fault.calls = 3
    (event,) = sqlite_shop.stripe.unsent()
    assert (await sqlite_shop.post(event)).status_code == 503
    assert (await sqlite_shop.post(event, secret="whsec_guessed")).status_code == 400
    await sqlite_shop.send([event])
    out, err = capfd.readouterr()
    assert "payment_received" in err
    assert "stripe_failed" in err
    for secret in (SECRET_KEY, WEBHOOK_SECRET, "whsec_guessed", "Bearer", "ada@example.com"):
        assert secret not in out + err


@pytest.mark.parametrize("made", ["customers", "prices"])
async def test_what_could_not_be_made_at_stripe_is_made_when_it_is_asked_for_again(
    sqlite_shop: Shop, made: str
) -> None:
    ada, fault = await sqlite_shop.buyer(), sqlite_shop.stripe.fault
    fault.calls, fault.status, fault.only = 1, 500, f"POST /v1/{made}"
    assert await ada.choose("/billing/plan", plan="pro") is None
    assert "Nothing was charged this time." in ada.person.text
    assert await ada.choose("/billing/plan", plan="pro") is not None


async def test_those_who_are_the_first_to_subscribe_at_the_same_moment_share_a_price(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, both = Gateway._price_by_key, asyncio.Barrier(2)
    looks = 0

    async def look_together(gateway: Gateway, key: str) -> str | None:
        nonlocal looks
        looks += 1
        found = await look(gateway, key)
        if looks <= 2:
            await both.wait()
        return found

    monkeypatch.setattr(Gateway, "_price_by_key", look_together)
    gateway = sqlite_shop.service.runtime.payments
    assert gateway is not None
    one, other = await asyncio.gather(*(gateway.price_of("pro", 1900, "usd", 500) for _ in range(2)))
    assert (one, looks) == (other, 3)
    assert [price["id"] for price in sqlite_shop.stripe.world.all("price")] == [one]


async def test_stripe_names_the_credits_that_a_plan_has_when_it_is_sold(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await sqlite_shop.buyer(), await sqlite_shop.buyer("bob@example.com")
    before = await ada.subscribe("pro")
    await sqlite_shop.send()
    plans = sqlite_shop.service.runtime.plans
    monkeypatch.setitem(plans, "pro", plans["pro"].model_copy(update={"monthly_credits": 400}))
    now = await bob.subscribe("pro")
    products = [sqlite_shop.stripe.world.objects[one["items"]["data"][0]["price"]["product"]] for one in (before, now)]
    assert [one["name"] for one in products] == ["pro plan, 500 credits a month", "pro plan, 400 credits a month"]
    sqlite_shop.stripe.world.renew(before)
    await sqlite_shop.send()
    assert await ada.state() == (925, 0, "pro"), "what was sold before is a subscription to the same plan"
    assert await bob.state() == (425, 0, "pro")
