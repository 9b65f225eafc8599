"""The limits of an account hold over four server processes, each of which is called by its own address."""

import asyncio
import itertools
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from aiops.accounts.plans import load_plans
from aiops.contract.document import api_document
from aiops.database.engine import Database, Session
from aiops.database.tables import OPEN_STATUSES, Account, Job, RateWindow
from aiops.identifiers import new_id
from aiops.ledger import ledger
from aiops.ledger.verify import verify
from aiops.runtime import utc_now
from tests.fixtures.contract import ContractCheck
from tests.fixtures.server import StubServer, make_customer, most_at_once, run_at_once, stub_servers
from tests.fixtures.service import IMAGE, until

PROCESSES = 4
CONNECTIONS = 8  # to each process: parallel, and no call waits for its account so long that it is given up (5 s)
COST = 5
OTHER_REQUESTS = 300
PLANS = """\
free: {monthly_credits: 1, requests_per_minute: 1000, jobs_at_once: 50, jobs_queued: 1000, audio_minutes: 1}
twenty_a_minute: {monthly_credits: 1, requests_per_minute: 20, jobs_at_once: 50, jobs_queued: 1000, audio_minutes: 1}
three_a_minute: {monthly_credits: 1, requests_per_minute: 3, jobs_at_once: 50, jobs_queued: 1000, audio_minutes: 1}
three_at_once: {monthly_credits: 1, requests_per_minute: 1000, jobs_at_once: 3, jobs_queued: 1000, audio_minutes: 1}
five_queued: {monthly_credits: 1, requests_per_minute: 1000, jobs_at_once: 1, jobs_queued: 5, audio_minutes: 1}
"""
JSON = {"Content-Type": "application/json"}
CONTRACT = ContractCheck(api_document())


@pytest.fixture(scope="module")
def servers(shared_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[StubServer]]:
    folder = tmp_path_factory.mktemp("servers")
    (folder / "plans.yaml").write_text(PLANS)
    options = {
        "AIOPS_PLANS_FILE": str(folder / "plans.yaml"),
        "STUB_DELAY_SECONDS": "0.05",
        "STUB_OTHER_REQUESTS": str(OTHER_REQUESTS),
    }
    with stub_servers(PROCESSES, folder, shared_database_url, **options) as started:
        for server in started:
            assert httpx.get(f"{server.url}/health", timeout=60).status_code == 200
        yield started


class Customer:
    """An account that calls each process in turn. `name` is the first word of its prompts."""

    def __init__(self, servers: Sequence[StubServer], account_id: str, key: str, clients: list[httpx.AsyncClient]):
        self.servers, self.id, self.key, self.name = servers, account_id, key, secrets.token_hex(4)
        self.turns = itertools.cycle(clients)

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await next(self.turns).request(method, path, **options)

    async def image(self, **headers: str) -> httpx.Response:
        return await self.call("POST", IMAGE, json={"prompt": f"{self.name} draws"}, headers=headers)

    async def account(self) -> httpx.Response:
        return await self.call("GET", "/api/account")


@asynccontextmanager
async def customer(servers: Sequence[StubServer], plan: str, credits_: int = 10_000) -> AsyncIterator[Customer]:
    plans = load_plans(servers[0].folder / "plans.yaml")
    email = f"{secrets.token_hex(4)}@example.com"
    account_id, key = await make_customer(servers[0].database_url, plans, email, plan=plan, credits=credits_)
    clients = [
        httpx.AsyncClient(
            base_url=server.url,
            headers={"Authorization": f"Bearer {key}"},
            event_hooks={"response": [CONTRACT]},
            limits=httpx.Limits(max_keepalive_connections=0, max_connections=CONNECTIONS),
            timeout=120,
        )
        for server in servers
    ]
    try:
        yield Customer(servers, account_id, key, clients)
    finally:
        for client in clients:
            await client.aclose()


@asynccontextmanager
async def database_of(servers: Sequence[StubServer]) -> AsyncIterator[Database]:
    database = Database(servers[0].database_url)
    try:
        yield database
    finally:
        await database.close()


def policy(answer: httpx.Response) -> tuple[str, int]:
    """What a call was counted by, and how many of these are left: `"services";r=9;t=41`."""
    name, left, _ = answer.headers["ratelimit"].split(";")
    return name.strip('"'), int(left.removeprefix("r="))


def calls_of_all_kinds(ada: Customer) -> list[Awaitable[httpx.Response]]:
    """Valid ones, more than can be paid; invalid and malformed ones; some that repeat each other."""
    kinds: list[Callable[[], Awaitable[httpx.Response]]] = [
        ada.image,
        ada.image,
        lambda: ada.image(**{"Idempotency-Key": "order-1"}),
        lambda: ada.call("POST", IMAGE, json={"prompt": ""}),
        lambda: ada.call("POST", IMAGE, content=b"{", headers=JSON),
    ]
    return [kinds[number % len(kinds)]() for number in range(60)]


