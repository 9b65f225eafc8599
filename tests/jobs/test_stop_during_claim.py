"""A process that is told to stop while it claims a job: that job is finished or handed back like those at work."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aiops.accounts.accounts import create_account
from aiops.accounts.authentication import Caller
from aiops.app import create_process, create_runtime
from aiops.database.engine import Database
from aiops.database.tables import Job
from aiops.jobs import queue
from aiops.jobs.submission import Submission, submit
from aiops.process import Process
from aiops.runtime import utc_now
from aiops.settings import Settings
from tests.fixtures.providers import StubProvider


@dataclass
class SlowClaim:
    """`queue.claim`, whose caller hears only after `release` of the job that it has taken."""

    claimed: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, *arguments: Any, **options: Any) -> queue.Claim | None:
        claim = await CLAIM(*arguments, **options)
        if claim is not None:
            self.claimed.set()
            await self.release.wait()
        return claim


CLAIM = queue.claim


@pytest.fixture
def claim(monkeypatch: pytest.MonkeyPatch) -> SlowClaim:
    claim = SlowClaim()
    monkeypatch.setattr(queue, "claim", claim)
    return claim


@pytest.fixture
async def process(tmp_path: Path, database_url: str) -> Process:
    """With one job queued."""
    settings = Settings(data_dir=tmp_path, database_url=database_url, secret_key="secret of the tests")
    runtime = create_runtime(settings, providers=[StubProvider()])
    async with runtime.database.write() as session:
        account = await create_account(session, runtime.plans, "ada@example.com", utc_now(), plan="business")
    caller = Caller(account.id, runtime.plans["business"])
    request = {"prompt": "a cat", "aspect_ratio": "1:1", "style": "none", "model": "black-forest-labs/FLUX.1-schnell"}
    deadline_at = utc_now() + timedelta(hours=1)
    await submit(
        runtime.database, Submission(caller, "generate_image", request, request["model"], 5, deadline_at), utc_now()
    )
    return create_process(runtime, finish_seconds=60)


async def test_it_is_finished_in_the_time_that_is_left(process: Process, claim: SlowClaim, database_url: str) -> None:
    async with process.running():
        await claim.claimed.wait()
        process.drain()
        finishing = asyncio.create_task(process.finish())
        await asyncio.sleep(0)
        claim.release.set()
        await finishing
        assert await job_at(database_url) == ("succeeded", 1)


async def test_it_is_handed_back_where_no_time_is_left(process: Process, claim: SlowClaim, database_url: str) -> None:
    async with process.running():
        await claim.claimed.wait()
        asyncio.get_running_loop().call_later(0.1, claim.release.set)
    assert await job_at(database_url) == ("queued", 1)


async def job_at(database_url: str) -> tuple[str, int]:
    database = Database(database_url)
    async with database.read() as session:
        job = (await session.execute(select(Job))).scalar_one()
    await database.close()
    return job.status, job.attempt
