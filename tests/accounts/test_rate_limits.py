import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from aiops.accounts import rate_limits
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.providers.base import Call
from tests.fixtures.server import make_customer, run_at_once
from tests.fixtures.service import IMAGE, SPEECH, Customer, Service, running_service, until

JSON = {"Content-Type": "application/json"}
NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
async def early(service: Service) -> Service:
    """A server at the beginning of a minute, so that no window ends during a test that makes a few calls."""
    start_of_a_minute(service)
    return service


@pytest.fixture
async def early_sqlite(sqlite_service: Service) -> Service:
    start_of_a_minute(sqlite_service)
    return sqlite_service


def start_of_a_minute(service: Service) -> None:
    service.clock.begin_minute()


def left(answer: httpx.Response) -> int:
    """The `r` of RateLimit."""
    members = dict(part.partition("=")[::2] for part in answer.headers["ratelimit"].split(";"))
    return int(members["r"])


async def test_as_many_parallel_calls_as_the_plan_allows_are_admitted(early: Service) -> None:
    ada = await early.customer(plan="free", credits=1000)
    answers = await asyncio.gather(*(ada.image() for _ in range(25)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (10, 15)
    assert sorted(left(answer) for answer in answers if answer.status_code == 200) == list(range(10))
    assert len(early.provider.calls) == 10
    assert await ada.credits() == 1000 - 10 * 5


async def test_a_refusal_says_when_to_come_back_and_then_the_call_is_taken(early: Service) -> None:
    ada = await early.customer(plan="free", credits=1000)
    for _ in range(10):
        assert (await ada.image()).status_code == 200
    refusal = await ada.image()
    seconds = int(refusal.headers["retry-after"])
    assert refusal.status_code == 429
    assert refusal.json() == {"error": "Rate limit exceeded", "code": "rate_limit_exceeded", "retry_after": seconds}
    assert 2 <= seconds <= 61
    assert refusal.headers["ratelimit"] == f'"services";r=0;t={seconds - 1}', "a second is for clocks that differ"
    early.clock.advance(seconds=seconds)
    taken = await ada.image()
    assert taken.status_code == 200
    assert left(taken) == 9


async def test_the_headers_say_what_is_left_and_until_when(early_sqlite: Service) -> None:
    ada = await early_sqlite.customer(plan="free", credits=1000)
    early_sqlite.clock.advance(seconds=20)
    answer = await ada.image()
    assert answer.headers["ratelimit-policy"] == '"services";q=10;w=60'
    policy, remaining, seconds = answer.headers["ratelimit"].split(";")
    assert (policy, remaining) == ('"services"', "r=9")
    assert 30 <= int(seconds.removeprefix("t=")) <= 40


async def test_refused_calls_are_not_counted(early_sqlite: Service) -> None:
    """A client that goes on calling while it is refused must not wait longer for it."""
    ada = await early_sqlite.customer(plan="free", credits=1000)
    for _ in range(30):
        await ada.image()
    early_sqlite.clock.advance(minutes=1)
    assert left(await ada.image()) == 9


async def test_a_replay_is_answered_beyond_the_limit_of_the_plan(early_sqlite: Service) -> None:
    ada = await early_sqlite.customer(plan="free", credits=1000)
    first = await ada.image(**{"Idempotency-Key": "k"})
    again = await ada.image(**{"Idempotency-Key": "k"})
    assert (left(first), left(again)) == (9, 299)
    for _ in range(9):
        await ada.image()
    assert (await ada.image()).status_code == 429
    beyond = await ada.image(**{"Idempotency-Key": "k"})
    assert (beyond.status_code, left(beyond)) == (200, 298)
    assert beyond.headers["idempotent-replayed"] == "true"


async def test_a_call_that_finds_the_queue_full_is_not_counted(
    tmp_path: Path, new_database: Callable[[str], str]
) -> None:
    plans = tmp_path / "plans.yaml"
    plans.write_text(
        "free: {monthly_credits: 99, requests_per_minute: 9, jobs_at_once: 1, jobs_queued: 1, audio_minutes: 1}"
    )
    async with running_service(tmp_path, new_database("sqlite"), plans_file=plans) as service:
        start_of_a_minute(service)
        finish = asyncio.Event()

        async def wait(_call: Call) -> None:
            await finish.wait()

        service.provider.behave = wait
        ada = await service.customer(plan="free")
        calls = []
        for status in ("running", "queued"):
            calls.append(asyncio.create_task(ada.image()))
            await until(lambda status=status: has_job(ada, status))  # type: ignore[misc]
        full = await ada.image()
        assert (full.status_code, full.json()["code"]) == (429, "queue_full")
        assert left(full) == 9 - 2
        assert int(full.headers["retry-after"]) == 5
        finish.set()
        assert [answer.status_code for answer in await asyncio.gather(*calls)] == [200, 200]


async def test_a_full_queue_says_so_until_the_window_ends_where_that_is_full_as_well(
    tmp_path: Path, new_database: Callable[[str], str]
) -> None:
    """Whoever waits as long as told must not be refused for the other reason then."""
    plans = tmp_path / "plans.yaml"
    plans.write_text(
        "free: {monthly_credits: 99, requests_per_minute: 2, jobs_at_once: 1, jobs_queued: 1, audio_minutes: 1}"
    )
    async with running_service(tmp_path, new_database("sqlite"), plans_file=plans) as service:
        start_of_a_minute(service)
        finish = asyncio.Event()

        async def wait(_call: Call) -> None:
            await finish.wait()

        service.provider.behave = wait
        ada = await service.customer(plan="free")
        calls = []
        for status in ("running", "queued"):
            calls.append(asyncio.create_task(ada.image()))
            await until(lambda status=status: has_job(ada, status))  # type: ignore[misc]
        full = await ada.image()
        assert (full.status_code, full.json()["code"], left(full)) == (429, "queue_full", 0)
        finish.set()
        await asyncio.gather(*calls)
        assert (await ada.image()).json()["code"] == "rate_limit_exceeded"
        service.clock.advance(seconds=int(full.headers["retry-after"]))
        assert (await ada.image()).status_code == 200


async def test_whoever_comes_back_to_a_full_queue_as_told_has_a_place_when_the_longest_waiting_jobs_time_is_over(
    tmp_path: Path, new_database: Callable[[str], str]
) -> None:
    """Even where nothing is worked off; and until then the queue is all that such a client is refused for."""
    plans = tmp_path / "plans.yaml"
    plans.write_text(
        "free: {monthly_credits: 99, requests_per_minute: 3, jobs_at_once: 1, jobs_queued: 1, audio_minutes: 1}"
    )
    settings: dict[str, Any] = {"plans_file": plans, "reaper_seconds": 0.05, "lease_seconds": 600}
    async with running_service(tmp_path, new_database("sqlite"), **settings) as service:
        start_of_a_minute(service)
        over = service.clock() + timedelta(seconds=service.runtime.settings.job_seconds)  # or a moment after that
        finish = asyncio.Event()

        async def wait(_call: Call) -> None:
            await finish.wait()

        service.provider.behave = wait
        ada = await service.customer(plan="free")
        calls = []
        for status in ("running", "queued"):
            calls.append(asyncio.create_task(ada.image()))
            await until(lambda status=status: has_job(ada, status))  # type: ignore[misc]
        before = service.clock()
        while (refusal := await ada.image()).status_code == 429:
            assert refusal.json()["code"] == "queue_full"
            assert before < over
            service.clock.advance(seconds=int(refusal.headers["retry-after"]))
            before = service.clock()
            if before >= over:
                assert (await calls[1]).status_code == 500
                finish.set()
        assert refusal.status_code == 200
        assert (await calls[0]).status_code == 200


async def has_job(customer: Customer, status: str) -> bool:
    jobs = (await customer.client.get("/api/jobs")).json()["data"]
    return any(job["status"] == status for job in jobs)


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 10_000


def post(path: str = IMAGE, **options: object) -> Callable[[Customer], Awaitable[httpx.Response]]:
    def call(customer: Customer) -> Awaitable[httpx.Response]:
        return customer.client.post(path, **options)  # type: ignore[arg-type]

    return call


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("status", "call"),
    [
        pytest.param(400, post(content=b"{", headers=JSON), id="400 malformed"),
        pytest.param(402, post(json={"prompt": "x"}), id="402 no credits"),
        pytest.param(413, post(content=b" " * 70_000, headers=JSON), id="413 announced"),
        pytest.param(413, post(content=endless(), headers=JSON), id="413 while reading"),
        pytest.param(415, post(content=b"prompt=x"), id="415 no JSON"),
        pytest.param(422, post(json={}), id="422 invalid"),
        pytest.param(422, post(json={"prompt": "x"}, headers={"Idempotency-Key": "x" * 256}), id="422 Idempotency-Key"),
        pytest.param(503, post(SPEECH, json={"text": "x", "model": "vibevoice"}), id="503 no provider"),
    ],
)
async def test_a_call_that_fails_is_counted(
    shared_service: Service,
    status: int,
    call: Callable[[Customer], Awaitable[httpx.Response]],
) -> None:
    start_of_a_minute(shared_service)
    shared_service.provider.models = frozenset({"black-forest-labs/FLUX.1-schnell"})
    ada = await shared_service.customer(f"{secrets.token_hex(4)}@example.com", plan="free", credits=0)
    answer = await call(ada)
    assert (answer.status_code, left(answer)) == (status, 9)
    assert left(await ada.image()) == 8


async def test_calls_that_fail_use_up_the_limit(early_sqlite: Service) -> None:
    ada = await early_sqlite.customer(plan="free")
    for _ in range(10):
        assert (await ada.client.post(IMAGE, json={})).status_code == 422
    assert (await ada.image()).status_code == 429
    assert (await ada.client.post(IMAGE, json={})).status_code == 429


async def test_a_call_without_a_valid_key_is_not_counted(early_sqlite: Service) -> None:
    ada = await early_sqlite.customer(plan="free")
    for _ in range(3):
        assert (await early_sqlite.client(Authorization=ada.key).post(IMAGE, json={"prompt": "x"})).status_code == 401
    assert left(await ada.image()) == 9


async def test_all_other_calls_have_so_many_a_minute_of_their_own(
    early_sqlite: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "OTHER_REQUESTS_PER_MINUTE", 30)
    ada = await early_sqlite.customer(plan="free", credits=1000)
    assert left(await ada.image()) == 9
    paths = ["/api/account", "/api/services", "/api/jobs", "/api/credits/transactions", "/api/jobs/job_unknown"]
    answers = [await ada.client.get(path) for path in paths * 6]
    assert [left(answer) for answer in answers] == list(range(29, -1, -1))
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"other";q=30;w=60'}
    refusal = await ada.client.get("/api/account")
    assert (refusal.status_code, refusal.json()["code"]) == (429, "rate_limit_exceeded")
    image = await ada.image()
    assert (image.status_code, left(image)) == (200, 8)
    assert (await early_sqlite.client().get("/health")).status_code == 200
    early_sqlite.clock.advance(seconds=int(refusal.headers["retry-after"]))
    assert (await ada.client.get("/api/account")).status_code == 200


async def test_accounts_are_counted_apart(early_sqlite: Service) -> None:
    ada = await early_sqlite.customer("ada@example.com", plan="free")
    bob = await early_sqlite.customer("bob@example.com", plan="free")
    assert [left(await one.image()) for one in (ada, bob, ada, bob)] == [9, 9, 8, 8]


async def test_a_server_whose_clock_is_slow_counts_in_the_window_that_has_begun(service: Service) -> None:
    database, ada = service.runtime.database, await service.customer()
    slow = NOON - timedelta(seconds=60)

    async def count(now: datetime) -> int | None:
        async with database.write() as session:
            quota = await rate_limits.count(session, ada.id, "services", 3, now)
        return None if quota is None else quota.remaining

    assert [await count(now) for now in (NOON, slow, NOON, slow, NOON)] == [2, 1, 0, None, None]
    async with database.read() as session:
        look = await rate_limits.look(session, ada.id, "services", 3, slow)
    assert (look.remaining, look.reset_seconds) == (0, 90)
    assert await count(NOON + timedelta(seconds=30)) == 2


@pytest.mark.parametrize("next_clock_seconds", [-1, 0, 1], ids=["a second slow", "right", "a second fast"])
@pytest.mark.parametrize("now", [NOON.replace(second=0), NOON, NOON.replace(second=59, microsecond=999_999)])
async def test_whoever_waits_as_long_as_told_is_taken_by_whichever_server_is_asked_next(
    sqlite_service: Service, now: datetime, next_clock_seconds: int
) -> None:
    database, ada = sqlite_service.runtime.database, await sqlite_service.customer()
    async with database.write() as session:
        assert await rate_limits.count(session, ada.id, "services", 1, now)
        full, refusal = await rate_limits.admit(session, ada.id, "services", 1, now)
        assert refusal is not None
        assert refusal.body["retry_after"] >= full.reset_seconds
        later = now + timedelta(seconds=refusal.body["retry_after"] + next_clock_seconds)
        assert await rate_limits.count(session, ada.id, "services", 1, later)


COUNTING = """
import asyncio, sys
from datetime import datetime
from aiops.accounts import rate_limits
from aiops.database.engine import Database

async def main(url, account_id, now, calls, limit):
    database = Database(url)
    print("ready", flush=True)
    sys.stdin.readline()

    async def count():
        async with database.write() as session:
            return await rate_limits.count(session, account_id, "services", limit, now)

    admitted = await asyncio.gather(*(count() for _ in range(calls)))
    print(*(quota.remaining for quota in admitted if quota is not None), flush=True)
    await database.close()

url, account_id, now, calls, limit = sys.argv[1:]
asyncio.run(main(url, account_id, datetime.fromisoformat(now), int(calls), int(limit)))
"""


async def test_processes_that_count_at_the_same_time_admit_exactly_the_limit(database_url: str) -> None:
    account_id, _ = await make_customer(database_url, load_plans(None), plan="free")
    arguments = [sys.executable, "-c", COUNTING, database_url, account_id, NOON.isoformat(), "40", "60"]
    remaining = await asyncio.to_thread(run_at_once, arguments, processes=3)
    assert sorted(remaining) == list(range(60))
    database = Database(database_url)
    async with database.read() as session:
        assert (await rate_limits.look(session, account_id, "services", 60, NOON)).remaining == 0
    await database.close()
