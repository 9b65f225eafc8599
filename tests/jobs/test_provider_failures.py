"""However a provider fails, the caller gets the agreed body and the credits back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from aiops.jobs import queue
from aiops.jobs.execution import JobContext
from aiops.providers.base import Call, Media, ProviderRejectedError, ProviderUnavailableError, Transcript
from aiops.storage.files import StorageError
from tests.fixtures.providers import MP3, Held, png
from tests.fixtures.service import IMAGE, SPEECH, TRANSCRIPTION, Service, running_service

NOT_AN_IMAGE = "The provider answered with something that is not an image."
CUT_OFF = "The provider answered with an image that is cut off."
NOT_A_RECORDING = "The provider answered with something that is not a recording."
NO_TEXT = "The provider answered without a usable text."
UNFORESEEN = "Something went wrong on our side."


def answering(answer: Any) -> Callable[[Call], Awaitable[Any]]:
    async def behave(_call: Call) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return behave


async def hang(_call: Call) -> None:
    await asyncio.Event().wait()


@dataclass(frozen=True)
class Row:
    id: str
    path: str
    behave: Callable[[Call], Awaitable[Any]]
    status: int
    reason: str


ROWS = [
    Row("rejects", IMAGE, answering(ProviderRejectedError("Not this prompt.")), 422, "Not this prompt."),
    Row("fails", IMAGE, answering(ProviderUnavailableError("It is down.")), 500, "It is down."),
    Row("breaks", IMAGE, answering(ZeroDivisionError("secret")), 500, UNFORESEEN),
    Row("hangs", IMAGE, hang, 500, "The job did not finish in time."),
    Row("garbage", IMAGE, answering(Media(b"\x00garbage", "image/png", "m")), 500, NOT_AN_IMAGE),
    Row("empty file", IMAGE, answering(Media(b"", "image/png", "m")), 500, NOT_AN_IMAGE),
    Row("page of an error", IMAGE, answering(Media(b"<html>502</html>", "image/png", "m")), 500, NOT_AN_IMAGE),
    Row("image that is cut off", IMAGE, answering(Media(png()[:-20], "image/png", "m")), 500, CUT_OFF),
    Row("sound for an image", IMAGE, answering(Media(MP3, "image/png", "m")), 500, NOT_AN_IMAGE),
    Row("image for sound", SPEECH, answering(Media(png(), "audio/mpeg", "m")), 500, NOT_A_RECORDING),
    Row("empty sound", SPEECH, answering(Media(b"", "audio/mpeg", "m")), 500, NOT_A_RECORDING),
    Row("no text", TRANSCRIPTION, answering(Transcript("", "m")), 500, NO_TEXT),
    Row("blank text", TRANSCRIPTION, answering(Transcript(" \n ", "m")), 500, NO_TEXT),
    Row("NUL in text", TRANSCRIPTION, answering(Transcript("a\0b", "m")), 500, NO_TEXT),
    Row("half a surrogate", TRANSCRIPTION, answering(Transcript("a\ud800", "m")), 500, NO_TEXT),
    Row("endless text", TRANSCRIPTION, answering(Transcript("a" * 1_000_001, "m")), 500, NO_TEXT),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_a_failure_costs_nothing(service: Service, row: Row) -> None:
    ada = await service.customer(credits=100)
    speech = await ada.client.post(SPEECH, json={"text": "x"})
    bodies = {
        IMAGE: {"prompt": "x"},
        SPEECH: {"text": "y"},
        TRANSCRIPTION: {"audio_url": speech.json()["audio_url"]},
    }
    if row.behave is hang:
        service.runtime.settings.job_seconds = 0.3
    service.provider.behave = row.behave
    answer = await ada.client.post(row.path, json=bodies[row.path])
    job_id = answer.json()["job_id"]
    failed = {"error": "Generation failed", "code": "generation_failed", "credits": 98}
    refused = {"error": "The input cannot be processed", "code": "unprocessable"}
    expected = {"reason": row.reason, "refunded": True, "job_id": job_id, **(failed if row.status == 500 else refused)}
    assert (answer.status_code, answer.json()) == (row.status, expected)
    assert await ada.credits() == 98
    job = (await ada.client.get(f"/api/jobs/{job_id}")).json()
    shown = {name: job[name] for name in ("status", "reason", "result", "credits_charged")}
    assert shown == {"status": "failed", "reason": row.reason, "result": None, "credits_charged": 0}
    assert job["credits_refunded"] > 0
    assert sum(1 for _ in service.folder.glob("*/*")) == 1, "only the first recording is kept"


async def test_a_slow_provider_is_waited_for(tmp_path: Path, database_url: str) -> None:
    """Its lease is renewed meanwhile, or the reaper would give the job to another worker."""

    async def be_slow(_call: Call) -> None:
        await asyncio.sleep(3)

    async with running_service(tmp_path, database_url, lease_seconds=2, reaper_seconds=0.05) as service:
        ada = await service.customer()
        service.provider.behave = be_slow
        assert (await ada.image()).status_code == 200
        assert len(service.provider.calls) == 1


async def test_work_that_is_done_is_settled_once_the_database_is_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await service.customer()
    succeed, failures = queue.succeed, iter([True, False])

    async def fail_once(*arguments: Any) -> bool:
        if next(failures):
            raise OperationalError("UPDATE job", {}, Exception("the connection is gone"))
        return await succeed(*arguments)

    monkeypatch.setattr(queue, "succeed", fail_once)
    assert (await ada.image()).status_code == 200
    assert len(service.provider.calls) == 1


async def test_storage_that_is_full(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await service.customer()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aiops.storage.folder._write_durably", full)
    answer = await ada.image()
    assert (answer.status_code, answer.json()["reason"]) == (500, "The result could not be stored.")
    assert await ada.credits() == 5000


async def test_storage_that_goes_away_after_the_output_was_stored(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told, although what was stored cannot be deleted now."""
    store = JobContext.store

    async def store_and_fail(*arguments: Any) -> str:
        await store(*arguments)
        raise StorageError("Connection refused")

    async def fail(*_: Any) -> None:
        raise StorageError("Connection refused")

    ada = await sqlite_service.customer()
    with monkeypatch.context() as away:
        away.setattr(JobContext, "store", store_and_fail)
        away.setattr(type(sqlite_service.runtime.store), "delete", fail)
        answer = await asyncio.wait_for(ada.image(), 20)
    assert (answer.status_code, answer.json()["reason"]) == (500, "The result could not be stored.")
    assert await ada.credits() == 5000
    assert (await ada.image()).status_code == 200


async def test_a_caller_that_hangs_up_loses_nothing(service: Service) -> None:
    ada = await service.customer()
    held = service.provider.behave = Held()
    call = asyncio.create_task(ada.image(**{"Idempotency-Key": "order-1"}))
    await held.begun.wait()
    call.cancel()
    held.finish.set()
    answer = await ada.image(**{"Idempotency-Key": "order-1"})
    assert answer.status_code == 200
    assert len(service.provider.calls) == 1
    assert await ada.credits() == 4995
