"""A provider that is paid for each call: a restart takes the call up again and never makes a second one."""

import asyncio
from pathlib import Path

import pytest

from aiops.database.engine import Database
from aiops.database.tables import Job
from aiops.jobs import queue
from aiops.providers.base import Call, ProviderUnavailableError, Unsupported
from tests.fixtures.aftermath import read_books
from tests.fixtures.providers import StubProvider
from tests.fixtures.service import IMAGE, Customer, Service, running_service

KEY = {"Idempotency-Key": "order-1"}


async def interrupt(service: Service, customer: Customer, begun: asyncio.Event) -> None:
    """A call whose server stops as soon as the provider is at work: first it tells its caller of the job."""
    call = asyncio.create_task(customer.image(**KEY))
    await begun.wait()
    service.runtime.waiters.give_up()
    assert (await call).json()["code"] == "job_running"


@pytest.mark.parametrize("is_noted", [True, False], ids=["request id noted", "no request id yet"])
async def test_a_restart_in_the_middle_of_a_paid_call(tmp_path: Path, database_url: str, is_noted: bool) -> None:
    begun, resumed = asyncio.Event(), list[str | None]()

    async def begin_and_hang(call: Call) -> None:
        if is_noted:
            await call.started("fal-1")
        begun.set()
        await asyncio.Event().wait()

    async def resume(call: Call) -> None:
        resumed.append(call.request_id)

    async with running_service(tmp_path, database_url) as first:
        first.provider.paid, first.provider.behave = True, begin_and_hang
        ada = await first.customer()
        await interrupt(first, ada, begun)
    async with running_service(tmp_path, database_url, reaper_seconds=0.1) as second:
        second.provider.paid, second.provider.behave = True, resume
        client = second.client(Authorization=f"Bearer {ada.key}")
        answer = await Customer(ada.id, ada.key, client).image(**KEY)
        jobs = (await client.get("/api/jobs")).json()["data"]
    if is_noted:
        assert resumed == ["fal-1"]
        assert [job["status"] for job in jobs] == ["succeeded"]
    else:
        assert resumed == [None], "the first job is given up and refunded; its key is free for a second one"
        assert [job["status"] for job in jobs] == ["succeeded", "failed"]
        assert "cannot safely be repeated" in jobs[1]["reason"]
    assert answer.json()["credits_remaining"] == 4995


async def test_a_stop_while_an_order_is_noted_does_not_lose_it(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noting, note = asyncio.Event(), queue.note_request_id

    async def order_and_hang(call: Call) -> None:
        await call.started("fal-1")
        await asyncio.Event().wait()

    async with running_service(tmp_path, database_url) as first:

        async def note_during_the_stop(database: Database, job: Job, request_id: str) -> bool:
            noting.set()
            await first.runtime.draining.wait()
            return await note(database, job, request_id)

        monkeypatch.setattr(queue, "note_request_id", note_during_the_stop)
        first.provider.paid, first.provider.behave = True, order_and_hang
        await interrupt(first, await first.customer(), noting)
    database = Database(database_url)
    (job,) = (await read_books(database)).jobs
    await database.close()
    assert (job.status, job.provider_request_id) == ("queued", "fal-1")


async def test_a_provider_that_cannot_take_a_request_is_not_asked(tmp_path: Path, database_url: str) -> None:
    objecting, taking = StubProvider(name="a", objection=Unsupported("prompt", "No.")), StubProvider(name="b")
    async with running_service(tmp_path, database_url, [objecting, taking]) as service:
        ada = await service.customer()
        assert (await ada.image()).json()["provider"] == "b"
        assert (objecting.calls, len(taking.calls)) == ([], 1)


async def test_a_job_whose_provider_is_no_longer_configured_is_not_bought_elsewhere(
    tmp_path: Path, database_url: str
) -> None:
    begun = asyncio.Event()

    async def begin_and_hang(call: Call) -> None:
        await call.started("a-1")
        begun.set()
        await asyncio.Event().wait()

    gone, spare = StubProvider(name="gone", paid=True, behave=begin_and_hang), StubProvider(name="spare", paid=True)
    async with running_service(tmp_path, database_url, [gone]) as first:
        ada = await first.customer()
        await interrupt(first, ada, begun)
    async with running_service(tmp_path, database_url, [spare], reaper_seconds=0.1) as second:
        client = second.client(Authorization=f"Bearer {ada.key}")
        answer = await client.post(IMAGE, json={"prompt": "a lighthouse"}, headers=KEY)
        assert (answer.status_code, answer.json()["refunded"], spare.calls) == (500, True, [])


async def test_the_next_provider_is_asked_where_one_is_down(tmp_path: Path, database_url: str) -> None:
    async def be_down(_call: Call) -> None:
        raise ProviderUnavailableError("Down.")

    async with running_service(tmp_path, database_url) as service:
        service.provider.paid, service.provider.behave = True, be_down
        spare = StubProvider(name="spare")
        service.runtime.providers._providers += (spare,)
        ada = await service.customer()
        answer = (await ada.image()).json()
        assert (answer["provider"], answer["credits_charged"]) == ("spare", 5)
        job = await service.job(answer["job_id"])
        assert (job.provider, job.paid_call) == ("spare", False)
        assert (len(service.provider.calls), len(spare.calls)) == (1, 1)
