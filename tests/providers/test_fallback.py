"""Several providers, in order of preference: the next one is asked where the first has not taken the work, and only
then. What the caller is told, and what the books say, on both databases."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from aiops.database.engine import CommitInDoubtError, Database
from aiops.database.tables import Job
from aiops.jobs import execution, queue
from aiops.providers import remote
from aiops.providers.loading import load_providers
from tests.fixtures.adapters import FAL, HUGGINGFACE, OPENAI, Pauses, set_variables, tools
from tests.fixtures.providers import png
from tests.fixtures.service import IMAGE, SPEECH, TRANSCRIPTION, Customer, Service, running_service, until
from tests.fixtures.upstream import TEXT, Answer, Behaviour, Request, upstream
from tests.fixtures.upstream_fal import FalServer, failed_with
from tests.fixtures.upstream_huggingface import HuggingFaceServer
from tests.fixtures.upstream_openai import OpenAIServer

BUSY = "The provider takes no more requests at the moment."
NO_ANSWER = "The provider broke off, or did not answer in time."
NOT_AN_IMAGE = "The provider answered with something that is not an image."
NOT_FETCHED = "The provider's result could not be fetched."
TOO_LARGE = "This is too large for the provider: send a shorter recording, or less text."
RULES = "The provider refused this request: it is against its rules for content."


@dataclass
class Pair:
    service: Service
    fal: FalServer
    openai: OpenAIServer
    huggingface: HuggingFaceServer


@asynccontextmanager
async def both(
    folder: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    *names: str,
    pauses: bool = False,
    **settings: Any,
) -> AsyncIterator[Pair]:
    """A server that works by fal and then by an OpenAI-compatible server, or by those that are named. It really waits
    between its looks at an order only if it `pauses`."""
    async with AsyncExitStack() as stack:
        fal: FalServer = await stack.enter_async_context(upstream(FAL.server()))  # type: ignore[arg-type]
        openai: OpenAIServer = await stack.enter_async_context(upstream(OPENAI.server()))  # type: ignore[arg-type]
        face: HuggingFaceServer = await stack.enter_async_context(upstream(HUGGINGFACE.server()))  # type: ignore[arg-type]
        set_variables(
            monkeypatch, **FAL.settings(fal.url), **OPENAI.settings(openai.url), **HUGGINGFACE.settings(face.url)
        )
        pause = asyncio.sleep if pauses else Pauses()
        providers = load_providers(names or ("fal", "openai_compatible"), tools(fal, pause))
        service = await stack.enter_async_context(running_service(folder, database_url, providers, **settings))
        yield Pair(service, fal, openai, face)


@dataclass(frozen=True)
class Row:
    """How the first one acts; the status, reason and provider of the answer; how many orders each has taken."""

    behaviour: Behaviour
    status: int
    reason: str | None = None
    orders: tuple[int, int] = (1, 0)

    @property
    def provider(self) -> str:
        return "fal" if self.orders == (1, 0) else "openai_compatible"


ROWS = [
    Row(Behaviour.WORKS, 200),
    Row(Behaviour.SLOW, 200),
    Row(Behaviour.BUSY_FOR_A_SECOND, 200),
    Row(Behaviour.BUSY_FOR_AN_HOUR, 200, orders=(0, 1)),
    Row(Behaviour.BROKEN, 200, orders=(0, 1)),
    Row(Behaviour.OVERLOADED, 200, orders=(0, 1)),
    Row(Behaviour.KEY_REFUSED, 200, orders=(0, 1)),
    Row(Behaviour.UNPAID, 200, orders=(0, 1)),
    Row(Behaviour.REDIRECTS, 200, orders=(0, 1)),
    Row(Behaviour.GATEWAY_GAVE_UP, 500, NO_ANSWER, orders=(0, 0)),
    Row(Behaviour.CLOUDFLARE_GAVE_UP, 500, NO_ANSWER, orders=(0, 0)),
    Row(Behaviour.HANGS_UP, 500, NO_ANSWER, orders=(0, 0)),
    Row(Behaviour.TRUNCATED, 500, NOT_FETCHED),
    Row(Behaviour.WRONG_TYPE, 500, NOT_AN_IMAGE),
    Row(Behaviour.HUGE, 500, NOT_FETCHED),
    Row(Behaviour.HANGS, 500, "The job did not finish in time."),
    Row(Behaviour.NONSENSE, 500, "The provider gave an answer that makes no sense."),
    Row(Behaviour.POLICY, 422, RULES),
]


# The same of Hugging Face, whose answer is the result itself: the status, and how many orders each has taken.
HUGGINGFACE_ROWS = {
    Behaviour.WORKS: (200, (1, 0)),
    Behaviour.SLOW: (200, (1, 0)),
    Behaviour.BUSY_FOR_A_SECOND: (200, (1, 0)),
    Behaviour.BUSY_FOR_AN_HOUR: (200, (0, 1)),
    Behaviour.BROKEN: (200, (0, 1)),
    Behaviour.OVERLOADED: (200, (0, 1)),
    Behaviour.KEY_REFUSED: (200, (0, 1)),
    Behaviour.UNPAID: (200, (0, 1)),
    Behaviour.REDIRECTS: (200, (0, 1)),
    Behaviour.GATEWAY_GAVE_UP: (500, (0, 0)),
    Behaviour.CLOUDFLARE_GAVE_UP: (500, (0, 0)),
    Behaviour.HANGS_UP: (500, (0, 0)),
    Behaviour.TRUNCATED: (500, (1, 0)),
    Behaviour.WRONG_TYPE: (500, (1, 0)),
    Behaviour.HUGE: (500, (1, 0)),
    Behaviour.HANGS: (500, (1, 0)),
    Behaviour.NONSENSE: (500, (1, 0)),
    Behaviour.POLICY: (422, (1, 0)),
}


def test_each_way_to_act_has_a_row() -> None:
    assert {row.behaviour for row in ROWS} == set(Behaviour) == set(HUGGINGFACE_ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.behaviour.value)
async def test_who_is_asked_and_who_is_paid(
    row: Row, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging: dict[str, Any] = {"job_seconds": 3, "pauses": True} if row.behaviour is Behaviour.HANGS else {}
    async with both(tmp_path, database_url, monkeypatch, **hanging) as pair:
        pair.fal.behaviour = row.behaviour
        ada = await pair.service.customer(credits=100)
        answer = await ada.image()
        body = answer.json()
        assert (answer.status_code, body.get("reason")) == (row.status, row.reason)
        assert (len(pair.fal.orders), len(pair.openai.orders)) == row.orders
        job = await pair.service.job(body["job_id"])
        if row.status == 200:
            assert (body["provider"], body["credits_charged"], body["credits_remaining"]) == (row.provider, 5, 95)
        else:
            assert (body["refunded"], job.status, job.provider) == (True, "failed", "fal")
        assert await ada.credits() == (95 if row.status == 200 else 100)
        if row.behaviour is Behaviour.HANGS:
            await until(lambda: is_cancelled(pair.fal))


@pytest.mark.parametrize("behaviour", HUGGINGFACE_ROWS, ids=lambda one: one.value)
async def test_who_is_paid_where_hugging_face_is_preferred(
    behaviour: Behaviour, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging: dict[str, Any] = {"job_seconds": 3} if behaviour is Behaviour.HANGS else {}
    async with both(tmp_path, database_url, monkeypatch, "huggingface", "openai_compatible", **hanging) as pair:
        pair.huggingface.behaviour = behaviour
        ada = await pair.service.customer(credits=100)
        status = (await ada.image()).status_code
        orders = len(pair.huggingface.orders), len(pair.openai.orders)
        assert (status, orders) == HUGGINGFACE_ROWS[behaviour]
        assert await ada.credits() == (95 if status == 200 else 100)


# Who is preferred, and why the caller gets nothing: an answer is there or not, a file may be whole the next time.
CUT_OFF = {
    "fal": NOT_FETCHED,
    "huggingface": "The provider answered with an image that is cut off.",
    "openai_compatible": "The provider answered with an image that is cut off.",
}


@pytest.mark.parametrize("name", CUT_OFF)
async def test_nobody_pays_us_for_an_image_that_is_cut_off(
    name: str, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both(tmp_path, database_url, monkeypatch, name) as pair:
        pair.fal.image = pair.openai.image = pair.huggingface.image = png()[:-20]
        ada = await pair.service.customer(credits=100)
        answer = await ada.image()
        assert (answer.status_code, answer.json()["reason"]) == (500, CUT_OFF[name])
        assert (answer.json()["refunded"], await ada.credits()) == (True, 100)


async def test_an_image_that_fal_has_cut_off_is_fetched_again(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut, file = iter([True, True, False]), FalServer.file

    def cut_at_first(self: FalServer, request: Request, name: str) -> Answer:
        answer = file(self, request, name)
        return replace(answer, body=answer.body[:-20], says_length=False) if next(cut) else answer

    monkeypatch.setattr(FalServer, "file", cut_at_first)
    async with both(tmp_path, database_url, monkeypatch) as pair:
        ada = await pair.service.customer(credits=100)
        body = (await ada.image()).json()
        assert (body["provider"], len(pair.fal.orders), await ada.credits()) == ("fal", 1, 95)
        assert (await ada.client.get(body["image_url"])).content == png()


async def is_cancelled(fal: FalServer) -> bool:
    return [work.is_cancelled for work in fal.work.values()] == [True]


async def test_what_fal_ends_at_no_charge_is_bought_from_the_next_one(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both(tmp_path, database_url, monkeypatch) as pair:
        pair.fal.trouble = [failed_with("startup_timeout", 504)]
        ada = await pair.service.customer(credits=100)
        body = (await ada.image()).json()
        assert (body["provider"], body["credits_remaining"]) == ("openai_compatible", 95)
        assert (len(pair.fal.orders), len(pair.openai.orders)) == (1, 1)


async def test_an_order_is_not_lost_while_the_database_is_away(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number is noted once the database is back: by then the order is paid for."""
    note, failures = queue.note_request_id, iter([OperationalError, CommitInDoubtError, OSError])

    async def fail_at_first(database: Database, job: Job, request_id: str) -> bool:
        match next(failures, None):
            case None:
                return await note(database, job, request_id)
            case error if error is OperationalError:
                raise OperationalError("UPDATE job", {}, Exception("the connection is gone"))
            case error:
                raise error

    monkeypatch.setattr(queue, "note_request_id", fail_at_first)
    monkeypatch.setattr(execution, "NOTE_PAUSE_SECONDS", 0.01)
    async with both(tmp_path, database_url, monkeypatch) as pair:
        ada = await pair.service.customer(credits=100)
        body = (await ada.image()).json()
        assert (body.get("provider"), await ada.credits(), len(pair.fal.orders)) == ("fal", 95, 1)
        noted = (await pair.service.job(body["job_id"])).provider_request_id
        assert [noted] == [f"fal-ai/flux {number}" for number in pair.fal.work]


