"""Databases and disks that fail while the server sells: each answer is a documented one and true, nothing is lost or
charged twice, and the server goes on by itself once it can."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from aiops.accounts.plans import load_plans
from aiops.database import engine
from aiops.database.engine import Session
from aiops.database.tables import Job
from aiops.jobs import presentation, service_call
from aiops.providers.base import Call, Media
from tests.fixtures.buyers import (
    OPENING_CREDITS,
    buyers,
    check_outputs,
    check_sales,
    codes,
    plans_without_limits,
    sells_again,
)
from tests.fixtures.disk import room_for
from tests.fixtures.postgresql import OwnPostgresql, own_postgresql
from tests.fixtures.providers import Held, png
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE, Service, running_service, until

CUTS_MIN = 20
CUTS_MAX = 500
SECONDS_BETWEEN_CUTS = (0.01, 0.3)
OUTAGES_SECONDS = [pytest.param(1), pytest.param(10, marks=pytest.mark.long)]
TOLD = frozenset({"ok", "database_unavailable", "job_running"})


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPostgresql]:
    with own_postgresql(tmp_path_factory.mktemp("own") / "data") as server:
        yield server


@asynccontextmanager
async def selling(
    folder: Path, database_url: str, told: frozenset[str] = TOLD
) -> AsyncIterator[tuple[StubServer, list[httpx.Response]]]:
    """A server that sells to customers who never pause. It must outlive whatever happens to its database, sell again,
    and have told the truth in every answer."""
    plans = plans_without_limits(folder)
    options = {"AIOPS_PLANS_FILE": str(plans), "AIOPS_REAPER_SECONDS": "0.5", "STUB_DELAY_SECONDS": "0.03"}
    with stub_server(folder, database_url, **options) as server:
        _, key = await make_customer(database_url, load_plans(plans), plan="free", credits=OPENING_CREDITS)
        process = server.start()
        async with buyers(server.url, key) as answers:
            await sells_again(answers)
            yield server, answers
            await sells_again(answers)
        assert process.poll() is None
        assert codes(answers) <= told
        await check_sales(database_url, folder / "files", answers)
        await check_outputs(server.url, database_url, answers)


async def order(server: StubServer, answers: list[httpx.Response]) -> str:
    """The code that a new order is answered with. The buyers may all be waiting for jobs that they have submitted."""
    key = {"Authorization": answers[0].request.headers["Authorization"]}
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        (code,) = codes([await client.post(IMAGE, json={"prompt": "meanwhile"}, headers=key)])
        return code


async def test_connections_that_are_cut_again_and_again(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    url = new_database("postgresql")
    async with selling(tmp_path, url) as (_, answers):
        for cut in range(CUTS_MAX):
            if cut >= CUTS_MIN and "database_unavailable" in codes(answers):
                break
            await asyncio.sleep(random.uniform(*SECONDS_BETWEEN_CUTS))
            cut_connections(url)
    assert "database_unavailable" in codes(answers), "nobody noticed: the test has shown nothing"


def cut_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("seconds", OUTAGES_SECONDS)
async def test_a_database_server_that_crashes_and_comes_back(tmp_path: Path, own: OwnPostgresql, seconds: int) -> None:
    async with selling(tmp_path, own.new_database()) as (server, answers):
        with crashed(own):
            await asyncio.sleep(seconds)
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                assert (await client.get("/health")).status_code == 200
                assert (await client.get("/ready")).status_code == 503
            assert await order(server, answers) == "database_unavailable"


@contextmanager
def crashed(own: OwnPostgresql) -> Iterator[None]:
    own.crash()
    try:
        yield
    finally:
        own.start()


PATHS = ["/api/account", "/api/services", "/api/jobs", "/api/jobs/{job}", "/api/credits/transactions", "/metrics"]


async def test_what_is_told_while_the_database_is_away(tmp_path: Path, own: OwnPostgresql) -> None:
    async with running_service(tmp_path, own.new_database()) as service:
        ada = await service.customer()
        bought = (await ada.image()).json()
        paths = [path.format(job=bought["job_id"]) for path in PATHS] + [bought["image_url"]]
        with crashed(own):
            answers = [await ada.image(), *[await ada.client.get(path) for path in paths]]
            assert codes(answers) == {"database_unavailable"}
            assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {(503, "5")}
            assert (await ada.client.get("/openapi.yaml")).status_code == 200
        assert {(await ada.client.get(path)).status_code for path in paths} == {200}
        assert await ada.credits() == 4995


async def test_work_that_is_done_during_an_outage_is_captured_after_it(tmp_path: Path, own: OwnPostgresql) -> None:
    async with running_service(tmp_path, own.new_database()) as service:
        ada = await service.customer()
        held = service.provider.behave = Held()
        call = asyncio.create_task(ada.image())
        await held.begun.wait()
        with crashed(own):
            held.finish.set()
            await until(lambda: _are_kept(service, 1))
        answer = await call
        assert (answer.status_code, answer.json()["credits_remaining"]) == (200, 4995)
        assert (await ada.client.get(answer.json()["image_url"])).status_code == 200
        assert len(service.provider.calls) == 1


@pytest.mark.parametrize("is_paid", [False, True], ids=["is done again", "is refunded, not paid twice"])
async def test_work_whose_lease_lapses_during_an_outage_is_settled_once(
    tmp_path: Path, own: OwnPostgresql, is_paid: bool
) -> None:
    """By whoever has the job then. The call to a provider that is paid cannot be repeated."""
    begun = asyncio.Event()

    async def hang_the_first_time(_call: Call) -> None:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()

    async with running_service(tmp_path, own.new_database(), reaper_seconds=0.1) as service:
        ada = await service.customer()
        service.provider.paid, service.provider.behave = is_paid, hang_the_first_time
        call = asyncio.create_task(ada.image())
        await begun.wait()
        with crashed(own):
            service.clock.advance(seconds=service.runtime.settings.lease_seconds + 1)
        status, calls, credits_left = (500, 1, 5000) if is_paid else (200, 2, 4995)
        assert (await call).status_code == status
        assert len(service.provider.calls) == calls
        assert await ada.credits() == credits_left


async def test_an_answer_whose_connection_is_cut_is_read_again(
    tmp_path: Path, new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job has ended and is charged: to tell its caller that it runs would have it bought once more."""
    url, cuts = new_database("postgresql"), [cut_connections]

    async def find_after_a_cut(session: Session, account_id: str, job_id: str) -> Job | None:
        if cuts:
            cuts.pop()(url)
        return await presentation.find_job(session, account_id, job_id)

    monkeypatch.setattr(service_call, "find_job", find_after_a_cut)
    async with running_service(tmp_path, url) as service:
        ada = await service.customer()
        answer = await ada.image()
        assert (answer.status_code, answer.json()["credits_remaining"], cuts) == (200, 4995, [])


