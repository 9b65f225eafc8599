"""`aiops status` and `aiops worker`, as their user has them."""

import asyncio
import json
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text
from sqlmodel import col

from aiops.accounts.accounts import create_account
from aiops.accounts.authentication import Caller
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.database.tables import Job
from aiops.identifiers import new_id
from aiops.jobs import presence, queue
from aiops.jobs.presence import Presence
from aiops.jobs.submission import Submission, submit
from aiops.runtime import utc_now
from tests.fixtures.command import Run, refused
from tests.fixtures.ports import free_port
from tests.fixtures.service import until

PLANS = load_plans(None)
SERVICES = ["generate_image", "generate_speech", "transcribe_audio"]


@pytest.fixture
def busy_database_url(database_url: str) -> str:
    """Two workers, one for speech only; an image at work and two queued, one that its provider has failed."""
    asyncio.run(make_busy(database_url))
    return database_url


async def make_busy(url: str) -> None:
    database, now = Database(url), utc_now()
    async with database.write() as session:
        account = await create_account(session, PLANS, "ada@example.com", now, plan="business")
    caller = Caller(account.id, PLANS["business"])
    for _ in range(4):
        call = Submission(caller, "generate_image", {"prompt": "a cat"}, None, 5, now + timedelta(hours=1))
        await submit(database, call, now - timedelta(seconds=30))
    for name, services in (("one:1:a", []), ("two:2:b", ["generate_speech"])):
        await Presence(name, "elsewhere", services, 8, now).note(database, now, presence.WORKING)
    await Presence("gone:3:c", socket.gethostname(), [], 8, now).note(database, now, presence.STOPPED)
    failed = await queue.claim(database, PLANS, "one:1:a", 30, now)
    assert failed is not None
    await queue.fail(database, failed.job, queue.Failure("failed", "It is down.", "fal"), now)
    assert await queue.claim(database, PLANS, "one:1:a", 30, now) is not None
    await database.close()


def test_status_tells_what_is_queued_who_works_and_what_is_held(run: Run, busy_database_url: str) -> None:
    ended = run("status", "--json", database_url=busy_database_url)
    assert ended.code == 0
    found: dict[str, Any] = json.loads(ended.out)
    images, speech, _ = found["queues"]
    assert [queue["service"] for queue in found["queues"]] == SERVICES
    assert (images["queued"], images["running"], images["workers"], speech["workers"]) == (2, 1, 1, 2)
    assert 30 <= images["oldest_seconds"] < 90
    assert [(one["name"], one["running"]) for one in found["workers"]] == [
        ("one:1:a", {"generate_image": 1}),
        ("two:2:b", {}),
    ]
    assert (found["open_holds"], found["credits_held"], found["deliveries_due"]) == (3, 15, 0)
    (provider,) = found["providers"]
    assert (provider["name"], provider["failed"], provider["last_reason"]) == ("fal", 1, "It is down.")


