"""Locks on PostgreSQL: who may go on while another transaction holds an account."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from aiops.accounts import rate_limits
from aiops.accounts.accounts import create_account
from aiops.accounts.authentication import Caller
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database, Session
from aiops.database.tables import Job
from aiops.identifiers import new_id
from aiops.jobs import queue
from aiops.jobs.submission import count_refused
from aiops.ledger import ledger
from aiops.runtime import utc_now
from tests.fixtures.postgresql import are_held_up
from tests.fixtures.service import until

PLANS = load_plans(None)


@pytest.fixture
async def database(new_database: Callable[[str], str]) -> AsyncIterator[Database]:
    database = Database(new_database("postgresql"))
    yield database
    await database.close()


async def test_a_first_refusal_and_a_first_call_do_not_wait_for_each_other(database: Database) -> None:
    """Both insert the account's first rate window, which refers to the account that the call has locked."""
    async with database.write() as session:
        account = await create_account(session, PLANS, "ada@example.com", utc_now(), plan="free")
    async with database.write() as session:
        await ledger.lock_account(session, account.id)
        async with asyncio.timeout(10):
            await count_refused(database, Caller(account.id, PLANS["free"]), utc_now())
        quota = await rate_limits.count(session, account.id, rate_limits.SERVICES, 10, utc_now())
    assert quota is not None
    assert quota.remaining == 8


async def test_an_account_is_locked_by_one_at_a_time(database: Database) -> None:
    async with database.write() as session:
        account = await create_account(session, PLANS, "ada@example.com", utc_now(), plan="free")
    order: list[str] = []

    async def second() -> None:
        async with database.write() as session:
            await ledger.lock_account(session, account.id)
            order.append("second")

    async with database.write() as session:
        await ledger.lock_account(session, account.id)
        waiting = asyncio.create_task(second())
        await asyncio.wait([waiting], timeout=0.3)
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def test_a_worker_that_was_beaten_to_the_last_slot_takes_the_next_accounts_job(database: Database) -> None:
    """Otherwise that job would wait until somebody happens to look again, while workers have nothing to do."""
    async with database.write() as session:
        ada, bob = [
            (await create_account(session, PLANS, email, utc_now(), plan="free")).id
            for email in ("ada@example.com", "bob@example.com")
        ]
        slots = PLANS["free"].jobs_at_once
        adas = [await _queue_job(session, ada) for _ in range(slots + 1)]
        bobs = await _queue_job(session, bob)
    async with database.write() as session:
        for job in adas[:-1]:
            job.status = "running"
            await session.merge(job)
        await session.flush()
        await ledger.lock_account(session, ada)
        beaten = asyncio.create_task(queue.claim(database, PLANS, "beaten", 30, utc_now()))
        await until(lambda: are_held_up(database, 1))
    claim = await beaten
    assert claim is not None
    assert claim.job.id == bobs.id
    assert await queue.claim(database, PLANS, "beaten", 30, utc_now()) is None


async def _queue_job(session: Session, account_id: str) -> Job:
    job = Job(
        id=new_id("job"),
        account_id=account_id,
        operation_id="generate_image",
        request={},
        credits=5,
        created_at=utc_now(),
        deadline_at=utc_now() + timedelta(minutes=4),
    )
    session.add(job)
    await session.flush()
    return job