async def test_an_order_whose_number_cannot_be_noted_is_taken_back_at_the_end(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> bool:
        raise OperationalError("UPDATE job", {}, Exception("the connection is gone"))

    monkeypatch.setattr(queue, "note_request_id", fail)
    async with both(tmp_path, database_url, monkeypatch, job_seconds=3) as pair:
        ada = await pair.service.customer(credits=100)
        answer = await ada.image()
        assert (answer.status_code, answer.json()["reason"]) == (500, "The job did not finish in time.")
        await until(lambda: is_cancelled(pair.fal))
        assert await ada.credits() == 100


async def test_an_order_is_taken_back_whoever_ends_the_job_at_its_deadline(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call that waits for it may do so in the same moment as the worker, and before it."""
    fail = queue.fail

    async def fail_later(database: Database, job: Job, failure: queue.Failure, now: datetime) -> bool:
        assert await queue.expire(database, job.id, job.deadline_at) is not None
        return await fail(database, job, failure, now)

    monkeypatch.setattr(queue, "fail", fail_later)
    async with both(tmp_path, database_url, monkeypatch, async_job_seconds=3, pauses=True) as pair:
        pair.fal.behaviour = Behaviour.HANGS
        ada = await pair.service.customer(credits=100)
        number = (await ada.image(Prefer="respond-async")).json()["id"]
        await until(lambda: is_cancelled(pair.fal))
        assert ((await pair.service.job(number)).status, await ada.credits()) == ("failed", 100)


async def test_both_are_down(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with both(tmp_path, database_url, monkeypatch) as pair:
        pair.fal.behaviour, pair.openai.behaviour = Behaviour.OVERLOADED, Behaviour.BUSY_FOR_AN_HOUR
        ada = await pair.service.customer(credits=100)
        answer = await ada.image()
        refund = {"refunded": True, "credits": 100, "reason": BUSY, "code": "generation_failed"}
        assert (answer.status_code, {name: answer.json()[name] for name in refund}) == (500, refund)
        assert pair.fal.orders == pair.openai.orders == []


@pytest.mark.parametrize("name", ["fal", "huggingface", "openai_compatible"])
@pytest.mark.parametrize("behaviour", [Behaviour.KEY_REFUSED, Behaviour.UNPAID], ids=lambda one: one.value)
async def test_who_refuses_the_key_is_not_live_for_a_while(
    behaviour: Behaviour, name: str, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both(tmp_path, database_url, monkeypatch, name) as pair:
        server = {"fal": pair.fal, "huggingface": pair.huggingface, "openai_compatible": pair.openai}[name]
        server.behaviour = behaviour
        ada = await pair.service.customer(credits=100)
        assert (await ada.image()).status_code == 500
        (images,) = [one for one in await catalogue(ada) if one["id"] == "generate_image"]
        assert [model["live"] for model in images["models"]] == [False, False, False]
        assert ((await ada.image()).status_code, await ada.credits()) == (503, 100)
        monkeypatch.setattr(remote, "time", Later(remote.SHUT_SECONDS))
        server.behaviour = Behaviour.WORKS
        assert (await ada.image()).status_code == 200


async def catalogue(customer: Customer) -> list[dict[str, Any]]:
    services: list[dict[str, Any]] = (await customer.client.get("/api/services")).json()["data"]
    return services


@dataclass
class Later:
    """The clock of a module, some seconds on."""

    seconds: float

    def monotonic(self) -> float:
        return time.monotonic() + self.seconds


async def test_a_paid_answer_that_is_of_no_use_is_not_bought_again(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two is preferred."""
    async with both(tmp_path, database_url, monkeypatch, "openai_compatible", "fal") as pair:
        pair.openai.behaviour = Behaviour.TRUNCATED
        ada = await pair.service.customer(credits=100)
        assert (await ada.image()).json()["reason"] == NO_ANSWER
        assert (len(pair.openai.orders), len(pair.fal.orders)) == (1, 0)


@pytest.mark.parametrize("trouble", [{"behaviour": Behaviour.TRUNCATED}, {"image": png()[:-20]}], ids=["said", "not"])
async def test_one_that_nobody_pays_may_break_off(
    trouble: dict[str, Any], tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its answer said how long it is, or not."""
    async with both(tmp_path, database_url, monkeypatch) as pair:
        monkeypatch.delenv("OPENAI_API_KEY")
        for name, value in {"key": "", **trouble}.items():
            setattr(pair.openai, name, value)
        pair.service.runtime.providers._providers = tuple(
            load_providers(["openai_compatible", "fal"], tools(pair.fal, Pauses()))
        )
        ada = await pair.service.customer()
        assert (await ada.image()).json()["provider"] == "fal"


async def test_every_service_is_stored_and_answered(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both(tmp_path, database_url, monkeypatch) as pair:
        ada = await pair.service.customer(credits=100)
        speech = (await ada.client.post(SPEECH, json={"text": "Good morning."})).json()
        assert (speech["provider"], speech["model"]) == ("fal", "vibevoice")
        assert (await ada.client.get(speech["audio_url"])).headers["content-type"] == "audio/mpeg"
        body = {"audio_url": speech["audio_url"], "model": "openai/whisper-large-v3", "language": "de"}
        text = (await ada.client.post(TRANSCRIPTION, json=body)).json()
        assert (text["provider"], text["text"]) == ("fal", TEXT)
        model = "parler-tts/parler-tts-mini-v1"
        other = (await ada.client.post(SPEECH, json={"text": "Good morning.", "model": model})).json()
        assert (other["provider"], other["model"]) == ("openai_compatible", "tts-1")


# Who is asked where OpenAI's server finds a recording too large, how fal acts, and the status and reason of the answer.
TOO_LARGE_ROWS = {
    "for the only one": (("openai_compatible",), Behaviour.WORKS, 422, TOO_LARGE),
    "not for the next": (("openai_compatible", "fal"), Behaviour.WORKS, 200, None),
    "and the next is busy": (("openai_compatible", "fal"), Behaviour.BUSY_FOR_AN_HOUR, 500, BUSY),
    "and the first is busy": (("fal", "openai_compatible"), Behaviour.BUSY_FOR_AN_HOUR, 500, BUSY),
}


@pytest.mark.parametrize("row", TOO_LARGE_ROWS)
async def test_a_recording_that_is_too_large(
    row: str, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the caller's fault only if nobody else might have taken it: to repeat the call is of no use then."""
    names, behaviour, status, reason = TOO_LARGE_ROWS[row]
    async with both(tmp_path, database_url, monkeypatch, *names) as pair:
        ada = await pair.service.customer(credits=100)
        speech = (await ada.client.post(SPEECH, json={"text": "Good morning."})).json()
        pair.openai.bytes_max, pair.fal.behaviour = 100, behaviour
        body = {"audio_url": speech["audio_url"], "model": "openai/whisper-large-v3"}
        answer = await ada.client.post(TRANSCRIPTION, json=body)
        assert (answer.status_code, answer.json().get("reason")) == (status, reason)
        if status != 200:
            assert (answer.json()["refunded"], await ada.credits()) == (True, speech["credits_remaining"])


async def test_the_embedded_provider_is_no_fallback(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It serves what no real provider is configured for, and nothing else."""
    async with both(tmp_path, database_url, monkeypatch, "huggingface") as pair:
        ada = await pair.service.customer()
        speech = await ada.client.post(SPEECH, json={"text": "Good morning."})
        assert speech.json()["provider"] == "embedded"
        missing = await ada.client.post(IMAGE, json={"prompt": "x", "model": "fal-ai/flux-pro"})
        assert missing.status_code == 503
        assert missing.json()["available"] == ["black-forest-labs/FLUX.1-schnell", "black-forest-labs/FLUX.1-dev"]


async def test_a_job_that_is_cancelled_is_cancelled_at_fal(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both(tmp_path, database_url, monkeypatch, lease_seconds=0.6, pauses=True) as pair:
        pair.fal.behaviour = Behaviour.HANGS
        ada = await pair.service.customer(credits=100)
        job = (await ada.image(Prefer="respond-async")).json()

        async def has_begun() -> bool:
            return bool(pair.fal.orders)

        await until(has_begun)
        assert (await ada.client.post(f"/api/jobs/{job['id']}/cancel")).status_code == 200
        await until(lambda: is_cancelled(pair.fal))
        assert await ada.credits() == 100