def test_status_looks_at_no_more_jobs_than_it_needs(
    run: Run, busy_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more of them, at a shorter time."""
    monkeypatch.setattr("aiops.status.LATE_JOBS_MAX", 2)

    async def fail_more(seconds: float) -> None:
        database, at = Database(busy_database_url), utc_now() - timedelta(seconds=seconds)
        async with database.write() as session:
            (job,) = (await session.execute(select(Job).where(col(Job.status) == "failed").limit(1))).scalars()
            session.add(Job(**job.model_dump() | {"id": new_id("job"), "created_at": at, "finished_at": at}))
        await database.close()

    for seconds in (500, 300, 200):
        asyncio.run(fail_more(seconds))
    found = json.loads(run("status", "--json", database_url=busy_database_url).out)
    assert [provider["failed"] for provider in found["providers"]] == [2]
    assert 300 <= found["providers_seconds"] < 360
    assert "providers in the last 5 minutes:" in run("status", database_url=busy_database_url).out


def test_status_for_people(run: Run, busy_database_url: str) -> None:
    lines = run("status", database_url=busy_database_url).out.splitlines()
    assert lines[1].split()[:3] == ["generate_image", "2", "1"]
    assert "takes generate_speech, 0 of 8 at work: idle" in lines[7]
    assert "fal, generate_image: 0 succeeded, 1 failed" in "\n".join(lines)


def test_status_ends_with_1_where_nobody_takes_the_jobs_of_a_service(run: Run, database_url: str) -> None:
    ended = run("status", database_url=database_url)
    assert ended.code == 1
    assert "No worker takes jobs of transcribe_audio." in ended.out


def test_a_machine_can_ask_for_its_own_worker(run: Run, busy_database_url: str) -> None:
    """The health check of a container. The one of this machine has stopped."""
    assert run("status", "--here", database_url=busy_database_url).code == 1
    mine = Presence("four:4:d", socket.gethostname(), [], 8, utc_now())

    async def begin() -> None:
        database = Database(busy_database_url)
        await mine.note(database, utc_now(), presence.WORKING)
        await database.close()

    asyncio.run(begin())
    assert run("status", "--here", database_url=busy_database_url).code == 0
    asyncio.run(hide_jobs(busy_database_url))
    assert run("status", "--here", database_url=busy_database_url).code == 0, "it is asked often, and looks at no job"


async def hide_jobs(url: str) -> None:
    database = Database(url)
    async with database.write() as session:
        await session.execute(text("ALTER TABLE job RENAME TO elsewhere"))
    await database.close()


@pytest.mark.parametrize(
    ("arguments", "settings", "reason"),
    [
        (["--services", "generate_music"], {}, "there is no service generate_music, but generate_image,"),
        ([], {"job_slots": "0"}, "AIOPS_JOB_SLOTS is 0, so there is nothing a worker may do"),
        ([], {"database_url": "postgresql://nobody@127.0.0.1:1/x"}, "Set AIOPS_PUBLIC_URL as the servers have it"),
        (["--metrics-host", "256.0.0.1", "--metrics-port", "9100"], {}, "Choose another port with --metrics-port."),
    ],
    ids=["unknown service", "no slots", "no address", "no such address"],
)
def test_a_worker_that_could_do_nothing_says_why(
    run: Run, arguments: list[str], settings: dict[str, str], reason: str
) -> None:
    assert reason in refused(run("worker", *arguments, secret_key="secret of the tests", **settings))


def test_a_worker_starts_and_stops(tmp_path: Path) -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "aiops", "worker", "--services", "generate_image", "--concurrency", "3"],
        env={"AIOPS_DATA_DIR": str(tmp_path), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "aiops works on generate_image, 3 jobs at once.\n"
    started.terminate()
    assert started.wait(30) == 0
    started.stdout.close()


def test_who_watches_a_worker_is_told_what_it_has_counted(tmp_path: Path, busy_database_url: str) -> None:
    """It draws the two images that are queued."""
    url = f"http://127.0.0.1:{free_port()}"
    variables = {"DATA_DIR": str(tmp_path), "DATABASE_URL": busy_database_url, "PUBLIC_URL": "http://aiops.test"}
    secrets = {"SECRET_KEY": "secret of the tests", "METRICS_TOKEN": "token of the tests"}
    environment = {f"AIOPS_{name}": value for name, value in {**variables, **secrets}.items()}
    command = [sys.executable, "-m", "aiops", "worker", "--metrics-port", url.rpartition(":")[2]]
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen(command, env={"PATH": "", **environment}, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=url, headers={"Authorization": "Bearer token of the tests"}) as client:
            asyncio.run(until(lambda: asyncio.to_thread(has_drawn, client, 2)))
            metrics = client.get("/metrics")
            assert 'aiops_provider_seconds_count{provider="embedded",service="generate_image"} 2.0' in metrics.text
            assert [client.get(path).json() for path in ("/health", "/ready")] == [{"status": "ok"}] * 2
            assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 401
            assert client.get("/api/account").status_code == 404, "it takes no calls"
            started.terminate()
            assert started.wait(30) == 0
            with pytest.raises(httpx.TransportError):
                client.get("/health")
    finally:
        started.kill()
        started.wait()


def has_drawn(client: httpx.Client, images: int) -> bool:
    drawn = f'aiops_jobs_settled_total{{service="generate_image",status="succeeded"}} {images}.0'
    try:
        return drawn in client.get("/metrics").text
    except httpx.TransportError:
        return False