async def _are_kept(service: Service, files: int) -> bool:
    return sum(1 for _ in service.folder.glob("*/[!.]*")) == files


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """Another process keeps the database file to itself."""
    program = (
        "import sqlite3, sys; lock = sqlite3.connect(sys.argv[1], isolation_level=None);"
        " lock.execute('BEGIN EXCLUSIVE'); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(make_url(database_url).database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield
        other.communicate()


@pytest.mark.parametrize("seconds", OUTAGES_SECONDS)
async def test_a_file_that_another_process_locks_is_waited_for(
    tmp_path: Path, new_database: Callable[[str], str], seconds: int
) -> None:
    url = new_database("sqlite")
    async with selling(tmp_path, url) as (_, answers):
        with locked(url):
            await asyncio.sleep(seconds)
    assert codes(answers) == {"ok"}


async def test_a_file_that_stays_locked_is_said_to_be_unavailable(
    tmp_path: Path, new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SQLITE_BUSY_TIMEOUT_SECONDS", 0.1)
    url = new_database("sqlite")
    async with running_service(tmp_path, url) as service:
        ada = await service.customer()
        await ada.image()
        with locked(url):
            answers = await asyncio.gather(*(ada.image() for _ in range(5)))
        assert codes(answers) == {"database_unavailable"}
        assert (await ada.image()).status_code == 200
        assert await ada.credits() == 4990


@pytest.mark.parametrize("seconds", OUTAGES_SECONDS)
async def test_a_disk_on_which_nothing_can_be_written_any_more(
    tmp_path: Path, new_database: Callable[[str], str], seconds: int
) -> None:
    """Neither database nor files nor log. An output that could not be stored is refunded, once there is room."""
    told = TOLD | {"generation_failed"}
    async with selling(tmp_path, new_database("sqlite"), told) as (server, answers):
        with room_for(0, server.processes[0].pid):
            await asyncio.sleep(seconds)
            assert await order(server, answers) == "database_unavailable"


async def test_a_disk_that_is_too_full_for_an_output(service: Service) -> None:
    async def answer_much(_call: Call) -> Media:
        return Media(png() + bytes(9_000_000), "image/png", "stub-image")

    ada = await service.customer()
    service.provider.behave = answer_much
    with room_for(8_000_000):
        answer = await ada.client.post(IMAGE, json={"prompt": "a lighthouse"})
    assert (answer.status_code, answer.json()["error"]) == (500, "Generation failed")
    assert (answer.json()["reason"], answer.json()["credits"]) == ("The result could not be stored.", 5000)
    assert [path for path in service.folder.rglob("*") if path.is_file()] == []
    assert (await ada.image()).status_code == 200
    assert await ada.credits() == 4995
