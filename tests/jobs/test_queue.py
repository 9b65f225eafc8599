"""The queue: who may claim, how long a claim lasts, and that only the last claim can settle."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from aiops.accounts.accounts import create_account
from aiops.accounts.plans import FILE_LIMITS, Plans
from aiops.contract.models import Limits
from aiops.database.engine import Database
from aiops.database.tables import Account, Entry, Job, Payment
from aiops.identifiers import new_id
from aiops.jobs import queue
from aiops.jobs.queue import Failure, Success
from aiops.ledger import ledger
from aiops.ledger.verify import verify

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LEASE_SECONDS = 30
COST = 5


def plans(jobs_at_once: int) -> Plans:
    numbers = {
        "monthly_credits": 100,
        "requests_per_minute": 10,
        "jobs_queued": 100,
        "audio_minutes": 10,
        **FILE_LIMITS,
    }
    return {"free": Limits(jobs_at_once=jobs_at_once, **numbers)}


PLANS = plans(2)
DONE = Success({"success": True}, "engine", "stub", {}, [])
FAILED = Failure("failed", "It is down.")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def make_account(database: Database, email: str = "ada@example.com") -> str:
    async with database.write() as session:
        return (await create_account(session, PLANS, email, NOW, plan="free")).id


async def submit(database: Database, account_id: str, **values: Any) -> str:
    job = Job(
        id=new_id("job"),
        account_id=account_id,
        operation_id="generate_image",
        request={},
        credits=COST,
        **{"created_at": NOW, "deadline_at": NOW + timedelta(seconds=240), **values},
    )
    async with database.write() as session:
        session.add(job)
        await session.flush()
        await ledger.hold(session, account_id, job.id, COST, NOW)
    return job.id


async def claim(database: Database, now: datetime = NOW) -> Job | None:
    claimed = await queue.claim(database, PLANS, "worker", LEASE_SECONDS, now)
    return None if claimed is None else claimed.job


async def claimed(database: Database, now: datetime = NOW) -> Job:
    job = await claim(database, now)
    assert job is not None
    return job


async def state(database: Database, job_id: str) -> tuple[str, str | None, int, int]:
    """Status and reason of a job, credits and held of its account."""
    async with database.read() as session:
        job = (await session.execute(select(Job).where(col(Job.id) == job_id))).scalar_one()
        account = (await session.execute(select(Account).where(col(Account.id) == job.account_id))).scalar_one()
    assert await verify(database, NOW, grace_seconds=10**6) == []
    return job.status, job.reason, account.credits, account.held


async def test_jobs_are_claimed_in_the_order_they_came(database: Database) -> None:
    ada = await make_account(database)
    later = await submit(database, ada, created_at=NOW + timedelta(seconds=1))
    first = await submit(database, ada)
    assert [(await claimed(database)).id for _ in range(2)] == [first, later]
    assert await claim(database) is None


async def test_an_account_runs_no_more_jobs_than_its_plan_allows(database: Database) -> None:
    ada, bob = await make_account(database), await make_account(database, "bob@example.com")
    jobs = [await submit(database, ada) for _ in range(3)]
    bobs = await submit(database, bob, created_at=NOW + timedelta(minutes=1))
    assert {(await claimed(database)).id for _ in range(2)} <= set(jobs)
    assert (await claimed(database)).id == bobs, "the others are not held up by it"
    assert await claim(database) is None


async def test_claimers_at_the_same_moment_never_exceed_the_plan(database: Database) -> None:
    ada = await make_account(database)
    for _ in range(8):
        await submit(database, ada)
    won = await asyncio.gather(*(claim(database) for _ in range(8)))
    ids = [job.id for job in won if job is not None]
    assert len(ids) == len(set(ids)) <= 2


async def test_a_success_is_charged_once(database: Database) -> None:
    ada = await make_account(database)
    job_id = await submit(database, ada)
    assert await state(database, job_id) == ("queued", None, 95, 5)
    job = await claimed(database)
    assert await queue.succeed(database, job, DONE, NOW)
    assert await queue.succeed(database, job, DONE, NOW), "settled by this very claim: it is so, and stays so"
    assert not await queue.fail(database, job, FAILED, NOW)
    assert await state(database, job_id) == ("succeeded", None, 95, 0)


async def test_a_failure_is_released_once(database: Database) -> None:
    ada = await make_account(database)
    job_id = await submit(database, ada)
    job = await claimed(database)
    assert await queue.fail(database, job, FAILED, NOW)
    assert not await queue.fail(database, job, FAILED, NOW)
    assert not await queue.succeed(database, job, DONE, NOW)
    assert await state(database, job_id) == ("failed", "It is down.", 100, 0)


async def test_a_worker_that_has_lost_its_lease_can_do_nothing(database: Database) -> None:
    ada = await make_account(database)
    job_id = await submit(database, ada)
    late = await claimed(database)
    lapsed = NOW + timedelta(seconds=LEASE_SECONDS + 1)
    assert await queue.reap(database, lapsed) == []
    another = await claimed(database, lapsed)
    assert another.attempt == late.attempt + 1
    assert not await queue.renew(database, late, LEASE_SECONDS, lapsed)
    assert not await queue.note_provider(database, late, "stub", paid=False)
    assert not await queue.succeed(database, late, DONE, lapsed)
    assert not await queue.fail(database, late, FAILED, lapsed)
    assert await queue.succeed(database, another, DONE, lapsed)
    assert await state(database, job_id) == ("succeeded", None, 95, 0)


async def test_a_renewed_lease_lasts(database: Database) -> None:
    ada = await make_account(database)
    job_id = await submit(database, ada)
    job = await claimed(database)
    assert await queue.renew(database, job, LEASE_SECONDS, NOW + timedelta(seconds=20), progress=0.5)
    await queue.reap(database, NOW + timedelta(seconds=40))
    assert (await state(database, job_id))[0] == "running"
    await queue.reap(database, NOW + timedelta(seconds=51))
    assert (await state(database, job_id))[0] == "queued"


async def test_a_job_that_stops_the_server_three_times_is_given_up(database: Database) -> None:
    ada = await make_account(database)
    job_id = await submit(database, ada)
    now = NOW
    for _ in range(3):
        await claimed(database, now)
        now += timedelta(seconds=LEASE_SECONDS + 1)
        ended = await queue.reap(database, now)
    assert [job.id for job in ended] == [job_id]
    assert await state(database, job_id) == ("failed", "The server stopped during the work 3 times.", 100, 0)


@pytest.mark.parametrize(
    ("request_id", "status"), [(None, "failed"), ("fal-1", "queued")], ids=["cannot be repeated", "can be taken up"]
)
async def test_a_paid_call_that_lapses(database: Database, request_id: str | None, status: str) -> None:
    ada = await make_account(database)
    job_id = await submit(database, ada)
    job = await claimed(database)
    assert await queue.note_provider(database, job, "fal", paid=True)
    if request_id is not None:
        assert await queue.note_request_id(database, job, request_id)
    await queue.reap(database, NOW + timedelta(seconds=LEASE_SECONDS + 1))
    assert (await state(database, job_id))[0] == status
    again = await claim(database)
    assert (again.provider_request_id if again else None) == request_id


@pytest.mark.parametrize("is_running", [False, True], ids=["queued", "running"])
@pytest.mark.parametrize("by_reaper", [False, True], ids=["by its caller", "by the reaper"])
async def test_a_job_whose_time_is_over_is_ended(database: Database, is_running: bool, by_reaper: bool) -> None:
    ada = await make_account(database)
    job_id = await submit(database, ada)
    job = await claimed(database) if is_running else None
    over = NOW + timedelta(seconds=241)
    assert not await queue.expire(database, job_id, NOW)
    assert await (queue.reap(database, over) if by_reaper else queue.expire(database, job_id, over))
    assert await state(database, job_id) == ("failed", "The job did not finish in time.", 100, 0)
    assert job is None or not await queue.succeed(database, job, DONE, over)


async def test_what_is_owed_is_counted_to_the_job_it_was_taken_from(database: Database) -> None:
    """A reaper ends many jobs in one transaction; what could be spent after each is its own."""
    ada = await make_account(database)
    async with database.write() as session:
        bought = Payment(
            id=new_id("pi"),
            account_id=ada,
            kind="pack",
            description="100 credits",
            credits=100,
            amount=100,
            currency="usd",
            created_at=NOW,
        )
        assert await ledger.receive(session, bought, NOW)
    jobs = [await submit(database, ada) for _ in range(3)]
    async with database.write() as session:
        await ledger.take(session, ada, 185, NOW, description="spent, for a test")
        await ledger.reverse(session, bought.id, 8, NOW)
    ended = await queue.reap(database, NOW + timedelta(seconds=241))
    assert {job.id for job in ended} == set(jobs)
    async with database.read() as session:
        assert [await ledger.balance_after(session, job.id) for job in ended] == [0, 2, 7]
    assert (await state(database, jobs[0]))[2:] == (7, 0)


async def test_a_worker_that_stops_hands_its_job_back(database: Database) -> None:
    ada = await make_account(database)
    job_id = await submit(database, ada)
    await queue.hand_back(database, await claimed(database), NOW)
    assert (await claimed(database)).id == job_id


async def test_the_price_is_that_of_the_moment_of_the_call(database: Database) -> None:
    """The price of a service may change while a job runs: what is settled is what was held."""
    ada = await make_account(database)
    job_id = await submit(database, ada)
    await queue.fail(database, await claimed(database), FAILED, NOW)
    async with database.read() as session:
        entries = (await session.execute(select(Entry).where(col(Entry.job_id) == job_id))).scalars().all()
    assert [(entry.kind, entry.amount) for entry in entries] == [("hold", -COST), ("release", COST)]
