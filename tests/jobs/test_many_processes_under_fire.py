"""Three servers and three workers on one PostgreSQL and one bucket, while any of them is killed, the database restarts
and connections are cut: every job ends once and is told, nothing is leaked."""

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from tests.fixtures.aftermath import all_ended, check_books
from tests.fixtures.buckets import S3, running_s3
from tests.fixtures.buyers import plans_without_limits
from tests.fixtures.forked import forked, forked_worker
from tests.fixtures.namespaces import HOST, Namespace, are_allowed, namespaces, relayed
from tests.fixtures.postgresql import OwnPostgresql, own_postgresql
from tests.fixtures.proxy import proxied
from tests.fixtures.receiver import OK
from tests.fixtures.server import ROOT, StubServer, make_customer, stub_server
from tests.fixtures.stub_server import WORKER
from tests.fixtures.web import WebServer, serving
from tests.jobs.test_kills import OPENING_CREDITS, check_told, customers, has_answered, subscribe

SERVERS = WORKERS = 3
SECONDS_BETWEEN_KILLS = (0.3, 2.0)
CUT_SECONDS = 4
SUPERVISION_SECONDS = 0.2
PAID_MIN = 20
ALLOWED = "two namespaces"
HOW = ALLOWED if are_allowed() else "NOT RUN: this machine allows no network namespaces"
OPTIONS = {
    "AIOPS_LEASE_SECONDS": "2",
    "AIOPS_REAPER_SECONDS": "0.5",
    "STUB_DELAY_SECONDS": "0.05",
    "STUB_FAILURES": "0.1",
    "STUB_IMAGES_ONLY": "1",
}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnPostgresql]:
    with own_postgresql(tmp_path / "postgresql") as server:
        yield server


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[S3, str]]:
    with running_s3() as s3:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        yield s3, s3.new_bucket()


