"""Locks on PostgreSQL: who may go on while another transaction holds an account."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from aiops.accounts import rate_limits
from aiops.accounts.accounts import create_account
from aiops.accounts.authentication import Caller
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.jobs.submission import count_refused
from aiops.ledger import ledger
from aiops.runtime import utc_now

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
