"""What two workers do to one job, and two processes to one database, at the same moment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlmodel import col

from aiops.accounts.accounts import create_account
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.database.tables import Account, Job
from aiops.identifiers import new_id
from aiops.jobs import queue
from aiops.ledger import ledger
from aiops.ledger.verify import verify
from aiops.providers.base import Call
from tests.fixtures.service import Service, running_service, until

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LEASE_SECONDS = 30
LAPSED = NOW + timedelta(seconds=LEASE_SECONDS + 1)
OVERDUE = NOW + timedelta(seconds=241)
PLANS = load_plans(None)
COST = 5


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def postgresql(new_database: Callable[[str], str]) -> AsyncIterator[Database]:
    database = Database(new_database("postgresql"))
    yield database
    await database.close()


@pytest.fixture
async def sqlite(new_database: Callable[[str], str]) -> AsyncIterator[Database]:
    database = Database(new_database("sqlite"))
    yield database
    await database.close()


async def make_account(database: Database) -> str:
    async with database.write() as session:
        return (await create_account(session, PLANS, "ada@example.com", NOW, plan="business")).id


async def submit(database: Database, account_id: str, created_at: datetime = NOW) -> str:
    job = Job(
        id=new_id("job"),
        account_id=account_id,
        operation_id="generate_image",
        request={},
        credits=COST,
        created_at=created_at,
        deadline_at=NOW + timedelta(seconds=240),
    )
    async with database.write() as session:
        session.add(job)
        await session.flush()
        await ledger.hold(session, account_id, job.id, COST, NOW)
    return job.id


async def claimed(database: Database) -> Job:
    claim = await queue.claim(database, PLANS, "worker", LEASE_SECONDS, NOW)
    assert claim is not None
    return claim.job


async def status_of(database: Database, job_id: str) -> str:
    assert await verify(database, NOW, grace_seconds=10**6) == []
    async with database.read() as session:
        return (await session.execute(select(col(Job.status)).where(col(Job.id) == job_id))).scalar_one()


async def while_it_is_captured(database: Database, job: Job, action: Callable[[], Awaitable[Any]]) -> Any:
    """What an action returns that begins before the transaction that captures a job is committed."""
    async with database.write() as session:
        succeeded = update(Job).where(col(Job.id) == job.id).values(status="succeeded", lease_until=None)
        await session.execute(succeeded.execution_options(synchronize_session=False))
        await ledger.capture(session, job.account_id, job.id, COST, NOW)
        begun = asyncio.ensure_future(action())
        await asyncio.wait([begun], timeout=0.3)
    return await begun


async def test_jobs_are_claimed_in_their_order_by_whatever_way_they_are_found(database: Database) -> None:
    """The order must not be that of an index that the database happens to read."""
    ada = await make_account(database)
    seconds = [3, 1, 4, 0, 2]
    ids = {second: await submit(database, ada, NOW + timedelta(seconds=second)) for second in seconds}
    async with database.write() as session:
        await session.execute(text("DROP INDEX job_by_status"))
    assert [(await claimed(database)).id for _ in seconds] == [ids[second] for second in sorted(seconds)]


async def test_the_reaper_passes_by_a_job_that_is_being_captured(postgresql: Database) -> None:
    """Its worker was late, but not too late; and the reaper has others to look after meanwhile."""
    job_id = await submit(postgresql, await make_account(postgresql))
    job = await claimed(postgresql)

    async def reap() -> list[Job]:
        async with asyncio.timeout(3):
            return await queue.reap(postgresql, LAPSED)

    async with postgresql.write() as session:
        await session.execute(select(Job).where(col(Job.id) == job.id).with_for_update())
        assert await reap() == []
    assert await status_of(postgresql, job_id) == "running"
    assert await while_it_is_captured(postgresql, job, reap) == []
    assert await status_of(postgresql, job_id) == "succeeded"


async def test_two_reapers_do_not_take_the_same_job(postgresql: Database) -> None:
    ada = await make_account(postgresql)
    for _ in range(20):
        await submit(postgresql, ada)
        job = await claimed(postgresql)
        assert await queue.note_provider(postgresql, job, "fal", paid=True)
    ended = await asyncio.gather(*(queue.reap(postgresql, LAPSED) for _ in range(4)))
    assert sorted(len(jobs) for jobs in ended)[-1] > 0
    assert sum(len(jobs) for jobs in ended) == 20
    assert await verify(postgresql, NOW, grace_seconds=10**6) == []


async def test_a_caller_does_not_end_a_job_that_is_being_captured(database: Database) -> None:
    """Its time is over at the very moment at which its result arrives: one of them wins, and only that is settled."""
    job_id = await submit(database, await make_account(database))
    job = await claimed(database)
    assert not await while_it_is_captured(database, job, lambda: queue.expire(database, job_id, OVERDUE))
    assert await status_of(database, job_id) == "succeeded"


async def test_a_job_is_captured_or_released_once_however_many_try(database: Database) -> None:
    ada = await make_account(database)
    job_id = await submit(database, ada)
    job = await claimed(database)
    done = queue.Success({"success": True}, "engine", "stub", {}, [])
    results = await asyncio.gather(
        queue.succeed(database, job, done, NOW),
        queue.expire(database, job_id, OVERDUE),
        queue.fail(database, job, queue.Failure("failed", "It is down."), NOW),
        queue.expire(database, job_id, OVERDUE),
    )
    assert sum(map(bool, results)) == 1
    assert await status_of(database, job_id) in ("succeeded", "failed")


@pytest.mark.parametrize("seen", [None, "another"])
async def test_a_late_renewal_does_not_change_who_is_paid(database: Database, seen: str | None) -> None:
    """It has been waiting to write since before the provider was chosen; the next worker must take the call up."""
    await submit(database, await make_account(database))
    job = await claimed(database)
    assert await queue.note_provider(database, job, "fal", paid=True)
    assert await queue.note_request_id(database, job, "fal-1")
    assert await queue.renew(database, job, LEASE_SECONDS, NOW, provider=seen)
    await queue.reap(database, LAPSED)
    again = await claimed(database)
    assert (again.provider, again.provider_request_id) == ("fal", "fal-1")


async def test_writers_of_two_processes_wait_for_each_other(sqlite: Database) -> None:
    """Each reads before it writes; a transaction that began as a reader could not write any more."""
    ada = await make_account(sqlite)
    other_process = Database(sqlite.url.render_as_string())
    try:
        async with sqlite.write() as session:
            await ledger.lock_account(session, ada)
            waiting = asyncio.create_task(give(other_process, ada))
            await asyncio.wait([waiting], timeout=0.3)
            await ledger.grant(session, ada, 1, NOW, description="a gift")
        await waiting
    finally:
        await other_process.close()
    async with sqlite.read() as session:
        account = (await session.execute(select(Account))).scalar_one()
    assert account.credits == PLANS["business"].monthly_credits + 2


async def test_writers_that_wait_do_not_keep_readers_out(sqlite: Database) -> None:
    """There is one writer, and there are fewer connections than calls that may want to write at the same moment."""
    ada = await make_account(sqlite)
    async with sqlite.write() as session:
        await ledger.lock_account(session, ada)
        waiting = [asyncio.create_task(give(sqlite, ada)) for _ in range(30)]
        await asyncio.wait(waiting, timeout=0.3)
        async with asyncio.timeout(5), sqlite.read() as reading:
            assert (await reading.execute(select(col(Account.id)))).scalar_one() == ada
    await asyncio.gather(*waiting)


async def give(database: Database, account_id: str) -> None:
    async with database.write() as session:
        await ledger.grant(session, account_id, 1, NOW, description="a gift")


async def test_a_caller_hears_of_its_job_from_the_reaper(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without looking for jobs that ended elsewhere: that is for those of other processes."""
    monkeypatch.setattr("aiops.process.DEAF_LOOK_SECONDS", 600)
    monkeypatch.setattr("aiops.process.LOOK_SECONDS", 600)

    async def be_away(*_: Any, **__: Any) -> bool:
        raise OSError("the database is away")

    monkeypatch.setattr(queue, "renew", be_away)
    async with running_service(tmp_path, database_url, lease_seconds=0.5, reaper_seconds=0.1) as service:
        ada = await service.customer()
        service.provider.paid, service.provider.behave = True, wait_for_ever
        async with asyncio.timeout(30):
            answer = await ada.image()
        assert (answer.status_code, answer.json()["refunded"]) == (500, True)