@dataclass
class Fleet:
    """Processes of a server, of which each that is killed is followed by another of its kind."""

    server: StubServer
    stack: ExitStack
    processes: list[tuple[str, ForkServerProcess]] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)

    def start(self, kind: str) -> None:
        process = forked(self.server, AIOPS_JOB_SLOTS="0") if kind == "server" else forked_worker(self.server)
        self.processes.append((kind, self.stack.enter_context(process)))

    async def supervise(self) -> None:
        """Starts anew what has ended by itself, as whoever runs it would: one that starts without a database does."""
        while True:
            for kind, process in list(self.processes):
                if process.exitcode is not None:
                    self.processes.remove((kind, process))
                    self.start(kind)
            await asyncio.sleep(SUPERVISION_SECONDS)

    async def kill_one(self) -> None:
        kind, process = self.processes.pop(random.randrange(len(self.processes)))
        process.kill()
        await asyncio.to_thread(process.join)
        self.killed[kind] += 1
        self.start(kind)

    async def kill_for(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + seconds
        while loop.time() < ends_at:
            await asyncio.sleep(random.uniform(*SECONDS_BETWEEN_KILLS))
            await self.kill_one()


@contextmanager
def fleet(server: StubServer) -> Iterator[Fleet]:
    with ExitStack() as stack:
        running = Fleet(server, stack)
        for kind in ["server"] * SERVERS + ["worker"] * WORKERS:
            running.start(kind)
        yield running


@asynccontextmanager
async def selling(
    folder: Path, database_url: str, through: str, bucket: tuple[S3, str]
) -> AsyncIterator[tuple[Fleet, list[int]]]:
    """Customers who never pause. At the end, with the database and all six processes there, everything must be right.
    The processes reach the database `through` another address."""
    s3, storage_url = bucket
    plans = plans_without_limits(folder)
    async with serving(OK) as receiver:
        options = {
            **OPTIONS,
            **s3.environment,
            "AIOPS_STORAGE_URL": storage_url,
            "AIOPS_PLANS_FILE": str(plans),
            "AIOPS_PRIVATE_HOSTS": receiver.authority,
        }
        _, key = await make_customer(database_url, load_plans(plans), plan="free", credits=OPENING_CREDITS)
        with stub_server(folder, through, **options) as server, fleet(server) as running:
            secret = await subscribe(server, key, receiver.authority)
            supervision = asyncio.create_task(running.supervise())
            async with customers(server, key) as answers:
                await has_answered(answers, 5)
                yield running, answers
                await has_answered(answers, 20)
            await check(database_url, server, key, receiver, secret)
            supervision.cancel()


async def check(database_url: str, server: StubServer, key: str, receiver: WebServer, secret: str) -> None:
    database = Database(database_url)
    try:
        await all_ended(database, server)
        books = await check_books(database, server, key, OPENING_CREDITS)
        await check_told(books, server, receiver, secret)
    finally:
        await database.close()
    assert len(books.captured) > PAID_MIN, "the customers hardly got through: the test has shown little"
    print(f"{len(books.jobs)} jobs, {len(books.captured)} paid, {len(receiver.requests)} deliveries")


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_a_minute_of_kills_with_a_restart_of_the_database(
    tmp_path: Path, own: OwnPostgresql, bucket: tuple[S3, str]
) -> None:
    url = own.new_database()
    async with selling(tmp_path, url, url, bucket) as (fleet, answers):
        await fleet.kill_for(30)
        await asyncio.to_thread(own.crash)
        await fleet.kill_for(2)
        await asyncio.to_thread(own.start)
        await has_answered(answers, 5)
        await fleet.kill_for(30)
        assert min(fleet.killed["server"], fleet.killed["worker"]) >= 5
        print(f"killed: {dict(fleet.killed)}, answers: {dict(Counter(answers))}")


async def test_a_few_kills(tmp_path: Path, postgresql_database_url: str, bucket: tuple[S3, str]) -> None:
    async with selling(tmp_path, postgresql_database_url, postgresql_database_url, bucket) as (fleet, answers):
        for _ in range(4):
            await has_answered(answers, 4)
            await fleet.kill_one()


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", ["cut", "silent"])
async def test_cuts_between_the_processes_and_the_database(
    tmp_path: Path, postgresql_database_url: str, bucket: tuple[S3, str], how: str
) -> None:
    """Connections are closed and refused for a while; or they stay, and nothing that the database says arrives."""
    async with (
        proxied(postgresql_database_url) as (through, proxy),
        selling(tmp_path, postgresql_database_url, through, bucket) as (fleet, answers),
    ):
        for _ in range(4):
            if how == "cut":
                proxy.go_away()
                await asyncio.sleep(CUT_SECONDS)
                proxy.come_back()
            else:
                proxy.is_silent = True
                await asyncio.sleep(CUT_SECONDS)
                proxy.is_silent = False
                proxy.cut_all()  # what was lost on the way is never said again
            await has_answered(answers, 20)
            await fleet.kill_for(3)
        print(f"killed: {dict(fleet.killed)}, answers: {dict(Counter(answers))}")


def in_namespace(namespace: Namespace, server: StubServer, descriptor: int) -> subprocess.Popen[bytes]:
    """A process of a server, or a worker, that reaches us over a cable only; the socket it is called at is ours."""
    arguments = [sys.executable, "-m", "tests.fixtures.stub_server", str(descriptor), str(server.folder / "calls")]
    only_serves = {} if descriptor == WORKER else {"AIOPS_JOB_SLOTS": "0"}
    with (server.folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [*namespace.command, *arguments],
            cwd=ROOT,
            env={**os.environ, **server.environment, **only_serves},
            pass_fds=[] if descriptor == WORKER else [descriptor],
            stdout=log,
            stderr=log,
        )
    server.processes.append(process)
    return process


@asynccontextmanager
async def two_halves(
    folder: Path, database_url: str, bucket: tuple[S3, str], receiver: WebServer, stack: ExitStack
) -> AsyncIterator[tuple[StubServer, list[Namespace], str]]:
    """A server and a worker in each of two namespaces. Database, store and receiver are reached over the cables."""
    halves = stack.enter_context(namespaces(2))
    s3, storage_url = bucket
    plans = plans_without_limits(folder)
    async with (
        proxied(database_url, HOST) as (through, _),
        relayed(s3.port) as s3_port,
        relayed(receiver.port) as receiver_port,
    ):
        options = {
            **OPTIONS,
            **s3.environment,
            "AWS_ENDPOINT_URL": f"http://{HOST}:{s3_port}",
            "AIOPS_STORAGE_URL": storage_url,
            "AIOPS_PLANS_FILE": str(plans),
            "AIOPS_PRIVATE_HOSTS": f"{HOST}:{receiver_port}",
        }
        with stub_server(folder, through, **options) as server:
            for half in halves:
                in_namespace(half, server, server.listener.fileno())
                in_namespace(half, server, WORKER)
            yield server, halves, f"{HOST}:{receiver_port}"
            for process in list(server.processes):  # here, while we still pass on what they send
                server.kill(process)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", [HOW])
async def test_a_cut_cable(how: str, tmp_path: Path, postgresql_database_url: str, bucket: tuple[S3, str]) -> None:
    """One half of the processes after the other is cut off from everything, and nobody is told.

    Where the machine does not allow it, the name of the test says so, and a proxy that loses what is said stands in:
    the test above.
    """
    if how != ALLOWED:
        return
    _, key = await make_customer(
        postgresql_database_url, load_plans(plans_without_limits(tmp_path)), plan="free", credits=OPENING_CREDITS
    )
    with ExitStack() as stack:
        async with (
            serving(OK) as receiver,
            two_halves(tmp_path, postgresql_database_url, bucket, receiver, stack) as (server, halves, authority),
        ):
            secret = await subscribe(server, key, authority)
            async with customers(server, key) as answers:
                await has_answered(answers, 10)
                for half in [*halves, *halves]:
                    half.cut()
                    await asyncio.sleep(CUT_SECONDS)
                    half.heal()
                    await has_answered(answers, 20)
            await check(postgresql_database_url, server, key, receiver, secret)
