"""Whatever a stranger's link leads to: 200 or 422, the credits back, and nothing left of it."""

import asyncio
import gzip
import itertools
import random
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aiops.jobs import execution
from aiops.providers.base import Call, ProviderRejectedError
from aiops.providers.embedded.decoding import (
    MEMORY_BYTES,
    TOO_INTRICATE,
    UNDECODABLE,
    UNUSUAL,
    WITHOUT_AUDIO,
    WITHOUT_LENGTH,
)
from aiops.providers.embedded.provider import TRANSCRIPTION_LIMITS, EmbeddedProvider
from aiops.providers.embedded.sandbox import Limits, Sandbox
from aiops.providers.embedded.transcription import SILENT
from tests.fixtures.hostile_media import (
    FORMS,
    MATERIALS,
    PLAYLISTS,
    RATE_HZ,
    SPEECH,
    TOO_LONG,
    Material,
    comments,
    id3,
    mp3,
    playlist,
)
from tests.fixtures.media import decoded, encoded, wav
from tests.fixtures.service import TRANSCRIPTION, Customer, Service, running_service, until
from tests.fixtures.web import WebServer, ok, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEGABYTE = 1024 * 1024
UNDECODED = "The file could not be decoded as its server declares it."
FINE = "fine"
REASONS = (UNDECODABLE, UNUSUAL, WITHOUT_AUDIO, WITHOUT_LENGTH, TOO_LONG)
SENTENCE = "Hello there. The quick brown fox jumps over the lazy dog."
AUDIO = "Content-Type: audio/mpeg"
numbers = itertools.count()


@dataclass
class Surroundings:
    """A service with the embedded provider, and the host from which it may fetch."""

    service: Service
    host: WebServer
    speech: bytes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def surroundings(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Surroundings]:
    folder = tmp_path_factory.mktemp("hostile")
    database = folder / "aiops.sqlite3"
    database.write_bytes(sqlite_template.read_bytes())
    async with (
        serving(b"") as host,
        running_service(folder, f"sqlite:///{database}", providers=[], private_hosts=[host.authority]) as service,
    ):
        yield Surroundings(service, host, await spoken())


async def spoken() -> bytes:
    """A sentence that is understood, as samples at 16 kHz."""

    async def started(_request_id: str) -> None:
        raise AssertionError("nothing is paid for")

    call = Call(deadline_seconds=120, started=started, progress=lambda _fraction: None)
    media = await EmbeddedProvider(flite=None).generate_speech(SENTENCE, "en-Emily_woman", "vibevoice", call)
    return decoded(encoded(*decoded(media.data)))[0]


@pytest_asyncio.fixture(loop_scope="module")
async def ada(surroundings: Surroundings) -> Customer:
    """Ten minutes are the longest that her plan allows."""
    return await surroundings.service.customer(f"ada{next(numbers)}@example.com", plan="free", credits=25)


@pytest.fixture
def host(surroundings: Surroundings) -> WebServer:
    surroundings.host.requests.clear()
    return surroundings.host


@pytest_asyncio.fixture(loop_scope="module")
async def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, surroundings: Surroundings) -> AsyncIterator[None]:
    """Afterwards no folder, no download and no process of the engine is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    downloads = surroundings.service.runtime.settings.downloads_dir
    started: list[int] = []
    start = asyncio.create_subprocess_exec

    async def spy(*command: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*command, **options)
        started.append(process.pid)
        return process

    async def nothing_is_left() -> bool:
        return not (running(started) or list(tmp_path.iterdir()) or list(downloads.glob("*")))

    monkeypatch.setattr(asyncio, "create_subprocess_exec", spy)
    yield
    await until(nothing_is_left)


def running(groups: list[int]) -> bool:
    """Whether a process of these groups is alive; one that is dead may wait for its parent."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return any(
        int(group) in groups and not state.startswith("Z") for group, state in map(str.split, listed.splitlines())
    )


