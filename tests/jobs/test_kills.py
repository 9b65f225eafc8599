"""Servers that are killed again and again while they sell: nothing is leaked, and nothing paid for is lost."""

import asyncio
import random
import subprocess
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx
import pytest

from aiops.accounts.plans import load_plans
from aiops.contract.document import api_document
from aiops.database.engine import Database
from aiops.webhooks import courier
from tests.fixtures.aftermath import Books, all_ended, check_books
from tests.fixtures.contract import ContractCheck
from tests.fixtures.forked import forked
from tests.fixtures.receiver import JOB_EVENTS, OK, told_by
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE, SPEECH, until
from tests.fixtures.web import WebServer, serving

CUSTOMERS = 6
OPENING_CREDITS = 1_000_000
ANSWERS_BETWEEN_KILLS_MAX = 10
SECONDS_AFTER_AN_ANSWER_MAX = 0.05
Child = tuple[int, str]  # its number, which may be given again, and when it started
OPTIONS = {
    "AIOPS_LEASE_SECONDS": "1",
    "AIOPS_REAPER_SECONDS": "0.2",
    "STUB_DELAY_SECONDS": "0.03",
    "STUB_FAILURES": "0.2",
    "STUB_IMAGES_ONLY": "1",
}


async def test_servers_that_are_killed_ten_times(tmp_path: Path, database_url: str) -> None:
    await kill_while_selling(tmp_path, database_url, processes=2, kills=6)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("processes", [1, 2], ids=["one process", "two processes"])
async def test_servers_that_are_killed_a_hundred_times(tmp_path: Path, database_url: str, processes: int) -> None:
    await kill_while_selling(tmp_path, database_url, processes=processes, kills=100)


async def kill_while_selling(folder: Path, database_url: str, *, processes: int, kills: int) -> None:
    plans = folder / "plans.yaml"
    limits = "monthly_credits: 1, requests_per_minute: 100000, jobs_at_once: 50, jobs_queued: 1000, audio_minutes: 1"
    plans.write_text(f"free: {{{limits}}}\n")
    async with serving(OK) as receiver:
        options = {**OPTIONS, "AIOPS_PLANS_FILE": str(plans), "AIOPS_PRIVATE_HOSTS": receiver.authority}
        with stub_server(folder, database_url, **options) as server, ExitStack() as running:
            _, key = await make_customer(database_url, load_plans(plans), plan="free", credits=OPENING_CREDITS)
            secret = await sell_under_fire(server, key, running, receiver, processes=processes, kills=kills)
            database = Database(database_url)
            try:
                await all_ended(database, server)
                books = await check_books(database, server, key, OPENING_CREDITS)
                await check_told(books, server, receiver, secret)
            finally:
                await database.close()
    assert len(books.captured) > kills, "the customers hardly got through: the test has shown little"


async def subscribe(server: StubServer, key: str, authority: str) -> str:
    """Has every end of a job told to the receiver; the secret it is signed with."""
    body = {"url": f"http://{authority}/hook", "events": JOB_EVENTS}
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        answer = await client.post("/api/webhooks", json=body, headers={"Authorization": f"Bearer {key}"})
    return str(answer.json()["secret"])


async def check_told(books: Books, server: StubServer, receiver: WebServer, secret: str) -> None:
    """Every job's end is told at least once, each under one id. What was on its way at a kill is due after a lease."""
    server.advance(courier.LEASE.total_seconds())

    async def all_told() -> bool:
        return {one.event["data"]["id"] for one in told_by(receiver)} == {job.id for job in books.jobs}

    await until(all_told)
    assert all(one.is_signed_with(secret) for one in told_by(receiver))
    pairs = {(one.id, one.event["data"]["id"]) for one in told_by(receiver)}
    assert len(pairs) == len(books.jobs) == len({event_id for event_id, _ in pairs})


async def sell_under_fire(
    server: StubServer, key: str, running: ExitStack, receiver: WebServer, *, processes: int, kills: int
) -> str:
    """Customers call without a pause while the process that has run for longest is killed; the last ones stay.

    Each third time it is killed in the middle of work in a subprocess. The secret of what the receiver is told.
    """
    alive = deque(running.enter_context(forked(server)) for _ in range(processes))
    secret = await subscribe(server, key, receiver.authority)
    async with customers(server, key) as answers:
        for number in range(kills):
            process = alive.popleft()
            await has_answered(answers, random.randint(1, ANSWERS_BETWEEN_KILLS_MAX))
            await asyncio.sleep(random.uniform(0, SECONDS_AFTER_AN_ANSWER_MAX))
            children = await children_of(process, at_least_one=number % 3 == 0)
            process.kill()
            alive.append(running.enter_context(forked(server)))
            await asyncio.to_thread(process.join)
            await have_ended(children)
        await has_answered(answers, 1)
    return secret


async def has_answered(answers: list[int], more: int) -> None:
    enough = len(answers) + more

    async def has() -> bool:
        return len(answers) >= enough

    await until(has)


async def children_of(process: ForkServerProcess, *, at_least_one: bool) -> set[Child]:
    """The subprocesses of a server, waited for where there has to be one."""
    children: set[Child] = set()

    async def are_there() -> bool:
        children.update(await asyncio.to_thread(running_processes, of=process.pid))
        return bool(children) or not at_least_one

    await until(are_there)
    return children


async def have_ended(children: set[Child]) -> None:
    """Waits until the subprocesses in which a killed server worked have ended as well."""

    async def are_gone() -> bool:
        return not children or not children & await asyncio.to_thread(running_processes)

    await until(are_gone, 20)


def running_processes(*, of: int | None = None) -> set[Child]:
    """Every process, or those that one has started."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat=,lstart="], capture_output=True, text=True, check=True)
    rows = (row.split() for row in listed.stdout.splitlines())
    return {
        (int(pid), " ".join(started))
        for pid, parent, state, *started in rows
        if not state.startswith("Z") and (of is None or parent == str(of))
    }


@asynccontextmanager
async def customers(server: StubServer, key: str) -> AsyncIterator[list[int]]:
    """The statuses that they are answered. One of them buys speech, which is made in subprocesses. At the end each
    waits for its answer: a call that was given up could still reach a server, and begin a job after all have ended."""
    orders = [(SPEECH, "text"), *[(IMAGE, "prompt")] * (CUSTOMERS - 1)]
    answers: list[int] = []
    closing = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number, (path, field) in enumerate(orders):
            group.create_task(buy(server, key, (path, field, f"{number}"), answers, closing))
        yield answers
        closing.set()


async def buy(
    server: StubServer, key: str, order: tuple[str, str, str], answers: list[int], closing: asyncio.Event
) -> None:
    path, field, customer = order
    contract = ContractCheck(api_document())
    headers = {"Authorization": f"Bearer {key}"}
    hooks: dict[str, list[Callable[..., Any]]] = {"response": [contract]}
    number = 0
    each_anew = httpx.Limits(max_keepalive_connections=0)  # so that every process gets some
    options: dict[str, Any] = {"event_hooks": hooks, "limits": each_anew, "timeout": 30}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, **options) as client:
        while not closing.is_set():
            number += 1
            try:
                once = {"Idempotency-Key": f"{customer}-{number}"}
                answers.append((await client.post(path, json={field: f"Order {number}."}, headers=once)).status_code)
            except httpx.TransportError:
                number -= random.randint(0, 1)  # the answer is lost: half of the customers' tools repeat the call
