"""Which job is claimed next, where no index happens to say it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from aiops.accounts.accounts import create_account
from aiops.accounts.authentication import Caller
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.jobs import queue
from aiops.jobs.submission import Submission, submit

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
SECONDS_OF_ARRIVAL = (3, 1, 4, 0, 5, 2)  # as servers with different clocks write them down
PLANS = load_plans(None)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def test_the_oldest_job_is_claimed_first_whatever_the_database_finds_first(database: Database) -> None:
    async with database.write() as session:
        await session.execute(text("DROP INDEX job_by_status"))
        account = await create_account(session, PLANS, "ada@example.com", NOW, plan="pro")
    caller = Caller(account.id, PLANS["pro"])
    arrived: dict[str, int] = {}
    for seconds in SECONDS_OF_ARRIVAL:
        at = NOW + timedelta(seconds=seconds)
        call = Submission(caller, "generate_image", {"prompt": "a cat"}, None, 5, at + timedelta(minutes=4))
        arrived[(await submit(database, call, at)).job_id or ""] = seconds
    claims = [await queue.claim(database, PLANS, "worker", 30, NOW) for _ in SECONDS_OF_ARRIVAL]
    assert [arrived[claim.job.id] for claim in claims if claim] == sorted(SECONDS_OF_ARRIVAL)
