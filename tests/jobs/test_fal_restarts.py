"""A server that is killed while fal works for it: the next one takes the order up again, or gives the job up, and never
places it twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from tests.fixtures.adapters import FAL, FAL_KEY
from tests.fixtures.aftermath import Books, all_ended, check_books
from tests.fixtures.forked import forked, has_died
from tests.fixtures.media import wav
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE, TRANSCRIPTION, until
from tests.fixtures.upstream import TEXT, Answer, Request, Upstream, upstream
from tests.fixtures.upstream_fal import FalServer

OPENING_CREDITS = 100
WHISPER = "openai/whisper-large-v3"
LEASES = {"AIOPS_LEASE_SECONDS": "1", "AIOPS_REAPER_SECONDS": "0.2", "AIOPS_PROVIDERS": "fal"}


@dataclass
class AudioServer(Upstream):
    """A customer's own, with a recording of a second."""

    async def answer(self, request: Request) -> Answer:
        return Answer(200, wav(16_000, 1, bytes(32_000)), "audio/wav")


@dataclass
class Shop:
    """fal, a server that has it work, the key of its one customer, and where that one has a recording."""

    fal: FalServer
    server: StubServer
    key: str
    audio: AudioServer

    async def order(self) -> str:
        """The id of a job that is at fal by now, if that is let answer."""
        return await self.send(IMAGE, {"prompt": "a lighthouse"})

    async def order_transcription(self) -> str:
        """As `order`, for the recording."""
        return await self.send(TRANSCRIPTION, {"audio_url": f"{self.audio.url}/recording.wav", "model": WHISPER})

    async def send(self, path: str, body: dict[str, str]) -> str:
        async with httpx.AsyncClient(base_url=self.server.url, timeout=60) as client:
            headers = {"Authorization": f"Bearer {self.key}", "Prefer": "respond-async"}
            answer = await client.post(path, json=body, headers=headers)
        job_id: str = answer.json()["id"]

        async def has_arrived() -> bool:
            return len(self.fal.orders) == 1 and (self.fal.mute or self.polls > 0)

        await until(has_arrived)
        return job_id

    async def job(self, job_id: str) -> dict[str, Any]:
        return await self.ask("GET", f"/api/jobs/{job_id}")

    async def cancel(self, job_id: str) -> str:
        """What has become of the job."""
        return str((await self.ask("POST", f"/api/jobs/{job_id}/cancel"))["status"])

    async def ask(self, method: str, path: str) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self.server.url, timeout=60) as client:
            answer = await client.request(method, path, headers={"Authorization": f"Bearer {self.key}"})
        shown: dict[str, Any] = answer.json()
        return shown

    async def ended(self, job_id: str) -> dict[str, Any]:
        """The job, once it has ended."""

        async def has_ended() -> bool:
            return (await self.job(job_id))["finished_at"] is not None

        await until(has_ended)
        return await self.job(job_id)

    @property
    def polls(self) -> int:
        return sum(work.polls for work in self.fal.work.values())

    async def has_polled_again(self) -> None:
        before = self.polls

        async def has() -> bool:
            return self.polls > before

        await until(has)

    async def books(self) -> Books:
        """Once every job has ended, and all is in order."""
        database = Database(self.server.database_url)
        try:
            await all_ended(database, self.server)
            return await check_books(database, self.server, self.key, OPENING_CREDITS)
        finally:
            await database.close()


@asynccontextmanager
async def shop(folder: Path, database_url: str) -> AsyncIterator[Shop]:
    async with upstream(FalServer(FAL_KEY)) as fal, upstream(AudioServer("")) as audio:
        hosts = f"{fal.authority},{audio.authority}"
        options = {**LEASES, **FAL.settings(fal.url), "AIOPS_PRIVATE_HOSTS": hosts}
        with stub_server(folder, database_url, **options) as server:
            _, key = await make_customer(database_url, load_plans(None), plan="business", credits=OPENING_CREDITS)
            yield Shop(fal, server, key, audio)


@pytest.mark.parametrize("kills", [1, 2], ids=["killed once", "killed twice"])
async def test_a_restart_in_the_middle_of_an_order(tmp_path: Path, database_url: str, kills: int) -> None:
    async with shop(tmp_path, database_url) as running:
        running.fal.holds = True
        with forked(running.server) as first:
            job_id = await running.order()
            first.kill()
        for _ in range(kills - 1):
            with forked(running.server) as another:
                await running.has_polled_again()
                another.kill()
        with forked(running.server, AIOPS_LEASE_SECONDS="30"):
            await running.has_polled_again()
            running.fal.finish.set()
            books = await running.books()
    assert len(running.fal.orders) == 1, "it is submitted once"
    (job,) = books.jobs
    assert (job.id, job.status, job.provider, job.attempt) == (job_id, "succeeded", "fal", kills + 1)
    assert [f"fal-ai/flux {number}" for number in running.fal.work] == [job.provider_request_id]
    assert books.captured == {job_id: 5}


async def test_a_restart_in_the_middle_of_a_transcription(tmp_path: Path, database_url: str) -> None:
    """fal has the recording already: it is not asked for again, and may be gone."""
    async with shop(tmp_path, database_url) as running:
        running.fal.holds = True
        with forked(running.server) as first:
            job_id = await running.order_transcription()
            first.kill()
        with forked(running.server):
            await running.has_polled_again()
            running.fal.finish.set()
            answer = await running.ended(job_id)
        assert (len(running.fal.orders), len(running.audio.requests)) == (1, 1)
    assert (answer["status"], answer["result"]["text"]) == ("succeeded", TEXT)


async def test_a_kill_before_the_order_has_an_id(tmp_path: Path, database_url: str) -> None:
    """fal has taken the order, and nobody here knows its number: it is given up, refunded, and not placed again."""
    async with shop(tmp_path, database_url) as running:
        running.fal.mute = True
        with forked(running.server) as first:
            job_id = await running.order()
            first.kill()
        running.fal.finish.set()
        with forked(running.server):
            books = await running.books()
            answer = await running.job(job_id)
    assert len(running.fal.orders) == 1
    assert answer["status"] == "failed"
    assert answer["reason"] == "The server stopped during a call to the provider that cannot safely be repeated."
    assert (answer["credits_held"], answer["credits_refunded"], books.account.credits) == (0, 5, OPENING_CREDITS)


async def test_a_server_that_is_told_to_stop_leaves_the_order_to_the_next_one(
    tmp_path: Path, database_url: str
) -> None:
    async with shop(tmp_path, database_url) as running:
        running.fal.holds = True
        with forked(running.server) as first:
            await running.order()
            first.terminate()
            await has_died(first, 30)
        with forked(running.server):
            await running.has_polled_again()
            running.fal.finish.set()
            books = await running.books()
    assert [work.is_cancelled for work in running.fal.work.values()] == [False]
    assert [job.status for job in books.jobs] == ["succeeded"]


async def test_an_order_that_nobody_has_taken_up_yet_is_cancelled_with_its_job(
    tmp_path: Path, database_url: str
) -> None:
    async with shop(tmp_path, database_url) as running:
        running.fal.holds = True
        with forked(running.server) as first:
            job_id = await running.order()
            first.terminate()
            await has_died(first, 30)
        with forked(running.server, AIOPS_JOB_SLOTS="0"):
            assert (await running.job(job_id))["status"] == "queued"
            assert await running.cancel(job_id) == "cancelled"
            assert [work.is_cancelled for work in running.fal.work.values()] == [True]
            books = await running.books()
    assert books.account.credits == OPENING_CREDITS