async def test_exactly_as_many_calls_of_whatever_kind_are_taken_as_the_plan_allows(servers: list[StubServer]) -> None:
    async with customer(servers, "twenty_a_minute", credits_=6 * COST) as ada:
        servers[0].begin_minute()
        for _ in range(2):
            answers = await asyncio.gather(*calls_of_all_kinds(ada))
            statuses = Counter(answer.status_code for answer in answers)
            taken = [answer for answer in answers if answer.status_code != 429 and policy(answer)[0] == "services"]
            assert sorted(policy(answer)[1] for answer in taken) == list(range(20))
            assert statuses.keys() <= {200, 400, 402, 422, 429}
            refused = [answer for answer in answers if answer.status_code == 429]
            assert {answer.json()["code"] for answer in refused} == {"rate_limit_exceeded"}
            servers[0].advance(max(int(answer.headers["retry-after"]) for answer in refused))
        account = (await ada.account()).json()
        async with database_of(servers) as database, database.read() as session:
            jobs = select(func.count()).where(col(Job.account_id) == ada.id)
            assert account["credits"] == 6 * COST - (await session.execute(jobs)).scalar_one() * COST


@pytest.mark.parametrize(
    "second", [59.7, *(pytest.param(second, marks=pytest.mark.long) for second in (0, 0.3, 30, 58, 59.3))]
)
async def test_whoever_waits_as_long_as_told_is_not_refused_again(servers: list[StubServer], second: float) -> None:
    """Each call goes to another process than the one before."""
    async with customer(servers, "three_a_minute") as ada:
        servers[0].begin_minute(second)
        for _ in range(5):
            while (answer := await ada.image()).status_code == 200:
                pass
            servers[0].advance(int(answer.headers["retry-after"]))
            assert (await ada.image()).status_code == 200


@pytest.mark.long
async def test_exactly_300_other_calls_are_taken_repeats_among_them(servers: list[StubServer]) -> None:
    async with customer(servers, "free") as ada:
        servers[0].begin_minute()
        order = {"Idempotency-Key": "order-1"}
        assert (await ada.image(**order)).status_code == 200
        answers = await asyncio.gather(*(ada.image(**order) if n % 5 == 0 else ada.account() for n in range(320)))
        assert Counter(answer.status_code for answer in answers) == Counter({200: OTHER_REQUESTS, 429: 20})
        left = [policy(answer) for answer in answers if answer.status_code == 200]
        assert sorted(left) == [("other", number) for number in range(OTHER_REQUESTS)]
        assert policy(await ada.image()) == ("services", 1000 - 2)
        refused = next(answer for answer in answers if answer.status_code == 429)
        servers[0].advance(int(refused.headers["retry-after"]))
        again = await asyncio.gather(*(ada.image(**order) for _ in range(PROCESSES)))
        assert {answer.status_code for answer in again} == {200}


async def test_no_more_jobs_run_at_once_than_the_plan_allows(servers: list[StubServer]) -> None:
    """By what the provider sees, and by the job table, watched all the time."""
    async with customer(servers, "three_at_once") as ada, customer(servers, "three_at_once") as bob:
        running: Counter[str] = Counter()

        async def watch(database: Database) -> bool:
            nonlocal running
            running |= await running_jobs(database)
            return most_at_once(servers[0].work) >= Counter({ada.name: 3, bob.name: 3})

        async with database_of(servers) as database:
            with servers[0].hold():
                selling = asyncio.gather(*(one.image() for one in (ada, bob) * 24))
                await until(lambda: watch(database))
            while not selling.done():
                await watch(database)
        assert {answer.status_code for answer in await selling} == {200}
        most = most_at_once(servers[0].work)
        assert [most[ada.name], most[bob.name], running[ada.id], running[bob.id]] == [3, 3, 3, 3]


async def running_jobs(database: Database) -> Counter[str]:
    async with database.read() as session:
        counted = select(col(Job.account_id), func.count()).where(col(Job.status) == "running")
        rows = await session.execute(counted.group_by(col(Job.account_id)))
        return Counter({row[0]: row[1] for row in rows})


async def test_a_full_queue_takes_exactly_as_many_as_it_may_and_costs_the_others_nothing(
    servers: list[StubServer],
) -> None:
    async with customer(servers, "five_queued") as ada:
        servers[0].begin_minute()
        with servers[0].hold():
            first = asyncio.create_task(ada.image())
            await until(lambda: is_at_work(servers, ada))
            calls = [asyncio.create_task(ada.image()) for _ in range(40)]
            refused = [await answer for answer in itertools.islice(asyncio.as_completed(calls), 35)]
            assert {answer.json()["code"] for answer in refused} == {"queue_full"}
            assert min(policy(answer) for answer in refused) == ("services", 1000 - 6)
            assert await kept_of(servers, ada) == (10_000 - 6 * COST, 6 * COST, 6, 6)
        answers = await asyncio.gather(first, *calls)
        assert Counter(answer.status_code for answer in answers) == Counter({200: 6, 429: 35})
        async with database_of(servers) as database:
            assert await verify(database, servers[0].now(), 5) == []


