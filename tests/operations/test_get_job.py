import asyncio
from datetime import datetime

import pytest
import pytest_asyncio

from aiops.providers.base import Call, ProviderRejectedError, ProviderUnavailableError
from tests.fixtures.providers import Held
from tests.fixtures.service import TRANSCRIPTION, Customer, Service


async def test_a_job_is_shown_with_its_result_and_what_it_cost(service: Service) -> None:
    ada = await service.customer()
    called = (await ada.image()).json()
    answer = await ada.client.get(f"/api/jobs/{called['job_id']}")
    job = answer.json()
    times = [datetime.fromisoformat(job.pop(name)) for name in ("created_at", "started_at", "finished_at")]
    assert answer.status_code == 200
    assert times == sorted(times)
    assert job == {
        "id": called["job_id"],
        "service": "generate_image",
        "status": "succeeded",
        "progress": 1.0,
        "model": "stub-image",
        "provider": "stub",
        "result": {"image_url": called["image_url"], "success": True},
        "reason": None,
        "credits_held": 0,
        "credits_charged": 5,
        "credits_refunded": 0,
    }


async def test_an_open_job_holds_its_credits_and_shows_its_progress(service: Service) -> None:
    held = service.provider.behave = Held()
    ada = await service.customer()
    call = asyncio.create_task(ada.image())
    await held.begun.wait()
    (job,) = (await ada.client.get("/api/jobs")).json()["data"]
    assert job == (await ada.client.get(f"/api/jobs/{job['id']}")).json()
    assert (job["status"], job["result"], job["finished_at"]) == ("running", None, None)
    assert (job["credits_held"], job["credits_charged"], job["credits_refunded"]) == (5, 0, 0)
    held.finish.set()
    assert (await call).status_code == 200


@pytest.mark.parametrize("failure", [ProviderRejectedError("Not that."), ProviderUnavailableError("Not now.")])
async def test_a_failed_job_says_why_and_gives_its_credits_back(
    service: Service, failure: ProviderRejectedError | ProviderUnavailableError
) -> None:
    async def fail(_call: Call) -> None:
        raise failure

    service.provider.behave = fail
    ada = await service.customer()
    job_id = (await ada.image()).json()["job_id"]
    job = (await ada.client.get(f"/api/jobs/{job_id}")).json()
    assert (job["status"], job["reason"], job["result"]) == ("failed", failure.reason, None)
    assert (job["credits_held"], job["credits_charged"], job["credits_refunded"]) == (0, 0, 5)


async def test_the_text_of_a_transcription_is_in_the_result(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    audio = (await ada.client.post("/api/services/tts", json={"text": "hello"})).json()["audio_url"]
    called = (await ada.client.post(TRANSCRIPTION, json={"audio_url": audio})).json()
    job = (await ada.client.get(f"/api/jobs/{called['job_id']}")).json()
    assert job["result"] == {"text": "what was said", "success": True}


async def test_the_job_of_another_account_is_as_unknown_as_one_that_is_not_there(service: Service) -> None:
    ada = await service.customer("ada@example.com")
    bob = await service.customer("bob@example.com")
    job_id = (await ada.image()).json()["job_id"]
    answers = [await bob.client.get(f"/api/jobs/{one}") for one in (job_id, "job_" + "0" * 24)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ada(shared_service: Service) -> Customer:
    return await shared_service.customer()


UNKNOWN = {"error": "There is no such job in this account.", "code": "not_found"}


@pytest.mark.parametrize(
    "job_id",
    [
        "x",
        "job_",
        "job_5F0C2B9E7D1A4C3B8E6F9A02",
        "acc_5f0c2b9e7d1a4c3b8e6f9a02",
        "job_5f0c2b9e7d1a4c3b8e6f9a02%0A",
        "%00",
        "job_5f0c2b9e7d1a4c3b8e6f9a0%00",
        "%F0%9F%92%A3",
        "%FF%FE",
        "job_%D9%A1" + "0" * 22,
        "'%20OR%201=1--",
        "..%5c..%5csecret_key",
        "a" * 5000,
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_malformed_id_is_404(ada: Customer, job_id: str) -> None:
    answer = await ada.client.get(f"/api/jobs/{job_id}")
    assert answer.status_code == 404
    assert answer.json() == UNKNOWN
