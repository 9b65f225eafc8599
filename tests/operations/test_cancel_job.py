import asyncio

import pytest

from aiops.providers.base import Call
from tests.fixtures.providers import Held
from tests.fixtures.service import Customer, Service, until


@pytest.fixture
def endless(service: Service) -> asyncio.Event:
    """The provider works until it is told to finish; the event is set once it has begun."""
    begun = asyncio.Event()

    async def behave(_call: Call) -> None:
        begun.set()
        await asyncio.sleep(600)

    service.provider.behave = behave
    return begun


async def test_a_running_job_is_ended_and_its_credits_are_back(service: Service, endless: asyncio.Event) -> None:
    ada = await service.customer()
    call = asyncio.create_task(ada.image())
    await endless.wait()
    (job,) = (await ada.client.get("/api/jobs")).json()["data"]
    answer = await ada.client.post(f"/api/jobs/{job['id']}/cancel")
    cancelled = answer.json()
    assert (answer.status_code, cancelled["status"], cancelled["reason"]) == (
        200,
        "cancelled",
        "The job was cancelled.",
    )
    assert (cancelled["credits_held"], cancelled["credits_charged"], cancelled["credits_refunded"]) == (0, 0, 5)
    waited = await call
    assert (waited.status_code, waited.headers["location"]) == (409, f"/api/jobs/{job['id']}")
    assert waited.json() == {
        "error": "The job was cancelled. Its credits are back.",
        "code": "job_cancelled",
        "job_id": job["id"],
    }
    assert await ada.credits() == 5000
    moved = (await ada.client.get("/api/credits/transactions")).json()["data"]
    assert [(one["type"], one["amount"]) for one in moved[:2]] == [("refund", 5), ("charge", -5)]


async def test_a_job_that_waits_is_never_begun(service: Service, endless: asyncio.Event) -> None:
    ada = await service.customer(plan="free")
    calls = [asyncio.create_task(ada.image(str(number))) for number in range(3)]
    await until(lambda: _has(service, ada, calls=2, jobs=3))
    jobs = (await ada.client.get("/api/jobs")).json()["data"]
    (queued,) = [job["id"] for job in jobs if job["status"] == "queued"]
    assert (await ada.client.post(f"/api/jobs/{queued}/cancel")).json()["started_at"] is None
    for job in jobs:
        await ada.client.post(f"/api/jobs/{job['id']}/cancel")
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {409}
    assert len(service.provider.calls) == 2
    assert await ada.credits() == 25


async def test_a_result_that_comes_too_late_is_discarded(service: Service) -> None:
    held = service.provider.behave = Held()
    ada = await service.customer()
    call = asyncio.create_task(ada.image())
    await held.begun.wait()
    (job,) = (await ada.client.get("/api/jobs")).json()["data"]
    await ada.client.post(f"/api/jobs/{job['id']}/cancel")
    held.finish.set()
    assert (await call).status_code == 409
    assert (await ada.image()).status_code == 200
    shown = (await ada.client.get(f"/api/jobs/{job['id']}")).json()
    assert (shown["status"], shown["result"]) == ("cancelled", None)
    await until(lambda: _stored(service, files=1))
    assert await ada.credits() == 4995


async def test_a_job_that_has_ended_stays_as_it_is(service: Service) -> None:
    ada = await service.customer()
    job_id = (await ada.image()).json()["job_id"]
    before = (await ada.client.get(f"/api/jobs/{job_id}")).json()
    answer = await ada.client.post(f"/api/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()) == (200, before)
    assert await ada.credits() == 4995


async def test_cancelling_frees_the_idempotency_key(service: Service, endless: asyncio.Event) -> None:
    ada = await service.customer()
    order = {"Idempotency-Key": "order-1"}
    calls = [asyncio.create_task(ada.image("x", **order)) for _ in range(2)]
    await endless.wait()
    (job,) = (await ada.client.get("/api/jobs")).json()["data"]
    await ada.client.post(f"/api/jobs/{job['id']}/cancel")
    assert [answer.status_code for answer in await asyncio.gather(*calls)] == [409, 409]
    service.provider.behave = _at_once
    again = await ada.image("x", **order)
    assert (again.status_code, again.json()["job_id"] != job["id"]) == (200, True)
    assert "idempotent-replayed" not in again.headers


@pytest.mark.parametrize("job_id", ["job_000000000000000000000000", "nonsense"])
async def test_there_is_no_such_job(service: Service, job_id: str) -> None:
    ada = await service.customer()
    answer = await ada.client.post(f"/api/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_jobs_of_others_cannot_be_cancelled(service: Service, endless: asyncio.Event) -> None:
    ada, bob = await service.customer(), await service.customer("bob@example.com")
    call = asyncio.create_task(ada.image())
    await endless.wait()
    (job,) = (await ada.client.get("/api/jobs")).json()["data"]
    assert (await bob.client.post(f"/api/jobs/{job['id']}/cancel")).status_code == 404
    assert (await ada.client.get(f"/api/jobs/{job['id']}")).json()["status"] == "running"
    await ada.client.post(f"/api/jobs/{job['id']}/cancel")
    await call


async def _at_once(_call: Call) -> None:
    return None


async def _has(service: Service, ada: Customer, *, calls: int, jobs: int) -> bool:
    listed = (await ada.client.get("/api/jobs")).json()["data"]
    return (len(service.provider.calls), len(listed)) == (calls, jobs)


async def _stored(service: Service, *, files: int) -> bool:
    return len(list(service.folder.glob("??/*"))) == files
