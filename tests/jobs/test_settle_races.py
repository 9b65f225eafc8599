"""A worker settles its job at the moment at which somebody else ends it or takes it away: one of them wins, never both.

Where they meet, the account is locked until both are under way: on PostgreSQL the first has changed the job then and
waits for the account, and the second comes upon it in the middle of its transaction.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from aiops.accounts.accounts import create_account
from aiops.accounts.authentication import Caller
from aiops.accounts.plans import FILE_LIMITS, Plans
from aiops.contract.models import Limits
from aiops.database.engine import Database
from aiops.database.tables import Account, Entry, Job
from aiops.jobs import queue
from aiops.jobs.queue import Failure, Success
from aiops.jobs.submission import Submission, submit
from aiops.ledger import ledger
from aiops.ledger.verify import verify
from tests.fixtures.service import until

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
OVER = NOW + timedelta(seconds=240)  # lease and time are over then
LEASE_SECONDS = 30
COST = 5
RUSHES = 3
LIMITS = Limits(
    monthly_credits=1000, requests_per_minute=1000, jobs_at_once=10, jobs_queued=100, audio_minutes=1, **FILE_LIMITS
)
PLANS: Plans = {"free": LIMITS}

Act = Callable[[Database, Job], Awaitable[bool]]


async def succeed(database: Database, job: Job) -> bool:
    return await queue.succeed(database, job, Success({"success": True}, "engine", "stub", {}, []), OVER)


async def fail(database: Database, job: Job) -> bool:
    return await queue.fail(database, job, Failure("failed", "It is down."), OVER)


async def cancel(database: Database, job: Job) -> bool:
    return await queue.cancel(database, job.account_id, job.id, OVER) is not None


async def expire(database: Database, job: Job) -> bool:
    return await queue.expire(database, job.id, OVER) is not None


async def reap_overdue(database: Database, job: Job) -> bool:
    return [one.id for one in await queue.reap(database, OVER)] == [job.id]


async def reap_lapsed(database: Database, job: Job) -> bool:
    """Its lease is over and its time is not: it is queued again."""
    assert await queue.reap(database, OVER - timedelta(seconds=1)) == []
    return await _status(database, job.id) == "queued"


async def hand_back(database: Database, job: Job) -> bool:
    await queue.hand_back(database, job, NOW)
    return await _status(database, job.id) == "queued"


SETTLEMENTS: dict[str, Act] = {"succeeded": succeed, "failed": fail}
RIVALS: dict[Act, str] = {
    cancel: "cancelled",
    expire: "failed",
    reap_overdue: "failed",
    reap_lapsed: "queued",
    hand_back: "queued",
}
ENTRIES = {
    "queued": ["hold"],
    "succeeded": ["hold", "capture"],
    "failed": ["hold", "release"],
    "cancelled": ["hold", "release"],
}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.__name__)
@pytest.mark.parametrize("settled", SETTLEMENTS)
async def test_a_job_is_settled_or_taken_away_but_never_both(database: Database, settled: str, rival: Act) -> None:
    settle = SETTLEMENTS[settled]
    account_id = await _open_account(database)
    for race in (_meet, *[_rush] * RUSHES):
        for acts in ((settle, rival), (rival, settle)):
            job = await _claimed(database, account_id)
            won = dict(zip(acts, await race(database, job, *acts), strict=True))
            assert won[settle] != won[rival]
            await _check(database, job, settled if won[settle] else RIVALS[rival])
            await queue.cancel(database, account_id, job.id, NOW)


async def _meet(database: Database, job: Job, *acts: Act) -> list[bool]:
    """The acts begin one after the other, and none can end before all have begun."""
    async with database.write() as session:
        await ledger.lock_account(session, job.account_id)
        tasks: list[asyncio.Task[bool]] = []
        for act in acts:
            tasks.append(asyncio.ensure_future(act(database, job)))
            await until(lambda: _are_stuck(database, tasks))
    return await asyncio.gather(*tasks)


async def _rush(database: Database, job: Job, *acts: Act) -> list[bool]:
    return await asyncio.gather(*(act(database, job) for act in acts))


async def _are_stuck(database: Database, tasks: list[asyncio.Task[bool]]) -> bool:
    """Whether each has ended or waits; on SQLite all of them stand in one line from the start."""
    if database.is_sqlite:
        return True
    async with database.read() as session:
        waiting = (await session.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))).scalar_one()
    return bool(waiting == sum(not task.done() for task in tasks))


async def _open_account(database: Database) -> str:
    async with database.write() as session:
        return (await create_account(session, PLANS, "ada@example.com", NOW, plan="free")).id


async def _claimed(database: Database, account_id: str) -> Job:
    submission = Submission(Caller(account_id, LIMITS), "generate_image", {"prompt": "a cat"}, None, COST, OVER)
    outcome = await submit(database, submission, NOW)
    claim = await queue.claim(database, PLANS, "worker", LEASE_SECONDS, NOW)
    assert claim is not None
    assert claim.job.id == outcome.job_id
    return claim.job


async def _status(database: Database, job_id: str) -> str:
    async with database.read() as session:
        return (await session.execute(select(col(Job.status)).where(col(Job.id) == job_id))).scalar_one()


async def _check(database: Database, job: Job, status: str) -> None:
    """The job is what the winner has made of it, and its hold was settled once or is open."""
    async with database.read() as session:
        entries = await session.execute(select(col(Entry.kind)).where(col(Entry.job_id) == job.id))
        kinds = sorted(entries.scalars())
        held = (await session.execute(select(col(Account.held)))).scalar_one()
    assert await _status(database, job.id) == status
    assert kinds == sorted(ENTRIES[status])
    assert held == (COST if status == "queued" else 0)
    assert await verify(database, NOW, grace_seconds=0) == []
