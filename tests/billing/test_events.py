"""Events come twice, late, out of order, at the same moment, or from somebody else; the account is the same."""

import asyncio
import itertools
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from aiops import request_body
from aiops.billing import facts, takeover
from aiops.billing.events import catch_up
from aiops.database.tables import StripeEvent
from aiops.web.stripe_events import PATH
from tests.fixtures.command import Run
from tests.fixtures.service import running_service
from tests.fixtures.shop import Shop
from tests.fixtures.stripe.server import StripeServer
from tests.fixtures.visitor import visitor

ORDERS = 6


async def test_an_event_that_comes_again_is_handled_once(shop: Shop) -> None:
    ada = await shop.buyer()
    await ada.buy(100)
    events = shop.stripe.unsent()
    await shop.send(events * 3)
    calls = len(shop.stripe.calls)
    await shop.send(events)
    assert len(shop.stripe.calls) == calls, "what was handled is not even asked for"
    assert await ada.state() == (125, 0, "free")
    async with shop.service.runtime.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(StripeEvent))).scalar_one() == len(events)


async def test_every_order_of_the_events_of_a_subscription_ends_alike(sqlite_shop: Shop) -> None:
    """Each order is that of a buyer of its own, to whom nothing of this has happened."""
    world, orders = sqlite_shop.stripe.world, math.factorial(8)
    for turn, number in enumerate(range(0, orders, orders // ORDERS)):
        somebody = await sqlite_shop.buyer(f"buyer{number}@example.com")
        subscription = await somebody.subscribe("pro")
        world.renew(subscription)
        world.refund(world.all("pi")[turn % 2], 1900)
        events = sqlite_shop.stripe.unsent()
        assert math.factorial(len(events)) == orders
        (order,) = itertools.islice(itertools.permutations(events), number, number + 1)
        for event in order:
            await sqlite_shop.send([event])
        assert await somebody.state() == (525, 0, "pro"), [event["type"] for event in order]


async def test_the_invoice_of_an_earlier_period_that_comes_late_does_not_bring_its_plan_back(shop: Shop) -> None:
    ada = await shop.buyer()
    await ada.subscribe("pro")
    late = shop.stripe.unsent()
    (session,) = shop.stripe.world.all("cs")
    await ada.person.get(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))
    await ada.choose("/billing/plan", plan="business")
    await shop.send()
    await shop.send(late)
    assert await ada.state() == (5525, 0, "business")


async def test_events_that_come_at_the_same_moment_are_each_handled_once(shop: Shop) -> None:
    ada = await shop.buyer()
    await ada.buy(100)
    await ada.subscribe("pro")
    events = shop.stripe.unsent()
    assert set(await shop.send_at_once(events * 3)) <= {200, 503}
    await shop.send(events)
    assert await ada.state() == (625, 0, "pro")


async def test_an_older_state_that_was_fetched_cannot_undo_a_newer_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await shop.buyer()
    subscription = await ada.subscribe("pro")
    first, *others = shop.stripe.unsent()
    await shop.send(others)
    fetch, is_first = facts.fetch, itertools.chain([True], itertools.repeat(False))

    async def fetch_and_wait(*arguments: object) -> facts.Facts:
        """While the first one holds what it has fetched, the subscription ends, and that is taken over."""
        found = await fetch(*arguments)  # type: ignore[arg-type]
        if next(is_first):
            shop.stripe.world.end(subscription)
            await shop.send()
        return found

    monkeypatch.setattr(takeover, "fetch", fetch_and_wait)
    await shop.send([first])
    assert await ada.state() == (525, 0, "free")


@pytest.mark.parametrize(
    "signed",
    [
        pytest.param({"secret": "whsec_of_somebody_else"}, id="another secret"),
        pytest.param({"timestamp": 1_700_000_000}, id="an old one again"),
    ],
)
async def test_a_forged_event_is_refused(sqlite_shop: Shop, signed: dict[str, object]) -> None:
    ada = await sqlite_shop.buyer()
    await ada.buy(100)
    for event in sqlite_shop.stripe.unsent():
        answer = await sqlite_shop.post(event, **signed)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert await ada.state() == (25, 0, "free")


async def test_an_event_that_was_changed_on_the_way_is_refused(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    await ada.buy(100)
    (event,) = sqlite_shop.stripe.unsent()
    client = visitor(sqlite_shop.service).client
    signed = (await sqlite_shop.post(event)).request
    for body, headers in (
        (signed.content.replace(b"cs_", b"cx_"), signed.headers),
        (signed.content, {}),
        (b"", signed.headers),
        (b"\xff", {"Stripe-Signature": "t=1,v1=00"}),
        (b"[]", {"Stripe-Signature": "nonsense"}),
    ):
        kept = {name: value for name, value in headers.items() if name.lower() == "stripe-signature"}
        answer = await client.post(PATH, content=body, headers=kept)
        assert answer.status_code == 400, body


async def test_what_is_signed_but_no_event_of_ours_is_taken_and_changes_nothing(sqlite_shop: Shop) -> None:
    ada = await sqlite_shop.buyer()
    thing = {"id": "cs_1", "object": "checkout.session", "customer": "cus_of_another_product"}
    event = {"id": "evt_x", "object": "event", "type": "checkout.session.completed", "data": {"object": thing}}
    for strange in (
        event,
        {**event, "type": "customer.created"},
        {**event, "data": {"object": {"id": 7}}},
        {**event, "type": "charge.refunded", "data": {"object": {"payment_intent": None}}},
    ):
        assert (await sqlite_shop.post(strange)).status_code == 200
    assert (await sqlite_shop.post({"id": "evt_y", "object": "v2.core.event"})).status_code == 400
    assert await ada.state() == (25, 0, "free")


async def test_an_event_that_is_too_large_is_not_read_to_its_end(sqlite_shop: Shop) -> None:
    client = visitor(sqlite_shop.service).client
    assert (await client.post(PATH, content=b"x" * 1_000_001)).status_code == 413


async def test_an_event_that_does_not_arrive_whole_is_waited_for_no_longer_than_a_call(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "BODY_SECONDS_MAX", 0.1)

    async def body() -> AsyncIterator[bytes]:
        yield b'{"id": '
        await asyncio.Event().wait()

    async with asyncio.timeout(60):
        answer = await visitor(sqlite_shop.service).client.post(PATH, content=body())
    assert (answer.status_code, answer.json()["error"]) == (400, "The event did not arrive in time.")


async def test_stripe_away_has_the_event_sent_again(shop: Shop) -> None:
    ada = await shop.buyer()
    await ada.buy(100)
    (event,) = shop.stripe.unsent()
    shop.stripe.fault.calls, shop.stripe.fault.status = 3, 0
    answer = await shop.post(event)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert await ada.state() == (25, 0, "free")
    shop.stripe.fault.calls = 0
    await shop.send([event])
    assert await ada.state() == (125, 0, "free")


async def test_a_server_that_was_down_catches_up(shop: Shop, tmp_path: Path) -> None:
    ada = await shop.buyer()
    await ada.buy(100)
    await ada.subscribe("pro")
    mover = mover_of(shop)
    assert (await catch_up(mover, shop.service.clock(), 1)).events == len(shop.stripe.unsent())
    assert await ada.state() == (625, 0, "pro")
    assert (await catch_up(mover, shop.service.clock(), 1)).events == 0


@pytest.mark.parametrize("is_known", [True, False], ids=["that was known", "that was not"])
async def test_a_subscription_whose_events_stripe_keeps_no_more_is_as_it_is_there(shop: Shop, is_known: bool) -> None:
    ada, bob = await shop.buyer(), await shop.buyer("bob@example.com")
    await bob.subscribe("business")
    await shop.send()
    subscription = await ada.subscribe("pro")
    if is_known:
        await shop.send()
        shop.stripe.world.end(subscription)
    shop.stripe.world.events.clear()
    done = await catch_up(mover_of(shop), shop.service.clock(), 30)
    assert (done.events, done.customers, done.failed) == (0, 2, [])
    assert await ada.state() == (525, 0, "free" if is_known else "pro")
    assert await bob.state() == (5025, 0, "business")


async def test_what_cannot_be_caught_up_with_keeps_nothing_else_back(shop: Shop) -> None:
    ada = await shop.buyer()
    first = await ada.buy(100)
    await ada.buy(500)
    fault, path = shop.stripe.fault, f"GET /v1/payment_intents/{first['id']}"
    fault.calls, fault.status, fault.only = 100, 400, path
    failing, _ = shop.stripe.unsent()
    done = await catch_up(mover_of(shop), shop.service.clock(), 1)
    assert (done.events, done.failed) == (1, [failing["id"]])
    assert await ada.state() == (525, 0, "free")
    fault.calls = 0
    assert (await catch_up(mover_of(shop), shop.service.clock(), 1)).events == 1
    assert await ada.state() == (625, 0, "free")


def mover_of(shop: Shop) -> takeover.Takeover:
    runtime = shop.service.runtime
    assert runtime.payments is not None
    return takeover.Takeover(runtime.database, runtime.payments, runtime.plans)


def test_the_command_says_what_could_not_be_caught_up_with(run: Run, stripe_: StripeServer) -> None:
    nothing = (
        "0 events were handled that had not arrived.\n0 customers have the subscriptions that they have at Stripe.\n"
    )
    assert run("billing", "catch-up", **stripe_.settings).out == nothing
    customer = stripe_.world.make_customer({})["id"]
    ways = {"success_url": "http://aiops.test/", "cancel_url": "http://aiops.test/"}
    price = {"currency": "usd", "unit_amount": 500}
    asked = {"mode": "payment", "line_items": [{"quantity": 1, "price_data": price}], "payment_intent_data": {}}
    stripe_.world.pay(stripe_.world.make_session({**asked, **ways, "customer": customer}))
    assert run("billing", "catch-up", **stripe_.settings).out == nothing, "somebody who is not known here"
    stripe_.fault.calls = 100
    failed = run("billing", "catch-up", **stripe_.settings)
    *logged, told = failed.err.splitlines()
    assert (failed.code, failed.out) == (1, "")
    assert told == "aiops: Stripe, who takes the payments, cannot be reached. Try again soon."
    assert [json.loads(line)["event"] for line in logged] == ["stripe_failed"]


async def test_without_stripe_nothing_is_sold_and_nothing_is_there(
    tmp_path: Path, stripe_: StripeServer, sqlite_shop: Shop
) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    async with running_service(folder, str(sqlite_shop.service.runtime.database.url)) as service:
        person = visitor(service)
        await person.sign_up("bob@example.com")
        await person.get("/billing")
        assert "Ask whoever runs this server for more credits or another plan." in person.text
        assert "Stripe" not in person.text
        answer = await person.client.post(PATH, content=json.dumps({}))
        assert answer.status_code == 404
        token = person.form("/sign-out").fields["csrf_token"]
        for action in ("/billing/buy", "/billing/plan", "/billing/resume", "/billing/portal"):
            sent = await person.client.post(action, data={"csrf_token": token, "credits": "100", "plan": "pro"})
            assert sent.status_code == 404
    assert stripe_.calls == []
