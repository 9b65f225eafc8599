"""What is to be told is written if and only if it happens, once, whichever way it happens."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from aiops.jobs import queue
from aiops.jobs.queue import Failure, Success
from aiops.ledger import ledger
from aiops.providers.base import Call, ProviderUnavailableError
from aiops.webhooks import outbox
from tests.fixtures.receiver import Receiver
from tests.fixtures.service import Customer, Service, until

End = Callable[[Service, queue.Claim], Awaitable[Any]]


async def rows(service: Service, columns: str, table: str) -> list[tuple[Any, ...]]:
    async with service.runtime.database.read() as session:
        found = await session.execute(text(f"SELECT {columns} FROM {table}"))
        return [tuple(row) for row in found]


async def claimed(service: Service, ada: Customer) -> queue.Claim:
    """A job that is at work for this test, and for no worker."""
    service.runtime.draining.set()
    await ada.image(Prefer="respond-async")
    claim = await queue.claim(service.runtime.database, service.runtime.plans, "a test", 30, service.clock())
    assert claim is not None
    return claim


async def succeed(service: Service, claim: queue.Claim) -> None:
    success = Success({"text": "x", "success": True}, "m", "p", {}, [])
    assert await queue.succeed(service.runtime.database, claim.job, success, service.clock())
    assert await queue.succeed(service.runtime.database, claim.job, success, service.clock())


async def fail(service: Service, claim: queue.Claim) -> None:
    assert await queue.fail(service.runtime.database, claim.job, Failure("failed", "No."), service.clock())
    assert not await queue.fail(service.runtime.database, claim.job, Failure("failed", "No."), service.clock())


async def cancel(service: Service, claim: queue.Claim) -> None:
    for _ in range(2):
        await queue.cancel(service.runtime.database, claim.job.account_id, claim.job.id, service.clock())


async def expire(service: Service, claim: queue.Claim) -> None:
    service.clock.advance(hours=2)
    assert await queue.expire(service.runtime.database, claim.job.id, service.clock())
    assert not await queue.expire(service.runtime.database, claim.job.id, service.clock())


async def lapse(service: Service, _claim: queue.Claim) -> None:
    service.clock.advance(hours=2)
    assert len(await queue.reap(service.runtime.database, service.clock())) == 1
    assert await queue.reap(service.runtime.database, service.clock()) == []


async def hand_back_too_late(service: Service, claim: queue.Claim) -> None:
    service.clock.advance(hours=2)
    await queue.hand_back(service.runtime.database, claim.job, service.clock())


ENDS: dict[str, tuple[End, str]] = {
    "succeeds": (succeed, "job.succeeded"),
    "fails": (fail, "job.failed"),
    "is cancelled": (cancel, "job.cancelled"),
    "expires": (expire, "job.failed"),
    "lapses": (lapse, "job.failed"),
    "is handed back too late": (hand_back_too_late, "job.failed"),
}


@pytest.mark.parametrize(("end", "event"), ENDS.values(), ids=ENDS.keys())
async def test_a_job_that_ends_has_one_event_whichever_way(receiver: Receiver, end: End, event: str) -> None:
    ada = await receiver.service.customer()
    webhook = await receiver.subscribe(ada)
    claim = await claimed(receiver.service, ada)
    await end(receiver.service, claim)
    assert await rows(receiver.service, "type, job_id", "event") == [(event, claim.job.id)]
    assert await rows(receiver.service, "webhook_id, status, attempts", "delivery") == [(webhook["id"], "pending", 0)]


async def test_a_job_that_goes_on_has_none(receiver: Receiver) -> None:
    ada = await receiver.service.customer()
    await receiver.subscribe(ada)
    claim = await claimed(receiver.service, ada)
    await queue.hand_back(receiver.service.runtime.database, claim.job, receiver.service.clock())
    assert await rows(receiver.service, "id", "event") == []


async def test_nothing_is_written_where_nobody_is_told(receiver: Receiver) -> None:
    ada, bob = await receiver.service.customer(), await receiver.service.customer("bob@example.com")
    await receiver.subscribe(ada, "job.failed")
    await receiver.subscribe(bob)
    await ada.image()
    assert await rows(receiver.service, "id", "event") == []


async def test_what_is_rolled_back_is_not_told(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is written with the capture: where that fails, there is neither."""
    ada = await receiver.service.customer()
    await receiver.subscribe(ada)
    claim = await claimed(receiver.service, ada)

    async def write_and_fail(*arguments: Any, **options: Any) -> None:
        await job_ended(*arguments, **options)
        raise RuntimeError("cut off")

    job_ended = outbox.job_ended
    monkeypatch.setattr(outbox, "job_ended", write_and_fail)
    with pytest.raises(RuntimeError, match="cut off"):
        await fail(receiver.service, claim)
    assert await rows(receiver.service, "id", "event") == []
    assert (await receiver.service.job(claim.job.id)).status == "running"
    monkeypatch.undo()
    await fail(receiver.service, claim)


async def test_credits_that_become_low_are_told_once_for_each_crossing(receiver: Receiver) -> None:
    """The free plan grants 25 a month, a fifth of which is 5."""
    service = receiver.service
    ada = await service.customer(plan="free")
    await receiver.subscribe(ada, "credits.low")
    for _ in range(4):
        assert (await ada.image()).status_code == 200
    assert await rows(service, "id", "event") == [], "5 are left, which is not below"
    assert (await ada.client.post("/api/services/tts", json={"text": "x"})).status_code == 200
    assert (await ada.client.post("/api/services/tts", json={"text": "x"})).status_code == 200
    (told,) = await receiver.has_been_told(1)
    assert (told.event["type"], told.event["data"]) == (
        "credits.low",
        {"credits": 3, "monthly_credits": 25, "plan": "free"},
    )
    async with service.runtime.database.write() as session:
        await ledger.grant(session, ada.id, 20, service.clock(), description="more")
    for _ in range(4):
        assert (await ada.image()).status_code == 200
    _, again = await receiver.has_been_told(2)
    assert again.event["data"]["credits"] == 1
    assert len(await receiver.deliveries("delivered")) == 2


async def test_a_refund_is_no_crossing(receiver: Receiver) -> None:
    service = receiver.service
    ada = await service.customer(plan="free", credits=6)
    await receiver.subscribe(ada, "credits.low")

    async def fail_(_call: Call) -> None:
        raise ProviderUnavailableError("Not now.")

    service.provider.behave = fail_
    assert (await ada.image()).status_code == 500
    assert len(await receiver.deliveries("delivered")) == 1
    assert await ada.credits() == 6


async def test_a_callback_url_that_comes_while_its_job_ends_is_told(receiver: Receiver) -> None:
    """Whichever comes first, the end or the URL."""
    service = receiver.service
    ada = await service.customer()
    for number in range(20):
        key = {"Idempotency-Key": f"order-{number}", "Prefer": "respond-async"}
        url = f"{receiver.url}/{number}"
        await ada.image(**key)
        again = ada.client.post(
            "/api/services/image_gen", json={"prompt": "a lighthouse", "callback_url": url}, headers=key
        )
        assert (await again).status_code in (200, 202)

    async def all_told() -> bool:
        service.runtime.outgoing.set()
        return len({head.split()[1] for head in receiver.server.requests}) == 20

    await until(all_told)
    assert len({one.id for one in receiver.told}) == 20