async def is_at_work(servers: list[StubServer], customer: Customer) -> bool:
    return any(who == customer.name for _, _, who in servers[0].work)


async def kept_of(servers: list[StubServer], customer: Customer) -> tuple[int, int, int, int]:
    """Credits and held of the account, its jobs, and its calls in this window."""
    async with database_of(servers) as database, database.read() as session:
        account = (await session.execute(select(Account).where(col(Account.id) == customer.id))).scalar_one()
        jobs = (await session.execute(select(func.count()).where(col(Job.account_id) == customer.id))).scalar_one()
        calls = select(col(RateWindow.calls)).where(
            col(RateWindow.subject) == customer.id, col(RateWindow.policy) == "services"
        )
        return account.credits, account.held, jobs, (await session.execute(calls)).scalar_one()


@pytest.mark.long
async def test_no_slot_is_lost_to_a_process_that_is_killed(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "plans.yaml").write_text(PLANS)
    options = {
        "AIOPS_PLANS_FILE": str(tmp_path / "plans.yaml"),
        "AIOPS_LEASE_SECONDS": "6",
        "AIOPS_REAPER_SECONDS": "0.2",
        "AIOPS_JOB_SLOTS": "1",
    }
    with stub_servers(PROCESSES, tmp_path, database_url, **options) as servers:
        async with customer(servers, "three_at_once") as ada, database_of(servers) as database:
            with servers[0].hold():
                calls = asyncio.gather(*(ada.image() for _ in range(12)), return_exceptions=True)
                await until(lambda: has_at_work(servers, ada, 3))
                at_work = {process for _, process, _ in servers[0].work}
                survivor = next(one for one in servers if one.processes[0].pid in at_work)
                for server in servers:
                    if server is not survivor:
                        server.kill(server.processes[0])
                        server.start()
                await until(lambda: has_at_work(servers, ada, 3))
                assert (await running_jobs(database))[ada.id] == 3
            answers = await calls
            assert sum(isinstance(answer, httpx.Response) for answer in answers) >= 12 // PROCESSES
            await until(lambda: all_have_ended(database))
            assert most_at_once(of_the_living(servers))[ada.name] == 3
            assert await verify(database, servers[0].now(), 5) == []


async def has_at_work(servers: list[StubServer], customer: Customer, number: int) -> bool:
    """Whether as many calls of a provider go on in processes that live."""
    now = Counter(what for what, _, who in of_the_living(servers) if who == customer.name)
    return now["begin"] - now["end"] == number


def of_the_living(servers: list[StubServer]) -> list[tuple[str, int, str]]:
    living = {process.pid for server in servers for process in server.processes}
    return [line for line in servers[0].work if line[1] in living]


async def all_have_ended(database: Database) -> bool:
    async with database.read() as session:
        is_open = select(func.count()).where(col(Job.status).in_(OPEN_STATUSES))
        return (await session.execute(is_open)).scalar_one() == 0


CLAIMING = """
import asyncio, sys
from pathlib import Path
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.jobs import queue
from aiops.runtime import utc_now

async def main(url, plans):
    database, plans = Database(url), load_plans(Path(plans))
    print("ready", flush=True)
    sys.stdin.readline()
    claims = await asyncio.gather(*(queue.claim(database, plans, "worker", 60, utc_now()) for _ in range(10)))
    print(*(claim.job.credits for claim in claims if claim is not None), flush=True)
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.long
async def test_claimers_of_four_processes_take_all_slots_of_each_account_and_no_more(
    tmp_path: Path, database_url: str
) -> None:
    """The price of a job tells here whose it is."""
    (tmp_path / "plans.yaml").write_text(PLANS)
    plans = load_plans(tmp_path / "plans.yaml")
    database = Database(database_url)
    for price in (1, 2):
        email = f"{price}@example.com"
        account_id, _ = await make_customer(database_url, plans, email, plan="three_at_once", credits=1000)
        async with database.write() as session:
            for _ in range(20):
                await submit_job(session, account_id, price)
    await database.close()
    arguments = [sys.executable, "-c", CLAIMING, database_url, str(tmp_path / "plans.yaml")]
    claimed = await asyncio.to_thread(run_at_once, arguments, processes=PROCESSES)
    assert Counter(claimed) == Counter({1: 3, 2: 3})


async def submit_job(session: Session, account_id: str, price: int) -> None:
    values: dict[str, Any] = {
        "operation_id": "generate_image",
        "request": {},
        "credits": price,
        "created_at": utc_now(),
    }
    job = Job(id=new_id("job"), account_id=account_id, deadline_at=utc_now() + timedelta(minutes=4), **values)
    session.add(job)
    await session.flush()
    await ledger.hold(session, account_id, job.id, price, utc_now())
