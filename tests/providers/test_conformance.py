"""Every adapter, each of its services, and each way in which a provider may act: what it comes to is the same for all.

The servers hold what they are sent against each provider's documented protocol; what one would refuse fails the test.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aiops.logs import configure_logs
from aiops.providers import remote
from aiops.providers.answers import checked_image, checked_speech, checked_transcript
from aiops.providers.base import (
    Audio,
    Call,
    ImageProvider,
    Media,
    Provider,
    ProviderFailedError,
    ProviderRejectedError,
    ProviderUnavailableError,
    SpeechProvider,
    Transcript,
    TranscriptionProvider,
)
from tests.fixtures.adapters import (
    FAL,
    HUGGINGFACE,
    HUGGINGFACE_BY_FAL,
    OPENAI,
    OPENAI_BY_LINK,
    Adapter,
    Pauses,
    provider_of,
)
from tests.fixtures.providers import MP3, png
from tests.fixtures.upstream import TEXT, Answer, Behaviour, wav
from tests.fixtures.upstream_fal import FalServer, Work

SCHNELL, WHISPER = "black-forest-labs/FLUX.1-schnell", "openai/whisper-large-v3"
MODELS = {"image": SCHNELL, "speech": "vibevoice", "text": WHISPER}
OPERATIONS = {"image": "generate_image", "speech": "generate_speech", "text": "transcribe_audio"}
SERVED, UNAVAILABLE, FAILED, REJECTED = "served", "the next is tried", "500 at once", "422"
SECRET = "secretofthetests"

OUTCOMES = {
    Behaviour.WORKS: SERVED,
    Behaviour.SLOW: SERVED,
    Behaviour.BUSY_FOR_A_SECOND: SERVED,
    Behaviour.BUSY_FOR_AN_HOUR: UNAVAILABLE,
    Behaviour.BROKEN: UNAVAILABLE,
    Behaviour.OVERLOADED: UNAVAILABLE,
    Behaviour.KEY_REFUSED: UNAVAILABLE,
    Behaviour.UNPAID: UNAVAILABLE,
    Behaviour.REDIRECTS: UNAVAILABLE,
    Behaviour.GATEWAY_GAVE_UP: FAILED,
    Behaviour.CLOUDFLARE_GAVE_UP: FAILED,
    Behaviour.HANGS_UP: FAILED,
    Behaviour.TRUNCATED: FAILED,
    Behaviour.WRONG_TYPE: FAILED,
    Behaviour.HUGE: FAILED,
    Behaviour.HANGS: FAILED,
    Behaviour.NONSENSE: FAILED,
    Behaviour.POLICY: REJECTED,
}


# Whoever acts so is asked nothing more for a while: only the operator can mend it.
SHUT = {Behaviour.KEY_REFUSED, Behaviour.UNPAID}


@dataclass(frozen=True)
class Subject:
    id: str
    adapter: Adapter
    service: str
    hang_seconds: float = 0.4  # longer where it makes calls before the order: these have to be over by then


SUBJECTS = [
    Subject("fal image", FAL, "image"),
    Subject("fal speech", FAL, "speech"),
    Subject("fal transcription", FAL, "text", hang_seconds=2),
    Subject("hf-inference image", HUGGINGFACE, "image", hang_seconds=2),
    Subject("hf-inference transcription", HUGGINGFACE, "text", hang_seconds=2),
    Subject("image of fal by Hugging Face", HUGGINGFACE_BY_FAL, "image", hang_seconds=2),
    Subject("transcription of fal by Hugging Face", HUGGINGFACE_BY_FAL, "text", hang_seconds=2),
    Subject("OpenAI image", OPENAI, "image"),
    Subject("OpenAI image by link", OPENAI_BY_LINK, "image"),
    Subject("OpenAI speech", OPENAI, "speech"),
    Subject("OpenAI transcription", OPENAI, "text"),
]


@dataclass
class Asked:
    """What an adapter has told of its work."""

    request_ids: list[str] = field(default_factory=list)

    async def started(self, request_id: str) -> None:
        self.request_ids.append(request_id)

    def call(self, deadline_seconds: float = 60, request_id: str | None = None) -> Call:
        return Call(deadline_seconds, self.started, lambda _: None, request_id)


CHECKS: dict[str, Callable[[Any], object]] = {
    "image": checked_image,
    "speech": checked_speech,
    "text": checked_transcript,
}


async def serve(provider: Provider, service: str, folder: Path, call: Call) -> Any:
    """One call of a service."""
    match service:
        case "image":
            assert isinstance(provider, ImageProvider)
            return await provider.generate_image("a lighthouse", "none", "16:9", SCHNELL, call)
        case "speech":
            assert isinstance(provider, SpeechProvider)
            return await provider.generate_speech("Good\nmorning.", "en-Emily_woman", "vibevoice", call)
        case _:
            assert isinstance(provider, TranscriptionProvider)
            recording = folder / "recording"
            recording.write_bytes(wav())
            return await provider.transcribe_audio(Audio(recording, 60), "de", WHISPER, call)


def is_live(provider: Provider, service: str) -> bool:
    return provider.serves(OPERATIONS[service], MODELS[service])


async def outcome(provider: Provider, service: str, folder: Path, call: Call) -> str:
    """What it comes to. An answer that turns out to be none, checked as the server does, has been paid for."""
    try:
        answer = await serve(provider, service, folder, call)
    except ProviderRejectedError:
        return REJECTED
    except ProviderFailedError:
        return FAILED
    except ProviderUnavailableError:
        return UNAVAILABLE
    try:
        CHECKS[service](answer)
    except ProviderUnavailableError:
        return FAILED
    assert (answer.data if isinstance(answer, Media) else answer.text) in (png(), MP3, TEXT)
    return SERVED


@pytest.mark.parametrize("behaviour", Behaviour, ids=lambda one: one.value)
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda one: one.id)
async def test_how_a_provider_acts_and_what_it_comes_to(
    subject: Subject,
    behaviour: Behaviour,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("json")
    pauses, asked = Pauses(), Asked()
    hangs = behaviour is Behaviour.HANGS
    async with subject.adapter.running(monkeypatch) as server:
        server.behaviour = behaviour
        provider = provider_of(subject.adapter, server, asyncio.sleep if hangs else pauses)
        monkeypatch.setattr(remote, "time", pauses)
        call = asked.call(subject.hang_seconds if hangs else 60)
        assert await outcome(provider, subject.service, tmp_path, call) == OUTCOMES[behaviour]
        assert is_live(provider, subject.service) == (behaviour not in SHUT)
        assert len(server.orders) <= 1
        assert server.orders or OUTCOMES[behaviour] != SERVED
        assert not server.orders or OUTCOMES[behaviour] != UNAVAILABLE, "the next one would be paid as well"
        assert not [one for one in server.requests if one.path == "/stolen"]
    if behaviour is Behaviour.BUSY_FOR_A_SECOND:
        assert 1.0 in pauses.seconds
    written = "".join(capsys.readouterr())
    assert "provider_answered" in written or behaviour is not Behaviour.KEY_REFUSED
    assert SECRET not in written, "the key is in the log"


@pytest.mark.parametrize("subject", [one for one in SUBJECTS if one.service == "image"], ids=lambda one: one.id)
async def test_an_image_that_ends_too_soon(subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it comes from a server that closes the connection without having said how long the image is."""
    pauses = Pauses()
    monkeypatch.setattr(remote, "time", pauses)
    async with subject.adapter.running(monkeypatch) as server:
        server.image = png()[:-20]
        assert await outcome(provider_of(subject.adapter, server, pauses), "image", tmp_path, Asked().call()) == FAILED
        assert len(server.orders) == 1


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda one: one.id)
async def test_a_provider_that_is_not_there(subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with subject.adapter.running(monkeypatch) as server:
        provider = provider_of(subject.adapter, server, Pauses())
    assert await outcome(provider, subject.service, tmp_path, Asked().call()) == UNAVAILABLE


@pytest.mark.parametrize("adapter", [FAL, OPENAI], ids=lambda one: one.name)
async def test_a_recording_of_another_type_is_made_an_mp3(
    adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with adapter.running(monkeypatch) as server:
        server.sound = wav()
        answer = await serve(provider_of(adapter, server, Pauses()), "speech", tmp_path, Asked().call())
    assert answer == Media(MP3, "audio/mpeg", "vibevoice")


async def test_what_is_sent_where_is_what_the_table_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The three services of each adapter, in the words of its provider."""
    async with FAL.running(monkeypatch) as fal:
        provider = provider_of(FAL, fal, Pauses())
        assert isinstance(provider, ImageProvider)
        call = Asked().call()
        await provider.generate_image("a {prompt} of tea", "anime", "3:4", "fal-ai/flux-pro", call)
        await serve(provider, "speech", tmp_path, Asked().call())
        transcript = await serve(provider, "text", tmp_path, Asked().call())
    assert transcript == Transcript(TEXT, WHISPER)
    image, speech, text = fal.orders
    assert image["prompt"] == "Anime illustration, in the style of a Japanese animated film. a {prompt} of tea"
    assert image["image_size"] == {"width": 896, "height": 1152}
    assert speech == {"script": "Speaker 0: Good morning.", "speakers": [{"preset": "Alice [EN]"}]}
    assert {name: text[name] for name in ("task", "language")} == {"task": "transcribe", "language": "de"}
    async with OPENAI.running(monkeypatch) as openai:
        provider = provider_of(OPENAI, openai, Pauses())
        assert isinstance(provider, ImageProvider)
        for model in (SCHNELL, "black-forest-labs/FLUX.1-dev", "fal-ai/flux-pro"):
            await provider.generate_image("tea", "none", "9:16", model, Asked().call())
        await serve(provider, "text", tmp_path, Asked().call())
    assert [(one["model"], one.get("size"), "response_format" in one) for one in openai.orders] == [
        ("flux.1-schnell", "768x1344", True),
        ("gpt-image-1", "1024x1536", False),
        ("dall-e-3", "1024x1792", True),
        ("whisper-1", None, True),
    ]


async def test_an_image_that_fal_has_blackened_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its checker does not refuse; it says so beside a black image."""
    result = FalServer.result

    async def blackened(self: FalServer, work: Work) -> Answer:
        answer = await result(self, work)
        return Answer(200, answer.body.replace(b"[false]", b"[true]"))

    monkeypatch.setattr(FalServer, "result", blackened)
    async with FAL.running(monkeypatch) as server:
        assert await outcome(provider_of(FAL, server, Pauses()), "image", tmp_path, Asked().call()) == REJECTED


async def test_a_server_without_a_key_is_sent_none_and_paid_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with OPENAI.running(monkeypatch) as server:
        monkeypatch.delenv("OPENAI_API_KEY")
        server.key = ""
        provider = provider_of(OPENAI, server, Pauses())
        assert not provider.paid
        assert await outcome(provider, "text", tmp_path, Asked().call()) == SERVED