async def measured(paths: list[Path]) -> list[str]:
    """What is said of each: that it is fine, or the reason why not. One process reads them all, in little memory."""
    outcome = await Sandbox(1, import_roots=[Path(__file__).parent]).run(
        "embedded_tasks:measure_all",
        {"paths": [str(path) for path in paths]},
        limits=Limits(memory_bytes=MEMORY_BYTES, file_bytes=MEGABYTE),
        deadline_seconds=120,
    )
    return [str(one) for one in outcome.values["said"]]


async def transcribe(customer: Customer, url: str) -> httpx.Response:
    return await customer.client.post(TRANSCRIPTION, json={"audio_url": url})


async def refused(customer: Customer, url: str) -> str:
    """The reason why it cannot be transcribed; the credits are back."""
    answer = await transcribe(customer, url)
    body = answer.json()
    assert (answer.status_code, body["code"], body.get("refunded")) == (422, "unprocessable", True), body
    assert await customer.credits() == 25
    return str(body["reason"])


async def test_all_is_decoded_or_refused(surroundings: Surroundings, tmp_path: Path) -> None:
    """All of it by one process, in the memory that decoding may take; `TestMaterial` is this through the API."""
    paths = [tmp_path / material.name for material in MATERIALS]
    for path, material in zip(paths, MATERIALS, strict=True):
        path.write_bytes(material.make(surroundings.speech))
    said = dict(zip((material.name for material in MATERIALS), await measured(paths), strict=True))
    assert said == {
        material.name: FINE if material.said in (SPEECH, SILENT) else material.said for material in MATERIALS
    }


@pytest.mark.long
@pytest.mark.usefixtures("left")
class TestMaterial:
    @pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.name)
    async def test_is_transcribed_or_refused(
        self, surroundings: Surroundings, ada: Customer, host: WebServer, material: Material
    ) -> None:
        host.answers[:] = [ok(material.make(surroundings.speech), AUDIO)]
        if material.said != SPEECH:
            assert await refused(ada, f"{host.url}.mp3") == material.said
            return
        answer = await transcribe(ada, f"{host.url}.mp3")
        assert answer.status_code == 200, answer.json()
        assert SPEECH in answer.json()["text"]
        assert await ada.credits() == 22

    @pytest.mark.parametrize("form", PLAYLISTS.values(), ids=PLAYLISTS.keys())
    async def test_that_names_a_url_does_not_make_us_fetch_it(self, ada: Customer, host: WebServer, form: str) -> None:
        host.answers[:] = [ok(playlist(form, host.url)(b""), AUDIO)]
        await refused(ada, host.url)
        assert len(host.requests) == 1


