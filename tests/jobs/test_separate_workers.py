"""Servers that only serve and workers that only work, as processes of their own on one database."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.database.tables import Job
from aiops.jobs import presence
from aiops.ledger.verify import verify
from tests.fixtures.forked import forked, forked_worker, has_died
from tests.fixtures.receiver import OK, told_by
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE, SPEECH, until
from tests.fixtures.web import serving

SERVES_ONLY = {"AIOPS_JOB_SLOTS": "0"}


Start = Callable[..., ForkServerProcess]


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[StubServer]:
    with stub_server(tmp_path, database_url, STUB_DELAY_SECONDS="0.01") as server:
        yield server


@pytest.fixture
def start_server(server: StubServer) -> Iterator[Start]:
    with ExitStack() as running:
        yield lambda **environment: running.enter_context(forked(server, **SERVES_ONLY, **environment))


@pytest.fixture
def start_worker(server: StubServer) -> Iterator[Start]:
    with ExitStack() as running:
        yield lambda **environment: running.enter_context(forked_worker(server, **environment))


@pytest.fixture
async def database(server: StubServer) -> AsyncIterator[Database]:
    database = Database(server.database_url)
    yield database
    assert await verify(database, server.now(), grace_seconds=5) == []
    await database.close()


@asynccontextmanager
async def calling(server: StubServer, plan: str = "business") -> AsyncIterator[httpx.AsyncClient]:
    _, key = await make_customer(server.database_url, load_plans(None), plan=plan)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
        yield client


async def image(client: httpx.AsyncClient, prompt: str = "a lighthouse", **headers: str) -> httpx.Response:
    return await client.post(IMAGE, json={"prompt": prompt}, headers=headers)


async def test_what_a_server_accepts_a_worker_does(
    server: StubServer, database: Database, start_server: Start, start_worker: Start
) -> None:
    start_server()
    async with calling(server) as client:
        queued = await image(client, Prefer="wait=1")
        assert (queued.status_code, server.calls) == (202, 0), "the server does not work"
        worker = start_worker()
        answer = await image(client)
        assert (answer.status_code, answer.json()["success"]) == (200, True)
        assert {process for _, process, _ in server.work} == {worker.pid}


async def test_a_worker_sends_word_of_what_a_server_has_cancelled(
    server: StubServer, database: Database, start_server: Start, start_worker: Start
) -> None:
    async with serving(OK) as receiver:
        server.environment["AIOPS_PRIVATE_HOSTS"] = receiver.authority
        start_server()
        async with calling(server) as client:
            body = {"prompt": "a cat", "callback_url": f"http://{receiver.authority}/"}
            queued = await client.post(IMAGE, json=body, headers={"Prefer": "respond-async"})
            await client.post(f"/api/jobs/{queued.json()['id']}/cancel")
            assert told_by(receiver) == []
            start_worker()

            async def is_told() -> bool:
                return [told.event["type"] for told in told_by(receiver)] == ["job.cancelled"]

            await until(is_told)


async def test_a_worker_takes_the_jobs_of_its_services_only(
    server: StubServer, database: Database, start_server: Start, start_worker: Start
) -> None:
    start_server()
    start_worker(AIOPS_JOB_SERVICES="generate_speech,transcribe_audio")
    async with calling(server) as client:
        queued = await image(client, Prefer="respond-async")
        speech = await client.post(SPEECH, json={"text": "Good morning."})
        assert speech.status_code == 200
        job = await client.get(f"/api/jobs/{queued.json()['id']}")
        assert job.json()["status"] == "queued"
        start_worker(AIOPS_JOB_SERVICES="generate_image")
        job = await client.get(f"/api/jobs/{queued.json()['id']}", headers={"Prefer": "wait=60"})
        assert job.json()["status"] == "succeeded"


async def test_a_worker_that_is_told_to_stop_finishes_what_it_can(
    server: StubServer, database: Database, start_server: Start, start_worker: Start
) -> None:
    start_server()
    async with calling(server) as client:
        with server.hold():
            worker = start_worker(STUB_CONSTANTS='{"aiops.app.FINISH_SECONDS": 60}')
            call = asyncio.create_task(image(client))
            await until(lambda: is_at_work(database))
            worker.terminate()
            await until(lambda: is_stopping(server, database))
            queued = await image(client, "another", Prefer="respond-async")
        assert (await call).status_code == 200
        await has_died(worker, 30)
        assert worker.exitcode == 0
        assert await status_of(database, queued.json()["id"]) == "queued", "nothing more was begun"


async def test_a_worker_that_is_told_to_stop_hands_back_what_it_cannot_finish(
    server: StubServer, database: Database, start_server: Start, start_worker: Start
) -> None:
    start_server()
    async with calling(server) as client:
        slow = start_worker(STUB_DELAY_SECONDS="600")
        call = asyncio.create_task(image(client))
        await until(lambda: is_at_work(database))
        slow.terminate()
        await has_died(slow, 30)
        assert slow.exitcode == 0
        start_worker()
        answer = await call
        assert answer.status_code == 200
        async with database.read() as session:
            assert (await session.get_one(Job, answer.json()["job_id"])).attempt == 2


async def test_a_worker_that_is_killed_is_followed_by_another(
    server: StubServer, database: Database, start_server: Start, start_worker: Start
) -> None:
    server.environment |= {"AIOPS_LEASE_SECONDS": "1", "AIOPS_REAPER_SECONDS": "0.2"}
    start_server()
    async with calling(server) as client:
        doomed = start_worker(STUB_DELAY_SECONDS="600")
        call = asyncio.create_task(image(client))
        await until(lambda: is_at_work(database))
        doomed.kill()
        start_worker()
        assert (await call).status_code == 200


async def test_a_server_without_workers_refunds_what_waits_too_long(
    server: StubServer, database: Database, start_server: Start, start_worker: Start
) -> None:
    server.environment |= {"AIOPS_ASYNC_JOB_SECONDS": "1", "AIOPS_REAPER_SECONDS": "0.2"}
    start_server()
    async with calling(server) as client:
        queued = await image(client, Prefer="respond-async")
        job = await client.get(f"/api/jobs/{queued.json()['id']}", headers={"Prefer": "wait=30"})
        assert (job.json()["status"], job.json()["credits_refunded"]) == ("failed", 5)


async def test_a_server_is_not_ready_while_nobody_works(
    server: StubServer, database: Database, start_server: Start, start_worker: Start
) -> None:
    start_server()
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        answer = await client.get("/ready")
        assert (answer.status_code, answer.json()) == (503, {"error": "No worker takes jobs.", "code": "not_ready"})
        assert (await client.get("/health")).status_code == 200
        worker = start_worker()

        async def is_ready() -> bool:
            return (await client.get("/ready")).status_code == 200

        await until(is_ready)
        worker.terminate()
        await has_died(worker, 30)
        assert await is_ready(), "workers may be exchanged"
        server.advance(presence.MISSED.total_seconds())
        assert not await is_ready()


@pytest.fixture
def heard_server(tmp_path: Path, postgresql_database_url: str) -> Iterator[StubServer]:
    """On PostgreSQL, with one process that serves only, and looks so rare that only a signal can be why."""
    rare = (
        '{"aiops.process.LOOK_SECONDS": 600, "aiops.process.DEAF_LOOK_SECONDS": 600,'
        ' "aiops.jobs.worker.IDLE_SECONDS": 600, "aiops.jobs.worker.DEAF_IDLE_SECONDS": 600}'
    )
    options = {"STUB_CONSTANTS": rare, "AIOPS_REAPER_SECONDS": "60"}
    with stub_server(tmp_path, postgresql_database_url, **options) as server, forked(server, **SERVES_ONLY):
        yield server


async def test_a_call_hears_at_once_of_the_job_that_a_worker_ends_because_it_stops(heard_server: StubServer) -> None:
    """It was asked of a provider that is paid, so that no other worker may ask again."""
    with forked_worker(heard_server, STUB_PAID="1", STUB_DELAY_SECONDS="600") as worker:
        async with calling(heard_server) as client:
            call = asyncio.create_task(image(client))
            await until(lambda: has_called(heard_server, 1))
            worker.terminate()
            async with asyncio.timeout(30):
                answer = await call
    assert (answer.status_code, answer.json()["refunded"]) == (500, True)


@pytest.mark.parametrize("is_cancelled", [False, True], ids=["ends", "is cancelled"])
async def test_the_end_of_a_job_makes_way_for_one_that_other_workers_take(
    heard_server: StubServer, is_cancelled: bool
) -> None:
    """The account may run two at once, which are images; its speech waits for one of them."""
    images, speeches = {"AIOPS_JOB_SERVICES": "generate_image"}, {"AIOPS_JOB_SERVICES": "generate_speech"}
    with forked_worker(heard_server, **images), forked_worker(heard_server, **speeches):
        async with calling(heard_server, plan="free") as client:
            await client.post(SPEECH, json={"text": "Good morning."})  # both are connected
            with heard_server.hold():
                running = [(await image(client, str(one), Prefer="respond-async")).json() for one in range(2)]
                await until(lambda: has_called(heard_server, 3))
                speech = asyncio.create_task(client.post(SPEECH, json={"text": "Good evening."}))
                await asyncio.sleep(1)  # in which it is looked for in vain
                if is_cancelled:
                    await client.post(f"/api/jobs/{running[0]['id']}/cancel")
                    await until(lambda: has_called(heard_server, 4), 20)
            async with asyncio.timeout(20):
                assert (await speech).status_code == 200


async def test_waiting_calls_hear_at_once_of_what_other_processes_end(heard_server: StubServer) -> None:
    with forked_worker(heard_server):
        async with calling(heard_server) as client:
            await image(client)  # once they are connected, whatever came before was looked for
            started = time.monotonic()
            for _ in range(10):
                assert (await image(client)).status_code == 200
            assert time.monotonic() - started < 25


async def has_called(server: StubServer, calls: int) -> bool:
    return server.calls == calls


async def is_at_work(database: Database) -> bool:
    async with database.read() as session:
        running = select(func.count()).where(col(Job.status) == "running")
        return (await session.execute(running)).scalar_one() > 0


async def is_stopping(server: StubServer, database: Database) -> bool:
    async with database.read() as session:
        return any(process.state == presence.STOPPING for process in await presence.alive(session, server.now()))


async def status_of(database: Database, job_id: str) -> str:
    async with database.read() as session:
        return (await session.get_one(Job, job_id)).status
