"""How n8n, Zapier and Make call, over HTTP: one call that waits, 202 and asking, 202 and being told, an answer that is
lost. Each is charged once, and its result can be fetched."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from tests.fixtures.aftermath import check_books
from tests.fixtures.receiver import OK, Told, told_by
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE, until
from tests.fixtures.web import WebServer, serving

CREDITS, COST = 1000, 5
WORK_SECONDS = "0.4"
BODY = {"prompt": "A lighthouse on a cliff at sunset"}
LOOK_SECONDS = 5


@dataclass
class Platform:
    """Somebody's workflow: it calls the server, and has an address where it is told."""

    server: StubServer
    receiver: WebServer
    client: httpx.AsyncClient
    key: str

    @property
    def callback_url(self) -> str:
        return f"http://{self.receiver.authority}/resume"

    async def image(self, *, callback_url: str | None = None, **headers: str) -> httpx.Response:
        body = BODY | ({"callback_url": callback_url} if callback_url else {})
        return await self.client.post(IMAGE, json=body, headers=headers)

    async def look(self, job_id: str) -> Any:
        """Asks once more, as long as a platform lets a call take."""
        answer = await self.client.get(f"/api/jobs/{job_id}", headers={"Prefer": f"wait={LOOK_SECONDS}"})
        assert answer.status_code == 200
        return answer.json()

    async def told(self, number: int) -> list[Told]:
        async def is_so() -> bool:
            return len(self.receiver.requests) >= number

        await until(is_so)
        return told_by(self.receiver)

    async def fetch(self, url: str) -> bytes:
        """The result, as a platform has it: without the key."""
        async with httpx.AsyncClient(timeout=30) as stranger:
            answer = await stranger.get(url)
        assert answer.status_code == 200
        return answer.content


@pytest.fixture
async def platform(tmp_path: Path, database_url: str) -> AsyncIterator[Platform]:
    """At the end the work has been done once, paid for once, and the ledger is in order."""
    _, key = await make_customer(database_url, load_plans(None), plan="business", credits=CREDITS)
    async with serving(OK) as receiver:
        options = {
            "AIOPS_PRIVATE_HOSTS": receiver.authority,
            "AIOPS_LEASE_SECONDS": "30",
            "STUB_DELAY_SECONDS": WORK_SECONDS,
        }
        with stub_server(tmp_path, database_url, **options) as server:
            server.start()
            headers = {"Authorization": f"Bearer {key}"}
            async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
                yield Platform(server, receiver, client, key)
            database = Database(database_url)
            books = await check_books(database, server, key, CREDITS)
            await database.close()
    assert (server.calls, list(books.captured.values()), books.account.credits) == (1, [COST], CREDITS - COST)


async def test_n8n_waits_in_one_call(platform: Platform) -> None:
    answer = await platform.image(**{"Idempotency-Key": "execution-7-item-0"})
    bought = answer.json()
    assert (answer.status_code, bought["credits_charged"], bought["credits_remaining"]) == (200, COST, CREDITS - COST)
    assert (await platform.fetch(bought["image_url"])).startswith(b"\x89PNG")


async def test_make_asks_until_the_job_has_ended(platform: Platform) -> None:
    accepted = await platform.image(Prefer="respond-async")
    assert (accepted.status_code, accepted.json()["credits_held"]) == (202, COST)
    job = accepted.json()
    while job["finished_at"] is None:
        job = await platform.look(accepted.json()["id"])
    assert (job["status"], job["credits_charged"]) == ("succeeded", COST)
    await platform.fetch(job["result"]["image_url"])


async def test_zapier_is_told_and_fetches_a_fresh_link(platform: Platform) -> None:
    accepted = await platform.image(callback_url=platform.callback_url, Prefer="respond-async")
    assert accepted.status_code == 202
    (told,) = await platform.told(1)
    assert (told.event["type"], told.event["data"]["id"]) == ("job.succeeded", accepted.json()["id"])
    await platform.fetch(told.event["data"]["result"]["image_url"])
    await platform.fetch((await platform.look(accepted.json()["id"]))["result"]["image_url"])


async def test_a_call_that_waits_a_while_is_answered_with_the_job_and_told_later(platform: Platform) -> None:
    with platform.server.hold():
        answer = await platform.image(callback_url=platform.callback_url, Prefer="wait=1")
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=1")
    (told,) = await platform.told(1)
    assert told.event["data"]["id"] == answer.json()["id"]


@pytest.mark.parametrize("prefer", [{}, {"Prefer": "respond-async"}], ids=["waiting", "asynchronous"])
async def test_an_answer_that_is_lost_is_asked_for_again_with_another_address(
    platform: Platform, prefer: dict[str, str]
) -> None:
    """The repeat comes with the address of another run, which is told as well; the work is done once."""
    first, second = (f"{platform.callback_url}/{number}" for number in (1, 2))
    headers = {"Idempotency-Key": "order-1", **prefer}
    with platform.server.hold():
        lost = asyncio.create_task(platform.image(callback_url=first, **headers))
        await until(lambda: has_begun(platform))
        lost.cancel()
        await asyncio.wait([lost])
        again = asyncio.create_task(platform.image(callback_url=second, **headers))
        await until(lambda: is_known(platform, again))
    answer = await again
    assert answer.headers["idempotent-replayed"] == "true"
    told = await platform.told(2)
    assert {head.split()[1] for head in platform.receiver.requests} == {b"/resume/1", b"/resume/2"}
    assert {one.event["data"]["id"] for one in told} == {answer.json().get("job_id", answer.json().get("id"))}
    assert len({one.id for one in told}) == 1
    third = await platform.image(callback_url=second, **{"Idempotency-Key": "order-1"})
    assert (third.status_code, third.headers["idempotent-replayed"]) == (200, "true")


async def has_begun(platform: Platform) -> bool:
    return platform.server.calls == 1


async def is_known(platform: Platform, call: "asyncio.Task[httpx.Response]") -> bool:
    """Whether the server has the second call: it is answered, or another connection would be of no use to it."""
    database = Database(platform.server.database_url)
    try:
        async with database.engine.connect() as connection:
            found = await connection.exec_driver_sql("SELECT count(*) FROM callback")
            return call.done() or found.scalar_one() == 2
    finally:
        await database.close()