async def is_at_work(service: Service) -> bool:
    return bool(service.provider.calls)


async def wait_for_ever(_call: Call) -> None:
    await asyncio.Event().wait()


async def test_work_on_a_job_that_has_ended_is_cut_off(tmp_path: Path, database_url: str) -> None:
    """Whoever has ended it; what is left of the work would only cost."""
    cut_off = asyncio.Event()

    async def work(_call: Call) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cut_off.set()
            raise

    async with running_service(tmp_path, database_url, lease_seconds=0.5) as service:
        ada = await service.customer()
        service.provider.behave = work
        call = asyncio.create_task(ada.image())
        await until(lambda: is_at_work(service))
        (job,) = (await ada.client.get("/api/jobs")).json()["data"]
        assert await queue.expire(service.runtime.database, job["id"], service.clock() + timedelta(seconds=241))
        async with asyncio.timeout(20):
            await cut_off.wait()
        assert (await call).status_code == 500


async def test_a_caller_waits_for_the_worker_that_takes_its_job_over(tmp_path: Path, database_url: str) -> None:
    """The first worker was taken for dead; that it stops is not the end of the job."""
    cut_off = asyncio.Event()

    async def work(_call: Call) -> None:
        if len(service.provider.calls) > 1:
            await cut_off.wait()
            await asyncio.sleep(0.5)
            return
        try:
            await asyncio.Event().wait()
        finally:
            cut_off.set()

    async with running_service(tmp_path, database_url, lease_seconds=5) as service:
        ada = await service.customer()
        service.provider.behave = work
        call = asyncio.create_task(ada.image())
        await until(lambda: is_at_work(service))
        assert await queue.reap(service.runtime.database, service.clock() + timedelta(seconds=6)) == []
        answer = await call
        assert (answer.status_code, len(service.provider.calls)) == (200, 2)
