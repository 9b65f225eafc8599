"""Calls that do not wait for their job to its end: `Prefer` on the services and on `get_job`."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from aiops.jobs import waiting
from aiops.providers.base import Call, ProviderRejectedError
from tests.fixtures.service import Customer, Service, running_service, until

KEY = {"Idempotency-Key": "order-1"}
ASYNC = {"Prefer": "respond-async"}


class Held:
    """Work of the provider that begins, and ends when the test says so."""

    def __init__(self, service: Service) -> None:
        self.begun, self.finish = asyncio.Event(), asyncio.Event()
        service.provider.behave = self._behave

    async def _behave(self, _call: Call) -> None:
        self.begun.set()
        await self.finish.wait()


async def looked_up(ada: Customer, job_id: str, seconds: int = 60) -> httpx.Response:
    return await ada.client.get(f"/api/jobs/{job_id}", headers={"Prefer": f"wait={seconds}"})


async def test_a_call_that_prefers_not_to_wait_is_answered_with_its_job(service: Service) -> None:
    ada = await service.customer()
    held = Held(service)
    accepted = await ada.image(**ASYNC)
    job = accepted.json()
    assert (accepted.status_code, accepted.headers["preference-applied"]) == (202, "respond-async")
    assert accepted.headers["location"] == f"/api/jobs/{job['id']}"
    assert accepted.headers["retry-after"] == "2"
    assert accepted.headers["ratelimit"].startswith('"services";')
    assert (job["credits_held"], job["credits_charged"], job["result"]) == (5, 0, None)
    assert await ada.credits() == 4995
    held.finish.set()
    ended = (await looked_up(ada, job["id"])).json()
    assert (ended["status"], ended["credits_held"], ended["credits_charged"]) == ("succeeded", 0, 5)
    assert (await ada.client.get(ended["result"]["image_url"])).status_code == 200
    assert await ada.credits() == 4995


async def test_a_call_that_waits_a_while_gets_the_result_or_the_job(service: Service) -> None:
    ada = await service.customer()
    in_time = await ada.image(Prefer="wait=60")
    assert (in_time.status_code, in_time.headers["preference-applied"]) == (200, "wait=60")
    held = Held(service)
    late = await ada.image(Prefer="wait=1, respond-async")
    assert (late.status_code, late.headers["preference-applied"]) == (202, "respond-async, wait=1")
    assert late.json()["status"] in ("queued", "running")
    held.finish.set()
    assert (await looked_up(ada, late.json()["id"])).json()["status"] == "succeeded"


async def test_what_is_not_understood_is_left_aside(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    answer = await ada.image(Prefer="wait=soon, return=minimal")
    assert answer.status_code == 200
    assert "preference-applied" not in answer.headers


async def test_a_job_that_nobody_waits_for_to_its_end_has_an_hour(service: Service) -> None:
    ada = await service.customer()
    times = {}
    for prefer in ("respond-async", "wait=60", "return=minimal"):
        body = (await ada.image(Prefer=prefer)).json()
        job = await service.job(body.get("id") or body["job_id"])
        times[prefer] = job.deadline_at - job.created_at
    assert times == {
        "respond-async": timedelta(hours=1),
        "wait=60": timedelta(hours=1),
        "return=minimal": timedelta(seconds=240),
    }


async def test_a_repeat_gets_the_same_job_however_it_prefers_to_be_answered(service: Service) -> None:
    ada = await service.customer()
    held = Held(service)
    first = await ada.image(**KEY, **ASYNC)
    again = await ada.image(**KEY, **ASYNC)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    joined = asyncio.create_task(ada.image(**KEY))
    held.finish.set()
    waited = await joined
    assert (waited.status_code, waited.json()["job_id"]) == (200, first.json()["id"])
    after = await ada.image(**KEY, **ASYNC)
    assert (after.status_code, after.json()["job_id"]) == (200, first.json()["id"])
    assert "preference-applied" not in after.headers
    assert (await ada.credits(), len(service.provider.calls)) == (4995, 1)


async def test_what_fails_while_the_call_waits_is_told_as_ever(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()

    async def refuse(_call: Call) -> None:
        raise ProviderRejectedError("Not that.")

    sqlite_service.provider.behave = refuse
    answer = await ada.image(Prefer="wait=60")
    assert (answer.status_code, answer.json()["refunded"]) == (422, True)
    later = (await ada.image(**ASYNC)).json()
    ended = (await looked_up(ada, later["id"])).json()
    assert (ended["status"], ended["reason"], ended["credits_refunded"]) == ("failed", "Not that.", 5)
    assert await ada.credits() == 5000


async def test_what_cannot_be_accepted_is_refused_at_once(sqlite_service: Service) -> None:
    poor = await sqlite_service.customer(credits=4)
    assert (await poor.image(**ASYNC)).status_code == 402
    assert (await poor.client.get("/api/jobs")).json()["data"] == []


async def test_a_job_that_is_cancelled_ends_the_wait(service: Service) -> None:
    ada = await service.customer()
    held = Held(service)
    job_id = (await ada.image(**ASYNC)).json()["id"]
    await held.begun.wait()
    waiting_call = asyncio.create_task(looked_up(ada, job_id))
    cancelled = await ada.client.post(f"/api/jobs/{job_id}/cancel")
    assert (await waiting_call).json() == cancelled.json()
    assert cancelled.json()["status"] == "cancelled"
    assert await ada.credits() == 5000
    held.finish.set()


async def test_a_server_that_stops_answers_those_who_can_look_later(service: Service) -> None:
    ada = await service.customer()
    held = Held(service)
    call = asyncio.create_task(ada.image(Prefer="wait=200"))
    await held.begun.wait()
    service.runtime.waiters.give_up()
    answer = await call
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    held.finish.set()


async def test_a_look_at_a_job_waits_for_its_end(service: Service) -> None:
    ada = await service.customer()
    held = Held(service)
    job_id = (await ada.image(**ASYNC)).json()["id"]
    early = await looked_up(ada, job_id, seconds=0)
    assert (early.status_code, early.json()["finished_at"]) == (200, None)
    assert (early.headers["retry-after"], early.headers["preference-applied"]) == ("2", "wait=0")
    look = asyncio.create_task(looked_up(ada, job_id))
    await held.begun.wait()
    await until(lambda: _waits(service, ada, 1))
    assert not look.done()
    held.finish.set()
    ended = await look
    assert (ended.json()["status"], ended.headers["preference-applied"]) == ("succeeded", "wait=60")
    assert "retry-after" not in ended.headers
    assert "preference-applied" not in (await ada.client.get(f"/api/jobs/{job_id}", headers=ASYNC)).headers


async def test_a_look_at_a_job_of_nobody_does_not_wait(sqlite_service: Service) -> None:
    ada, bob = await sqlite_service.customer(), await sqlite_service.customer("bob@example.com")
    job_id = (await ada.image()).json()["job_id"]
    for one in (job_id, "job_" + "0" * 24, "x"):
        assert (await looked_up(bob, one)).status_code == 404


async def test_an_account_has_so_many_looks_that_wait(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """More are answered at once, so that one account cannot take all the connections of a server."""
    monkeypatch.setattr(waiting, "LOOKS_MAX", 3)
    ada, bob = await service.customer(), await service.customer("bob@example.com")
    held = Held(service)
    job_id, other = [(await one.image(**ASYNC)).json()["id"] for one in (ada, bob)]
    looks = [asyncio.create_task(looked_up(ada, job_id)) for _ in range(3)]
    await until(lambda: _waits(service, ada, 3))
    at_once = await looked_up(ada, job_id)
    assert (at_once.json()["finished_at"], at_once.headers.get("preference-applied")) == (None, None)
    of_another = asyncio.create_task(looked_up(bob, other))
    await until(lambda: _waits(service, bob, 1))
    held.finish.set()
    assert [(await look).json()["status"] for look in (*looks, of_another)] == ["succeeded"] * 4
    await until(lambda: _waits(service, ada, 0))


async def _waits(service: Service, customer: Customer, number: int) -> bool:
    return service.runtime.waiters.looks_of(customer.id) == number


async def test_who_waits_hears_of_a_job_whose_time_another_call_ends(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody works, and nobody looks: only the call that has waited for as long as it may."""
    for seconds in ("LOOK_SECONDS", "DEAF_LOOK_SECONDS"):
        monkeypatch.setattr(f"aiops.process.{seconds}", 600)
    async with running_service(tmp_path, database_url, job_slots=0, job_seconds=3, reaper_seconds=60) as service:
        ada = await service.customer()
        call = asyncio.create_task(ada.image())
        await until(lambda: _has_jobs(ada, 1))
        (job,) = (await ada.client.get("/api/jobs")).json()["data"]
        async with asyncio.timeout(20):
            other = await looked_up(ada, job["id"], 120)
        assert (other.json()["status"], (await call).status_code) == ("failed", 500)


async def _has_jobs(ada: Customer, count: int) -> bool:
    return len((await ada.client.get("/api/jobs")).json()["data"]) == count