@pytest.mark.usefixtures("left")
class TestTransfer:
    """What is hostile in how it comes."""

    async def test_a_bomb_of_zeros(self, ada: Customer, host: WebServer) -> None:
        """Larger than any file may be, in a thousandth of that."""
        bomb = gzip.compress(bytes(execution.DOWNLOAD_BYTES_MAX + 1))
        assert len(bomb) < MEGABYTE
        host.answers[:] = [ok(bomb, AUDIO, "Content-Encoding: gzip")]
        assert await refused(ada, host.url) == f"The file is larger than {execution.DOWNLOAD_BYTES_MAX} bytes."

    async def test_a_bomb_of_silence(self, ada: Customer, host: WebServer) -> None:
        bomb = gzip.compress(wav(4_000, 1, bytes(601 * 4_000 * 2)))
        assert len(bomb) < 10_000
        host.answers[:] = [ok(bomb, AUDIO, "Content-Encoding: gzip")]
        assert await refused(ada, host.url) == TOO_LONG

    async def test_bombs_in_bombs(self, ada: Customer, host: WebServer) -> None:
        host.answers[:] = [ok(gzip.compress(gzip.compress(bytes(MEGABYTE))), AUDIO, "Content-Encoding: gzip, gzip")]
        assert await refused(ada, host.url) == "The file is in a content encoding that is not supported."

    async def test_another_encoding_than_declared(self, ada: Customer, host: WebServer) -> None:
        host.answers[:] = [ok(bytes(1000), AUDIO, "Content-Encoding: gzip")]
        assert await refused(ada, host.url) == UNDECODED

    async def test_a_stream_without_end(
        self, surroundings: Surroundings, ada: Customer, host: WebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(execution, "DOWNLOAD_BYTES_MAX", MEGABYTE)
        sound = mp3(surroundings.speech)

        async def broadcast(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n")
            while True:
                writer.write(sound)
                await writer.drain()

        host.answers[:] = [broadcast]
        assert await refused(ada, host.url) == f"The file is larger than {MEGABYTE} bytes."

    async def test_a_stream_that_is_as_slow_as_it_plays(
        self, ada: Customer, host: WebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(execution, "DOWNLOAD_SECONDS", 0.3)

        async def radio(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n")
            while True:
                writer.write(bytes(400))
                await writer.drain()
                await asyncio.sleep(0.025)

        host.answers[:] = [radio]
        assert await refused(ada, host.url) == "The URL could not be fetched in time."


class TestDamage:
    """Files with bytes replaced, inserted and lost at random are decoded, or refused for what they are."""

    async def test_is_never_taken_for_our_failure(self, surroundings: Surroundings, tmp_path: Path) -> None:
        await damage(surroundings.speech, tmp_path, seed=1, files=300)

    @pytest.mark.long
    @pytest.mark.parametrize("seed", range(2, 22))
    async def test_is_never_taken_for_our_failure_at_length(
        self, surroundings: Surroundings, tmp_path: Path, seed: int
    ) -> None:
        await damage(surroundings.speech, tmp_path, seed, files=500)


async def damage(speech: bytes, folder: Path, seed: int, files: int) -> None:
    chance = random.Random(seed)
    wholes = [make(speech[: 2 * RATE_HZ]) for make in FORMS]
    paths = [folder / f"{number:03}" for number in range(files)]
    for path in paths:
        path.write_bytes(damaged(chance, chance.choice(wholes)))
    unforeseen = {
        path.name: said for path, said in zip(paths, await measured(paths), strict=True) if said not in {FINE, *REASONS}
    }
    assert unforeseen == {}


def damaged(chance: random.Random, whole: bytes) -> bytes:
    """Mostly near the beginning, where the numbers stand that all else depends on."""
    data = bytearray(whole)
    reach = chance.choice([64, 256, 2048, len(data)])
    for _ in range(chance.choice([0, 1, 2, 4, 16, 64])):
        place, width = chance.randrange(min(reach, len(data))), chance.choice([1, 2, 4, 8])
        values = [
            bytes(width),
            b"\xff" * width,
            b"\x80" + bytes(width - 1),
            chance.randbytes(width),
            bytes([data[place] ^ 128]),
        ]
        data[place : place + chance.choice([width, width, 0, 32])] = chance.choice(values)
    return bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])


class TestBounds:
    """Of what one file may cost."""

    async def run(self, task: str, path: Path) -> Mapping[str, Any]:
        outcome = await Sandbox(1, import_roots=[Path(__file__).parent]).run(
            f"embedded_tasks:{task}",
            {"path": str(path), "seconds_max": 600},
            limits=TRANSCRIPTION_LIMITS,
            deadline_seconds=60,
        )
        return outcome.values

    async def test_enough_memory_is_left_to_the_recogniser(self) -> None:
        limits = await self.run("limits_of_decoding", Path("unread"))
        assert limits == {"decoding": [MEMORY_BYTES] * 2, "afterwards": TRANSCRIPTION_LIMITS.memory_bytes}

    async def test_a_file_that_takes_all_memory_is_refused(self) -> None:
        with pytest.raises(ProviderRejectedError) as refused:
            await self.run("transcribe_without_memory", Path("unread"))
        assert refused.value.reason == UNDECODABLE

    async def test_tags_that_take_minutes_to_read_are_refused(self, surroundings: Surroundings, tmp_path: Path) -> None:
        """FFmpeg looks through all tags for each; these take it minutes, in 3 MB."""
        path = tmp_path / "tags.mp3"
        path.write_bytes(id3(*comments(100_000)) + mp3(surroundings.speech))
        with pytest.raises(ProviderRejectedError) as refused:
            await self.run("transcribe_in_haste", path)
        assert refused.value.reason == TOO_INTRICATE
