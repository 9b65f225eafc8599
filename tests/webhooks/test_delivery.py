"""Events on their way: signed, tried again, given up, told to others meanwhile. The clock is moved, nothing else."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from standardwebhooks.webhooks import WebhookVerificationError

from aiops.providers.base import Call, ProviderRejectedError, Transcript
from aiops.webhooks import courier, deliveries, signing
from aiops.webhooks.schedule import PAUSES_SECONDS
from tests.fixtures.receiver import OK, Receiver, answering, hanging, receiving
from tests.fixtures.service import SPEECH, TRANSCRIPTION, running_service, until
from tests.fixtures.web import WebServer, serving


async def test_an_event_is_what_get_job_answers_and_is_signed(receiver: Receiver) -> None:
    ada = await receiver.service.customer()
    webhook = await receiver.subscribe(ada)
    bought = (await ada.image()).json()
    (told,) = await receiver.has_been_told(1)
    told.verify(webhook["secret"])
    job = (await ada.client.get(f"/api/jobs/{bought['job_id']}")).json()
    assert told.event == {"type": "job.succeeded", "timestamp": job["finished_at"], "data": job}
    assert (await ada.client.get(told.event["data"]["result"]["image_url"])).status_code == 200
    assert told.headers["content-type"] == "application/json"
    assert told.headers["user-agent"].startswith("aiops/")
    (delivery,) = await receiver.deliveries("delivered")
    assert (delivery.attempts, delivery.answered, delivery.error) == (1, 204, None)


async def test_nobody_else_can_sign(sqlite_receiver: Receiver) -> None:
    ada, bob = [await sqlite_receiver.service.customer(f"{name}@example.com") for name in ("ada", "bob")]
    await sqlite_receiver.subscribe(ada)
    of_bob = await sqlite_receiver.subscribe(bob)
    await ada.image()
    (told,) = await sqlite_receiver.has_been_told(1)
    with pytest.raises(WebhookVerificationError):
        told.verify(of_bob["secret"])


async def test_the_secret_before_signs_along_for_a_day(receiver: Receiver) -> None:
    service = receiver.service
    ada = await service.customer()
    webhook = await receiver.subscribe(ada)
    async with service.runtime.database.write() as session:
        fresh = await signing.rotate(session, service.runtime.settings.sealer, webhook["id"], service.clock())
    await ada.image()
    (told,) = await receiver.has_been_told(1)
    told.verify(fresh)
    told.verify(webhook["secret"])
    async with service.runtime.database.read() as session:
        day = service.clock() + timedelta(hours=24)
        assert await signing.secrets_of(session, service.runtime.settings.sealer, webhook["id"], day) == [fresh]


async def test_a_secret_that_cannot_be_read_any_more_is_said_and_replaced(tmp_path: Path, database_url: str) -> None:
    async with receiving(tmp_path, database_url) as receiver:
        ada = await receiver.service.customer()
        webhook = await receiver.subscribe(ada)
    async with (
        serving(OK) as server,
        running_service(tmp_path, database_url, secret_key="another secret key") as service,
    ):
        receiver = Receiver(service, server)
        client = service.client(Authorization=f"Bearer {ada.key}")
        await client.post("/api/services/image_gen", json={"prompt": "a lighthouse"})
        (delivery,) = await receiver.noted(ada.id)
        assert (delivery.error, delivery.status) == (courier.UNREADABLE, "pending")
        async with service.runtime.database.write() as session:
            fresh = await signing.rotate(session, service.runtime.settings.sealer, webhook["id"], service.clock())
            kept = await signing.secrets_of(session, service.runtime.settings.sealer, webhook["id"], service.clock())
        assert kept == [fresh]


async def test_no_secret_is_kept_in_clear(receiver: Receiver) -> None:
    ada = await receiver.service.customer()
    webhook = await receiver.subscribe(ada)
    async with receiver.service.runtime.database.read() as session:
        kept = str((await session.execute(text("SELECT * FROM signing_secret"))).all())
    assert webhook["secret"] not in kept
    assert webhook["secret"].removeprefix("whsec_") not in kept


async def test_each_end_of_a_job_has_its_event_and_each_webhook_gets_its_own(receiver: Receiver) -> None:
    service, begun = receiver.service, asyncio.Event()
    ada = await service.customer()
    await receiver.subscribe(ada, "job.failed", "job.cancelled")
    await receiver.subscribe(ada, "job.succeeded", path="/other")
    await ada.image()

    async def refuse(_call: Call) -> None:
        raise ProviderRejectedError("Not that.")

    async def wait(_call: Call) -> None:
        begun.set()
        await asyncio.sleep(600)

    service.provider.behave = refuse
    await ada.image()
    service.provider.behave = wait
    job = (await ada.image(Prefer="respond-async")).json()
    await begun.wait()
    await ada.client.post(f"/api/jobs/{job['id']}/cancel")
    told = await receiver.has_been_told(3)
    assert {one.event["type"] for one in told} == {"job.succeeded", "job.failed", "job.cancelled"}
    assert len({one.id for one in told}) == 3
    assert {head.split()[1] for head in receiver.server.requests if b"/other" in head} == {b"/other"}
    assert sum(b"/other" in head for head in receiver.server.requests) == 1


async def test_a_receiver_that_fails_is_tried_by_the_schedule_and_then_given_up(
    tmp_path: Path, database_url: str
) -> None:
    async with receiving(tmp_path, database_url, answering(500)) as receiver:
        ada = await receiver.service.customer()
        webhook = await receiver.subscribe(ada)
        before = receiver.service.clock()
        await ada.image()
        for attempts, pause in enumerate(PAUSES_SECONDS, start=1):
            await receiver.has_been_told(attempts)
            await until(lambda attempts=attempts: _is_noted(receiver, attempts))  # type: ignore[misc]
            (delivery,) = await receiver.noted(ada.id)
            assert delivery.due_at >= before + timedelta(seconds=0.9 * pause)
            async with receiver.service.runtime.database.read() as session:
                just_before = delivery.due_at - timedelta(milliseconds=1)
                assert not await deliveries.are_due(session, just_before), "not before its time"
            receiver.service.clock.advance(seconds=1.1 * pause)
            before = receiver.service.clock()
        (delivery,) = await receiver.deliveries("failed")
        assert (delivery.attempts, delivery.answered, delivery.error) == (10, 500, "Its receiver answered 500.")
        told = receiver.told
        assert len(told) == 10
        assert len({(one.id, one.body) for one in told}) == 1, "each time the same"
        assert len({one.headers["webhook-timestamp"] for one in told}) == 10
        assert (await ada.client.get("/api/webhooks")).json()["data"][0]["status"] == "active"
        assert webhook["status"] == "active"


async def _is_noted(receiver: Receiver, attempts: int) -> bool:
    """Whether so many attempts have been made, and what came of the last is noted."""
    async with receiver.service.runtime.database.read() as session:
        tried, error = (await session.execute(text("SELECT attempts, error FROM delivery"))).one()
        return bool(tried == attempts and error)


async def test_gone_ends_a_webhook(tmp_path: Path, database_url: str) -> None:
    async with receiving(tmp_path, database_url, answering(410)) as receiver:
        ada = await receiver.service.customer()
        await receiver.subscribe(ada)
        await ada.image()
        await receiver.deliveries("failed")
        (webhook,) = (await ada.client.get("/api/webhooks")).json()["data"]
        assert (webhook["status"], webhook["reason"]) == ("disabled", "Its receiver answered 410 Gone.")
        await ada.image()
        assert len(receiver.told) == len(await receiver.deliveries("failed")) == 1, "nothing more is written or sent"


FAILURES = {
    "a redirect": answering(302, "Location: http://127.0.0.1/"),
    "not found": answering(404),
    "a moment that no calendar has": answering(503, "Retry-After: Mon, 01 Jan 99999999999999999999 00:00:00 GMT"),
    "no answer at all": b"",
    "no HTTP": b"hello\r\n\r\n",
    "informational": b"HTTP/1.1 100 Continue\r\n\r\n",
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES.keys())
async def test_what_is_no_success_is_tried_again(
    tmp_path: Path, new_database: Callable[[str], str], answer: bytes
) -> None:
    async with receiving(tmp_path, new_database("sqlite"), answer, OK) as receiver:
        ada = await receiver.service.customer()
        await receiver.subscribe(ada)
        await ada.image()
        await receiver.has_been_told(1)
        await until(lambda: _is_noted(receiver, 1))
        receiver.service.clock.advance(seconds=6)
        (delivery,) = await receiver.deliveries("delivered")
        assert (delivery.attempts, delivery.answered, delivery.error) == (2, 204, None)


async def test_a_receiver_says_when_to_come_back(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    busy = answering(503, "Retry-After: 3600")
    async with receiving(tmp_path, new_database("sqlite"), busy, OK) as receiver:
        ada = await receiver.service.customer()
        await receiver.subscribe(ada)
        await ada.image()
        await receiver.has_been_told(1)
        await until(lambda: _is_noted(receiver, 1))
        receiver.service.clock.advance(seconds=3500)
        async with receiver.service.runtime.database.read() as session:
            assert not await deliveries.are_due(session, receiver.service.clock())
        receiver.service.clock.advance(seconds=101)
        await receiver.deliveries("delivered")


async def test_a_receiver_that_hangs_is_cut_off_and_holds_nobody_up(
    tmp_path: Path, new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "SEND_SECONDS", 600)
    async with serving(hanging()) as slow, serving(OK) as quick:
        hosts = f"{slow.authority},{quick.authority}"
        async with running_service(tmp_path, new_database("sqlite"), private_hosts=hosts) as service:
            ada, bob = await service.customer(), await service.customer("bob@example.com")
            await Receiver(service, slow).subscribe(ada)
            await Receiver(service, quick).subscribe(bob)
            for _ in range(2 * courier.SENDS_PER_HOST_MAX):
                await ada.image()
            await bob.image()
            await Receiver(service, quick).has_been_told(1)
            assert len(slow.requests) <= courier.SENDS_PER_HOST_MAX


async def test_an_account_with_many_receivers_that_hang_holds_nobody_up(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "SEND_SECONDS", 600)
    monkeypatch.setattr(courier, "SENDS_MAX", 6)
    monkeypatch.setattr(courier, "SENDS_PER_ACCOUNT_MAX", 3)
    async with AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(serving(hanging())) for _ in range(6)]
        quick = await stack.enter_async_context(serving(OK))
        hosts = ",".join(one.authority for one in (*slow, quick))
        service = await stack.enter_async_context(running_service(tmp_path, database_url, private_hosts=hosts))
        ada, bob = await service.customer(), await service.customer("bob@example.com")
        for one in slow:
            await Receiver(service, one).subscribe(ada)
        await Receiver(service, quick).subscribe(bob)
        for _ in range(2):
            await ada.image()
        await until(lambda: _are_asked(slow, 3))
        await bob.image()
        async with asyncio.timeout(7.5):
            await Receiver(service, quick).has_been_told(1)
        assert await _are_asked(slow, 3)


async def _are_asked(servers: Sequence[WebServer], times: int) -> bool:
    return sum(len(one.requests) for one in servers) == times


async def test_a_receiver_that_hangs_has_failed(
    tmp_path: Path, new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "SEND_SECONDS", 1)
    async with receiving(tmp_path, new_database("sqlite"), hanging(), OK) as receiver:
        ada = await receiver.service.customer()
        await receiver.subscribe(ada)
        await ada.image()
        await until(lambda: _is_noted(receiver, 1))
        monkeypatch.setattr(courier, "SEND_SECONDS", 15)
        receiver.service.clock.advance(seconds=6)
        await receiver.deliveries("delivered")


async def test_what_a_process_did_not_note_is_sent_again_under_the_same_id(receiver: Receiver) -> None:
    """As after a kill between sending and noting."""
    ada = await receiver.service.customer()
    await receiver.subscribe(ada)
    await ada.image()
    await receiver.deliveries("delivered")
    async with receiver.service.runtime.database.write() as session:
        await session.execute(text("UPDATE delivery SET status = 'pending', ended_at = NULL"))
    receiver.service.clock.advance(seconds=courier.LEASE.total_seconds() + 1)
    first, second = await receiver.has_been_told(2)
    assert first.id == second.id


async def test_a_long_text_is_left_out_with_a_note(receiver: Receiver) -> None:
    async def talk(_call: Call) -> Transcript | None:
        return Transcript("ü" * 8193, "stub-ears") if len(receiver.service.provider.calls) > 1 else None

    receiver.service.provider.behave = talk
    ada = await receiver.service.customer()
    audio = (await ada.client.post(SPEECH, json={"text": "hello"})).json()["audio_url"]
    await receiver.subscribe(ada)
    await ada.client.post(TRANSCRIPTION, json={"audio_url": audio})
    (told,) = await receiver.has_been_told(1)
    assert (told.event["data"]["status"], told.event["data"]["result"]) == ("succeeded", None)
    assert told.event["note"].startswith("The text is longer than 16,384 bytes")
    assert len(told.body) < 20_000


async def test_it_is_sent_again_when_asked_for(receiver: Receiver) -> None:
    service = receiver.service
    ada, bob = await service.customer(), await service.customer("bob@example.com")
    webhook = await receiver.subscribe(ada)
    await ada.image()
    (delivery,) = await receiver.deliveries("delivered")

    async def send_again(account_id: str | None) -> bool:
        async with service.runtime.database.write() as session:
            return bool(await deliveries.send_again(session, delivery.id, service.clock(), account_id))

    assert not await send_again(bob.id)
    assert await send_again(ada.id)
    first, second = await receiver.has_been_told(2)
    assert (first.id, first.body) == (second.id, second.body)
    await receiver.deliveries("delivered")
    await ada.client.delete(f"/api/webhooks/{webhook['id']}")
    assert not await send_again(ada.id)


async def test_what_is_old_is_forgotten(receiver: Receiver) -> None:
    service = receiver.service
    ada = await service.customer()
    await receiver.subscribe(ada)
    await ada.image()
    await receiver.deliveries("delivered")

    async def sweep() -> int:
        async with service.runtime.database.write() as session:
            return await deliveries.sweep(session, service.clock(), 100)

    service.clock.advance(hours=30 * 24 - 1)
    assert await sweep() == 0
    service.clock.advance(hours=2)
    assert await sweep() == 1
