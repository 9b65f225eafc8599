"""Which job is claimed next: accounts take turns, and an account's own jobs stay in order."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from aiops.accounts.accounts import create_account
from aiops.accounts.authentication import Caller
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.database.tables import Job
from aiops.jobs import queue
from aiops.jobs.submission import Submission, submit

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
SECONDS_OF_ARRIVAL = (3, 1, 4, 0, 5, 2)  # as servers with different clocks write them down
MANY = 40
TURNS = 8
FAR = NOW + timedelta(days=1)
PLANS = load_plans(None)
_seconds = itertools.count()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def test_an_accounts_jobs_are_claimed_in_the_order_they_came_whatever_clocks_say(database: Database) -> None:
    async with database.write() as session:
        await session.execute(text("DROP INDEX job_by_status"))
        await session.execute(text("DROP INDEX job_by_turn"))
    ada = await make_caller(database, "ada")
    arrived = [await order(database, ada, seconds) for seconds in SECONDS_OF_ARRIVAL]
    assert await claimed(database, len(arrived)) == arrived


async def test_the_first_job_of_one_account_does_not_wait_for_the_many_of_another(database: Database) -> None:
    ada, bob = await make_caller(database, "ada"), await make_caller(database, "bob")
    for _ in range(MANY):
        await order(database, ada)
    await claimed(database, 3)
    bobs = await order(database, bob, seconds=60)
    assert bobs in await claimed(database, 2)


async def test_accounts_take_turns(database: Database) -> None:
    ada, bob, eve = [await make_caller(database, name) for name in ("ada", "bob", "eve")]
    owners = {await order(database, caller): caller.account_id for caller in (ada, bob, eve) for _ in range(4)}
    order_of_claims = [owners[job_id] for job_id in await claimed(database, len(owners))]
    for first in range(0, len(owners), 3):
        assert set(order_of_claims[first : first + 3]) == set(owners.values())


@pytest.mark.parametrize("is_back_first", [False, True])
@pytest.mark.parametrize(("callers", "slots", "long"), [(2, 1, 0), (12, 8, 0), (1, 1, 1), (3, 1, 1), (12, 6, 2)])
async def test_an_account_with_many_jobs_is_not_starved_by_those_that_come_one_by_one(
    database: Database, callers: int, slots: int, long: int, is_back_first: bool
) -> None:
    """Those call again whenever they are answered, before or after the slot is taken again, and there are more of them
    than places to work, of which some may be held by a `long` job."""
    for n in range(long):
        await order(database, await make_caller(database, f"long{n}"))
        await claim_one(database)
    ada = await make_caller(database, "ada")
    others = {one.account_id: one for one in [await make_caller(database, f"caller{n}") for n in range(callers)]}
    for caller in others.values():
        await order(database, caller)
    running = [await claim_one(database) for _ in range(slots)]
    adas = {await order(database, ada) for _ in range(MANY)}
    served = 0
    for _ in range(TURNS * (callers + 1)):
        ended = running.pop(0)
        await queue.fail(database, ended, queue.Failure("failed", "It is down."), NOW)
        back = others.get(ended.account_id)
        if back and is_back_first:
            await order(database, back)
        running.append(await claim_one(database))
        served += running[-1].id in adas
        if back and not is_back_first:
            await order(database, back)
    assert TURNS - 2 <= served <= TURNS + 2, "one turn as often as each of the others, or nearly"


async def test_what_was_used_before_costs_nobody_a_turn(database: Database) -> None:
    ada, bob = await make_caller(database, "ada"), await make_caller(database, "bob")
    for _ in range(MANY):
        await order(database, ada)
    await claimed(database, MANY, finish=True)
    bobs = [await order(database, bob) for _ in range(4)]
    adas = await order(database, ada)
    assert adas in await claimed(database, 2), "ada stands level with bob's first"
    assert len(bobs) == 4


async def test_accounts_at_their_limit_are_passed_over_until_they_are_not(database: Database) -> None:
    ada, bob = await make_caller(database, "ada", plan="free"), await make_caller(database, "bob", plan="free")
    adas = [await order(database, ada) for _ in range(4)]
    bobs = [await order(database, bob) for _ in range(2)]
    claims = [await claim(database) for _ in range(5)]
    assert [one.job.id for one in claims if one] == [adas[0], bobs[0], adas[1], bobs[1]]
    assert claims[4] is None
    assert claims[0] is not None
    await queue.fail(database, claims[0].job, queue.Failure("failed", "It is down."), NOW)
    assert await claimed(database, 1) == [adas[2]]


async def test_a_worker_claims_jobs_of_its_services_only(database: Database) -> None:
    ada = await make_caller(database, "ada")
    await order(database, ada)
    speech = await order(database, ada, service="generate_speech")
    mine = await queue.claim(database, PLANS, "worker", 30, NOW, services=("generate_speech", "transcribe_audio"))
    assert mine is not None
    assert mine.job.id == speech
    assert await queue.claim(database, PLANS, "worker", 30, NOW, services=("generate_speech",)) is None


async def make_caller(database: Database, name: str, plan: str = "business") -> Caller:
    async with database.write() as session:
        account = await create_account(session, PLANS, f"{name}@example.com", NOW, plan=plan)
        return Caller(account.id, PLANS[plan])


async def order(
    database: Database, caller: Caller, seconds: float | None = None, service: str = "generate_image"
) -> str:
    """A job, queued after those before unless it is said when."""
    at = NOW + timedelta(seconds=next(_seconds) if seconds is None else seconds)
    outcome = await submit(database, Submission(caller, service, {"prompt": "a cat"}, None, 5, FAR), at)
    assert outcome.job_id is not None
    return outcome.job_id


async def claim(database: Database) -> queue.Claim | None:
    return await queue.claim(database, PLANS, "worker", 30, NOW)


async def claim_one(database: Database) -> Job:
    found = await claim(database)
    assert found is not None
    return found.job


async def claimed(database: Database, number: int, *, finish: bool = False) -> list[str]:
    """The next jobs; with `finish` each ends before the next is claimed."""
    ids = []
    for _ in range(number):
        job = await claim_one(database)
        ids.append(job.id)
        if finish:
            await queue.fail(database, job, queue.Failure("failed", "It is down."), NOW)
    return ids
