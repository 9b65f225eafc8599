"""A repeat under the same Idempotency-Key: one charge, one provider call, one answer."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from aiops.accounts import rate_limits
from aiops.accounts.authentication import authenticate
from aiops.contract.models import ImageRequest
from aiops.jobs import service_call, waiting
from aiops.jobs.service_call import ServiceCall
from aiops.providers.base import Call, ProviderUnavailableError
from tests.fixtures.media import wav
from tests.fixtures.providers import Held
from tests.fixtures.service import IMAGE, SPEECH, TRANSCRIPTION, Customer, Service, until

KEY = {"Idempotency-Key": "order-1"}
RECORDING, OTHER_RECORDING = wav(16_000, 1, bytes(32_000)), wav(16_000, 1, bytes(64_000))


def without_url(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "image_url"}


async def test_a_repeat_is_answered_as_the_first_was(service: Service) -> None:
    ada = await service.customer()
    first = await ada.image(**KEY)
    await ada.image("another")
    again = await ada.image(**KEY)
    assert again.status_code == 200
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert without_url(again) == without_url(first)
    assert (await service.client().get(again.json()["image_url"])).status_code == 200
    assert len(service.provider.calls) == 2
    assert await ada.credits() == 4990


async def test_a_repeat_with_its_members_in_another_order_is_the_same(service: Service) -> None:
    ada = await service.customer()
    for body in (
        {"prompt": "x", "style": "anime"},
        {"style": "anime", "prompt": "x"},
        {"prompt": "x", "style": "anime"},
    ):
        assert (await ada.client.post(IMAGE, json=body, headers=KEY)).status_code == 200
    assert len(service.provider.calls) == 1


async def test_a_default_that_is_spelled_out_is_the_same(service: Service) -> None:
    ada = await service.customer()
    await ada.client.post(IMAGE, json={"prompt": "x"}, headers=KEY)
    await ada.client.post(IMAGE, json={"prompt": "x", "style": "none"}, headers=KEY)
    assert len(service.provider.calls) == 1


async def test_another_service_under_the_same_key_is_refused(service: Service) -> None:
    ada = await service.customer()
    await ada.image(**KEY)
    answer = await ada.client.post(SPEECH, json={"text": "a lighthouse"}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert await ada.credits() == 4995


async def transcribe(who: Customer, recording: bytes, language: str = "en") -> httpx.Response:
    """As a step of a workflow does it: its recording is uploaded each time, and so has a link of its own."""
    uploaded = await who.client.post("/api/files", files={"file": ("call.wav", recording)})
    body = {"audio_url": uploaded.json()["file_url"], "language": language}
    return await who.client.post(TRANSCRIPTION, json=body, headers=KEY)


async def test_a_repeat_whose_file_is_uploaded_anew_is_the_same(service: Service) -> None:
    ada = await service.customer()
    first, again = await transcribe(ada, RECORDING), await transcribe(ada, RECORDING)
    assert (again.status_code, again.headers["idempotent-replayed"], again.json()) == (200, "true", first.json())
    assert len(service.provider.calls) == 1


@pytest.mark.parametrize("other", [{"recording": OTHER_RECORDING}, {"language": "fr"}], ids=["file", "language"])
async def test_another_file_or_another_word_beside_it_is_refused(service: Service, other: dict[str, Any]) -> None:
    ada = await service.customer()
    await transcribe(ada, RECORDING)
    answer = await transcribe(ada, **{"recording": RECORDING, **other})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_accounts_have_keys_of_their_own(service: Service) -> None:
    ada, bob = await service.customer(), await service.customer("bob@example.com")
    first, second = await ada.image(**KEY), await bob.image(**KEY)
    assert first.json()["job_id"] != second.json()["job_id"]


async def test_a_repeat_joins_the_wait_of_the_first(service: Service) -> None:
    ada = await service.customer()
    held = service.provider.behave = Held()
    first = asyncio.create_task(ada.image(**KEY))
    await held.begun.wait()
    repeats = [asyncio.create_task(ada.image(**KEY)) for _ in range(5)]
    await asyncio.sleep(0)
    held.finish.set()
    answers = await asyncio.gather(first, *repeats)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    assert len(service.provider.calls) == 1


async def test_after_a_failure_the_work_is_done_anew(service: Service) -> None:
    ada = await service.customer()
    failures = iter([True, False])

    async def fail_once(_call: Call) -> None:
        if next(failures):
            raise ProviderUnavailableError("Down.")

    service.provider.behave = fail_once
    failed, done, replayed = [await ada.image(**KEY) for _ in range(3)]
    assert [one.status_code for one in (failed, done, replayed)] == [500, 200, 200]
    assert failed.json()["job_id"] != done.json()["job_id"] == replayed.json()["job_id"]
    assert await ada.credits() == 4995


@pytest.mark.parametrize(
    ("plan", "credits_", "body", "status"),
    [("business", 4, {"prompt": "x"}, 402), ("business", 5, {"prompt": ""}, 422)],
    ids=["402", "422"],
)
async def test_a_refusal_does_not_claim_the_key(
    service: Service, plan: str, credits_: int, body: dict[str, str], status: int
) -> None:
    ada = await service.customer(plan=plan, credits=credits_)
    assert (await ada.client.post(IMAGE, json=body, headers=KEY)).status_code == status
    service.clock.advance(days=32)
    assert (await ada.image("something else", **KEY)).status_code == 200


async def test_a_key_is_kept_for_a_day(service: Service) -> None:
    service.clock.begin_month()
    ada = await service.customer()
    first = await ada.image(**KEY)
    service.clock.advance(hours=23, minutes=59)
    assert (await ada.image(**KEY)).json()["job_id"] == first.json()["job_id"]
    service.clock.advance(minutes=2)
    assert (await ada.image(**KEY)).json()["job_id"] != first.json()["job_id"]
    assert await ada.credits() == 4990


async def test_repeats_count_as_other_calls_and_never_against_the_plan(service: Service) -> None:
    service.clock.begin_minute()
    ada = await service.customer(plan="free")
    first, *repeats = [await ada.image(**KEY) for _ in range(30)]
    assert {answer.status_code for answer in (first, *repeats)} == {200}
    assert first.headers["ratelimit"].startswith('"services";r=9;')
    assert repeats[-1].headers["ratelimit"].startswith(f'"other";r={300 - 29};')
    assert repeats[-1].headers["ratelimit-policy"] == '"other";q=300;w=60'
    assert (await ada.image()).headers["ratelimit"].startswith('"services";r=8;')


async def test_repeats_beyond_the_limit_of_other_calls_are_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "OTHER_REQUESTS_PER_MINUTE", 5)
    service.clock.begin_minute()
    ada = await service.customer()
    answers = [await ada.image(**KEY) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    refusal = answers[-1]
    assert refusal.json()["code"] == "rate_limit_exceeded"
    assert refusal.headers["ratelimit-policy"] == '"other";q=5;w=60'
    assert (await ada.client.get("/api/account")).status_code == 429
    assert (await ada.image()).status_code == 200
    service.clock.advance(seconds=int(refusal.headers["retry-after"]))
    assert without_url(await ada.image(**KEY)) == without_url(answers[0])
    assert len(service.provider.calls) == 2


async def test_repeats_that_join_a_running_call_are_bounded_as_well(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "OTHER_REQUESTS_PER_MINUTE", 5)
    service.clock.begin_minute()
    ada = await service.customer()
    held = service.provider.behave = Held()
    calls = [asyncio.create_task(ada.image(**KEY))]
    await held.begun.wait()
    calls += [asyncio.create_task(ada.image(**KEY)) for _ in range(12)]
    refused = []
    for answered in asyncio.as_completed(calls, timeout=30):
        refused.append((await answered).status_code)
        if len(refused) == 12 - 5:
            break
    assert refused == [429] * (12 - 5)
    held.finish.set()
    statuses = [answer.status_code for answer in await asyncio.gather(*calls)]
    assert (statuses.count(200), statuses.count(429)) == (1 + 5, 12 - 5)
    assert len(service.provider.calls) == 1


@pytest.mark.parametrize("prefer", [{}, {"Prefer": "wait=60"}], ids=["a plain call", "wait"])
async def test_an_account_has_so_many_repeats_that_wait(
    service: Service, monkeypatch: pytest.MonkeyPatch, prefer: dict[str, str]
) -> None:
    """Each keeps a connection for up to four minutes: at 300 a minute, one account had all those of a server."""
    monkeypatch.setattr(waiting, "LOOKS_MAX", 3)
    ada, bob = await service.customer(), await service.customer("bob@example.com")
    held = service.provider.behave = Held()
    calls = [asyncio.create_task(ada.image(**KEY))]
    await held.begun.wait()
    calls += [asyncio.create_task(ada.image(**KEY, **prefer)) for _ in range(3)]
    await until(lambda: _waits(service, ada, 3))
    async with asyncio.timeout(30):
        beyond, at_once = await ada.image(**KEY, **prefer), await ada.image(**KEY, Prefer="respond-async")
    assert (beyond.status_code, beyond.json()["code"], beyond.headers["retry-after"]) == (409, "job_running", "5")
    assert (at_once.status_code, at_once.json()["status"]) == (202, "running")
    others = [asyncio.create_task(bob.image(**KEY)) for _ in range(2)]
    await until(lambda: _waits(service, bob, 1))
    held.finish.set()
    answers = await asyncio.gather(*calls, *others)
    assert {answer.status_code for answer in answers} == {200}
    assert beyond.json()["job_id"] == at_once.json()["id"] == answers[0].json()["job_id"]
    assert (await ada.image(**KEY, **prefer)).status_code == 200
    assert (await ada.credits(), len(service.provider.calls)) == (4995, 2)


async def test_a_hundred_that_are_sent_at_once_get_one_answer(service: Service) -> None:
    """However they come to be shared among the processes: here one has them all."""
    customer = await service.customer()
    answers = await asyncio.gather(*(customer.image(**KEY) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(service.provider.calls) == 1


async def _waits(service: Service, customer: Customer, number: int) -> bool:
    return service.runtime.waiters.looks_of(customer.id) == number


async def test_what_has_ended_is_answered_however_many_wait(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await service.customer()
    first = await ada.image(**KEY)
    monkeypatch.setattr(waiting, "LOOKS_MAX", 0)
    assert without_url(await ada.image(**KEY)) == without_url(first)


async def test_a_wait_that_ends_before_the_job_does(service: Service) -> None:
    """A job may have longer than a call waits; then the call ends in 409, and a later one gets the result."""
    ada = await service.customer()
    finish = asyncio.Event()

    async def wait(_call: Call) -> None:
        await finish.wait()

    service.provider.behave = wait
    job_id = await _submit_with_an_hour(service, ada)
    service.runtime.settings.job_seconds = 0.2
    answer = await ada.image(**KEY)
    assert (answer.status_code, answer.json()["code"], answer.json()["job_id"]) == (409, "job_running", job_id)
    assert answer.headers["location"] == f"/api/jobs/{job_id}"
    assert answer.headers["retry-after"] == "5"
    finish.set()
    service.runtime.settings.job_seconds = 30
    assert (await ada.image(**KEY)).json()["job_id"] == job_id


async def _submit_with_an_hour(service: Service, ada: Customer) -> str:
    caller = await authenticate(service.runtime.database, service.runtime.plans, f"Bearer {ada.key}", service.clock())
    service.runtime.settings.job_seconds = timedelta(hours=1).total_seconds()
    operation = service.runtime.document.operations["generate_image"]
    body = ImageRequest(prompt="a lighthouse")
    outcome = await service_call.accept(
        service.runtime, ServiceCall(operation, caller, body, KEY["Idempotency-Key"], "req_test", None)
    )
    assert outcome.job_id is not None
    return outcome.job_id
