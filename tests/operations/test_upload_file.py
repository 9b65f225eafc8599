"""A file's life over HTTP, in a folder and in a bucket."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from aiops.accounts.plans import FILE_LIMITS
from aiops.contract.document import api_document
from aiops.database.engine import CommitInDoubtError
from aiops.database.tables import File
from aiops.operations import upload_file
from aiops.providers.base import ProviderUnavailableError
from aiops.storage.files import StorageError
from aiops.storage.sweep import sweep
from aiops.uploads import places, receiving, room
from tests.fixtures.disk import room_for
from tests.fixtures.forms import CONTENT_TYPE, RECORDING, form, part
from tests.fixtures.media import encoded, wav
from tests.fixtures.service import TRANSCRIPTION, Customer, Service, running_service, until

PATH = "/api/files"
SOUND = bytes(range(256)) * 125  # a second at 16 kHz
WAV = wav(16_000, 1, SOUND)
MEGABYTE = 1024 * 1024


async def upload(who: Customer, content: bytes = WAV, name: str = "recording.wav", **headers: str) -> httpx.Response:
    files = {"file": (name, content, "application/octet-stream")}
    return await who.client.post(PATH, files=files, headers=headers)


async def send(who: Customer, body: bytes, **headers: str) -> httpx.Response:
    sent = {"Content-Type": CONTENT_TYPE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await who.client.post(PATH, content=body, headers=sent)


async def nothing_is_kept(service: Service) -> bool:
    """No row, no content, nothing on the way."""
    runtime = service.runtime
    async with runtime.database.read() as session:
        rows = (await session.execute(select(func.count()).select_from(File))).scalar_one()
    return (rows, await kept(service), on_the_way(service)) == (0, [], [])


async def kept(service: Service) -> list[str]:
    """Every key there is."""
    return [one.key async for some in service.runtime.store.objects() for one in some]


def on_the_way(service: Service) -> list[Path]:
    return list(service.runtime.settings.downloads_dir.glob("*"))


async def nothing_is_on_the_way(service: Service) -> bool:
    return on_the_way(service) == []


def invalid(answer: httpx.Response) -> str:
    """What is said to be wrong with the file."""
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    (detail,) = answer.json()["details"]
    assert detail["field"] == "file"
    message: str = detail["message"]
    return message


async def test_a_file_is_described_and_can_be_fetched_and_transcribed(stored_service: Service) -> None:
    ada = await stored_service.customer()
    before = stored_service.clock()
    answer = await upload(ada, name="Jour de fête.wav")
    assert answer.status_code == 201
    file = answer.json()
    expected = {"name": "Jour de fête.wav", "content_type": "audio/wav", "size_bytes": len(WAV), "duration_seconds": 1}
    assert {name: file[name] for name in expected} == expected
    assert before <= datetime.fromisoformat(file["created_at"]) <= stored_service.clock()
    kept = datetime.fromisoformat(file["expires_at"]) - datetime.fromisoformat(file["created_at"])
    assert kept == timedelta(hours=72)
    assert on_the_way(stored_service) == []

    fetched = await stored_service.client().get(file["file_url"])
    assert (fetched.content, fetched.headers["content-type"]) == (WAV, "audio/wav")
    assert fetched.headers["etag"] == f'"{hashlib.sha256(WAV).hexdigest()[:32]}"'
    assert fetched.headers["content-disposition"] == (
        "inline; filename=\"Jour de f_te.wav\"; filename*=UTF-8''Jour%20de%20f%C3%AAte.wav"
    )
    part_of_it = await stored_service.client().get(file["file_url"], headers={"Range": "bytes=-4"})
    assert (part_of_it.status_code, part_of_it.content) == (206, WAV[-4:])

    transcribed = await ada.client.post(TRANSCRIPTION, json={"audio_url": file["file_url"]})
    assert transcribed.json()["text"] == "what was said"
    assert await ada.credits() == 5000 - 3, "the upload costs nothing"
    await until(lambda: nothing_is_on_the_way(stored_service))


async def test_what_is_transcribed_is_the_file(stored_service: Service) -> None:
    """Whichever storage: the provider is given a path with the very content."""
    heard: list[bytes] = []

    async def transcribe(audio: Any, language: str, model: str, call: Any) -> Any:
        heard.append(audio.path.read_bytes())
        return await type(stored_service.provider).transcribe_audio(
            stored_service.provider, audio, language, model, call
        )

    stored_service.provider.transcribe_audio = transcribe  # type: ignore[method-assign]
    ada = await stored_service.customer()
    url = (await upload(ada)).json()["file_url"]
    assert (await ada.client.post(TRANSCRIPTION, json={"audio_url": url})).status_code == 200
    assert heard == [WAV]


async def test_a_storage_that_goes_away_refunds_a_transcription(
    stored_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StorageError("Connection refused")

    ada = await stored_service.customer()
    url = (await upload(ada)).json()["file_url"]
    with monkeypatch.context() as away:
        away.setattr(type(stored_service.runtime.store), "material", fail)
        answer = await ada.client.post(TRANSCRIPTION, json={"audio_url": url})
    assert (answer.status_code, answer.json()["code"], answer.json()["refunded"]) == (500, "generation_failed", True)
    assert (await ada.client.post(TRANSCRIPTION, json={"audio_url": url})).status_code == 200
    assert await ada.credits() == 5000 - 3


async def test_a_file_that_is_gone_cannot_be_transcribed(stored_service: Service) -> None:
    ada = await stored_service.customer()
    file = (await upload(ada)).json()
    await stored_service.runtime.store.delete(file["id"])
    answer = await ada.client.post(TRANSCRIPTION, json={"audio_url": file["file_url"]})
    assert (answer.status_code, answer.json()["reason"]) == (422, "The file behind this link is no longer kept.")
    async with stored_service.runtime.database.write() as session:
        await session.delete((await session.execute(select(File))).scalar_one())


async def test_a_file_is_deleted_when_it_has_expired(stored_service: Service) -> None:
    runtime, clock = stored_service.runtime, stored_service.clock
    ada = await stored_service.customer()
    url = (await upload(ada)).json()["file_url"]
    clock.advance(hours=71)
    assert await sweep(runtime.database, runtime.store, runtime.settings.downloads_dir, clock()) == 0
    assert (await stored_service.client().get(url)).status_code == 200
    clock.advance(hours=1)
    assert (await stored_service.client().get(url)).status_code == 404
    assert await sweep(runtime.database, runtime.store, runtime.settings.downloads_dir, clock()) == 1
    assert await nothing_is_kept(stored_service)


async def test_an_upload_in_a_database_of_either_kind(service: Service) -> None:
    ada = await service.customer()
    for _ in range(2):
        assert (await upload(ada)).status_code == 201


TYPES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "wav": (lambda: WAV, "audio/wav", "wav"),
    "mp3": (lambda: encoded(SOUND, 16_000, container="mp3", codec="mp3"), "audio/mpeg", "mp3"),
    "m4a": (lambda: encoded(SOUND, 16_000, container="ipod", codec="aac"), "audio/mp4", "m4a"),
    "film": (lambda: encoded(SOUND, 16_000, container="mp4", codec="aac", video=True), "video/mp4", "mp4"),
    "quicktime": (lambda: encoded(SOUND, 16_000, container="mov", codec="aac", video=True), "video/quicktime", "mov"),
    "3gp": (lambda: encoded(SOUND, 16_000, container="3gp", codec="aac"), "audio/3gpp", "3gp"),
    "ogg": (
        lambda: encoded(SOUND, 16_000, container="ogg", codec="libopus", coded_rate_hz=48_000), "audio/ogg", "ogg"
    ),
    "webm": (
        lambda: encoded(SOUND, 16_000, container="webm", codec="libopus", coded_rate_hz=48_000), "audio/webm", "webm"
    ),
    "matroska": (
        lambda: encoded(SOUND, 16_000, container="matroska", codec="pcm_s16le"), "audio/matroska", "mka"
    ),
    "flac": (lambda: encoded(SOUND, 16_000, container="flac", codec="flac"), "audio/flac", "flac"),
    "aac": (lambda: encoded(SOUND, 16_000, container="adts", codec="aac"), "audio/aac", "aac"),
    "aiff": (lambda: encoded(SOUND, 16_000, container="aiff", codec="pcm_s16be"), "audio/aiff", "aiff"),
    "au": (lambda: encoded(SOUND, 16_000, container="au", codec="pcm_s16be"), "audio/basic", "au"),
    "caf": (lambda: encoded(SOUND, 16_000, container="caf", codec="pcm_s16be"), "audio/x-caf", "caf"),
    "w64": (lambda: encoded(SOUND, 16_000, container="w64"), "audio/x-w64", "w64"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "content_type", "extension"), TYPES.values(), ids=TYPES)
async def test_the_type_is_told_by_the_content(
    sqlite_service: Service, make: Callable[[], bytes], content_type: str, extension: str
) -> None:
    ada = await sqlite_service.customer()
    body = form(part(b'form-data; name="file"; filename="photo.jpg"', b"Content-Type: image/jpeg", content=make()))
    answer = (await send(ada, body)).json()
    assert (answer["content_type"], answer["name"]) == (content_type, f"photo.{extension}")
    assert answer["id"].endswith(f".{extension}")
    assert answer["duration_seconds"] == pytest.approx(1, abs=0.15)
    fetched = await sqlite_service.client().get(answer["file_url"])
    assert fetched.headers["content-type"] == content_type


def faststart(data: bytes) -> bytes:
    """Moves the `moov` of a small m4a before its `mdat`, and the addresses in it with it."""
    boxes, position = [], 0
    while position < len(data):
        size = int.from_bytes(data[position : position + 4])
        boxes.append(data[position : position + size])
        position += size
    moov = next(box for box in boxes if box[4:8] == b"moov")
    rest = [box for box in boxes if box is not moov]
    at = moov.index(b"stco")
    count = int.from_bytes(moov[at + 8 : at + 12])
    addresses = moov[at + 12 : at + 12 + 4 * count]
    moved = b"".join(
        (int.from_bytes(addresses[i : i + 4]) + len(moov)).to_bytes(4) for i in range(0, len(addresses), 4)
    )
    return b"".join([rest[0], moov[: at + 12] + moved + moov[at + 12 + 4 * count :], *rest[1:]])


M4A = encoded(SOUND * 10, 16_000, container="ipod", codec="aac")
STREAMED = faststart(M4A)
UNDECODABLE = "could not be decoded"
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "The file is empty"),
    "a program for Windows": (b"MZ\x90\0" + bytes(56) + b"PE\0\0" + bytes(range(256)) * 100, UNDECODABLE),
    "a program for Linux": (b"\x7fELF\2\1\1" + bytes(range(256)) * 100, UNDECODABLE),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100, UNDECODABLE),
    "a page": (b"<!doctype html><title>Sign in</title>" * 100, UNDECODABLE),
    "a playlist": (b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/secret.mp3\n", UNDECODABLE),
    "an archive": (b"PK\x03\x04" + bytes(1000), UNDECODABLE),
    "one byte": (b"\xff", UNDECODABLE),
    "zeros": (bytes(100_000), UNDECODABLE),
    "an m4a without its end": (M4A[: len(M4A) * 2 // 3], UNDECODABLE),
    "an m4a without the end of its sound": (STREAMED[: len(STREAMED) * 2 // 3], "cut off"),
    "a film without sound": (encoded(b"", 16_000, container="mp4", video=True), "no audio track"),
    "a recording without sound": (wav(16_000, 1, b""), "its length is zero"),
    "many channels": (wav(16_000, 60, SOUND * 4), "more than 8 channels"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_recording_is_refused_and_nothing_is_kept(
    stored_service: Service, content: bytes, reason: str
) -> None:
    ada = await stored_service.customer()
    assert reason in invalid(await upload(ada, content, "recording.m4a"))
    assert await nothing_is_kept(stored_service)


async def test_a_recording_with_its_index_in_front_is_taken(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    assert (await upload(ada, STREAMED)).json()["duration_seconds"] == pytest.approx(10, abs=0.2)


async def test_a_recording_that_is_longer_than_the_plan_takes(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer(plan="free")
    minutes = [encoded(bytes(2 * 4000 * 60 * n), 4000, codec="pcm_u8", coded_rate_hz=4000) for n in (10, 11)]
    assert (await upload(ada, minutes[0])).json()["duration_seconds"] == 600
    assert invalid(await upload(ada, minutes[1])) == "The audio is longer than 10 minutes, the longest allowed."


@pytest.fixture
async def small(tmp_path: Path, new_database: Callable[[str], str]) -> AsyncIterator[Service]:
    """A server whose only plan takes little: 1 MB a file, 3 files, 2 MB together."""
    limits = {"file_megabytes": 1, "stored_files": 3, "stored_megabytes": 2}
    plans = tmp_path / "plans.yaml"
    plans.write_text(
        "free: {monthly_credits: 25, requests_per_minute: 10, jobs_at_once: 2, jobs_queued: 100, audio_minutes: 10, "
        + ", ".join(f"{name}: {limits[name]}" for name in FILE_LIMITS)
        + "}\n"
    )
    async with running_service(tmp_path / "data", new_database("sqlite"), plans_file=plans) as running:
        yield running


def of_size(size_bytes: int) -> bytes:
    """A wav file of so many bytes."""
    file = wav(48_000, 1, bytes(size_bytes - 44))
    assert len(file) == size_bytes
    return file


async def test_a_file_may_be_as_large_as_the_plan_says_to_the_byte(small: Service) -> None:
    ada = await small.customer(plan="free")
    taken = await upload(ada, of_size(MEGABYTE))
    assert (taken.status_code, taken.json()["size_bytes"]) == (201, MEGABYTE)
    for body in (form(part(content=of_size(MEGABYTE) + b"x")), form(part(content=bytes(3 * MEGABYTE)))):
        for announced in (True, False):
            refused = await send(ada, body) if announced else await ada.client.post(
                PATH, content=pieces(body), headers={"Content-Type": CONTENT_TYPE}
            )  # fmt: skip
            assert (refused.status_code, refused.json()) == (
                413, {"error": "The file is larger than 1,048,576 bytes.", "code": "request_too_large"},
            )  # fmt: skip
    assert on_the_way(small) == []


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    """Sent without saying how much it will be."""
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


async def test_a_form_around_a_small_file_is_bounded_too(small: Service) -> None:
    ada = await small.customer(plan="free")
    body = form(part(content=WAV)) + bytes(MEGABYTE + receiving.FORM_BYTES_MAX)
    answer = await ada.client.post(PATH, content=pieces(body), headers={"Content-Type": CONTENT_TYPE})
    assert answer.status_code == 413
    assert await nothing_is_kept(small)


def no_room(answer: httpx.Response) -> bool:
    body = answer.json()
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == body["retry_after"]
    return body["code"] == "storage_full" and "3 uploaded files and 2 MB" in body["error"]


async def test_no_more_files_are_kept_than_the_plan_says(small: Service) -> None:
    ada, bob = await small.customer(plan="free"), await small.customer("bob@example.com", plan="free")
    for _ in range(3):
        assert (await upload(ada)).status_code == 201
    assert no_room(await upload(ada))
    assert (await upload(bob)).status_code == 201, "each account has its own"
    small.clock.advance(hours=71, minutes=59)
    assert 0 < (await upload(ada)).json()["retry_after"] <= 60
    small.clock.advance(minutes=1)
    assert (await upload(ada)).status_code == 201, "whether or not they have been swept"


async def test_no_more_megabytes_are_kept_than_the_plan_says_to_the_byte(small: Service) -> None:
    ada = await small.customer(plan="free")
    assert (await upload(ada, of_size(MEGABYTE))).status_code == 201
    assert (await upload(ada, of_size(MEGABYTE - 1044))).status_code == 201
    assert no_room(await upload(ada, of_size(1046)))
    assert (await upload(ada, of_size(1044))).status_code == 201
    before = await kept(small)
    assert len(before) == 3
    async with small.runtime.database.read() as session:
        assert (await session.execute(select(func.sum(col(File.size_bytes))))).scalar_one() == 2 * MEGABYTE


async def test_a_full_account_is_refused_unread(small: Service) -> None:
    ada = await small.customer(plan="free")
    for _ in range(3):
        await upload(ada)

    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body is read")
        yield b""

    assert no_room(await ada.client.post(PATH, content=never(), headers={"Content-Type": CONTENT_TYPE}))


async def test_uploads_at_the_same_moment_find_the_room_that_there_is(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On each database: five at once, room for three."""
    ada = await service.customer()
    monkeypatch.setattr(places, "PLACES_AN_ACCOUNT", 5)
    ada_limits = service.runtime.plans["business"]
    monkeypatch.setitem(service.runtime.plans, "business", ada_limits.model_copy(update={"stored_files": 3}))
    statuses = [answer.status_code for answer in await asyncio.gather(*(upload(ada) for _ in range(5)))]
    assert sorted(statuses) == [201, 201, 201, 429, 429]
    assert on_the_way(service) == []
    keys = await kept(service)
    assert len(keys) == 3


async def test_generated_files_take_no_room(small: Service) -> None:
    ada = await small.customer(plan="free")
    for _ in range(3):
        await ada.image()
        assert (await upload(ada)).status_code == 201


async def test_an_account_sends_a_few_files_at_once_and_the_server_takes_some(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PLACES", 3)
    monkeypatch.setattr(places, "PLACES_AN_ACCOUNT", 2)
    ada, bob = await sqlite_service.customer(), await sqlite_service.customer("bob@example.com")
    ends = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        body = form(part(content=WAV))
        yield body[:100]
        await ends.wait()
        yield body[100:]

    def begin(who: Customer) -> asyncio.Task[httpx.Response]:
        return asyncio.create_task(
            who.client.post(PATH, content=slowly(), headers={"Content-Type": CONTENT_TYPE}), name=who.id
        )

    begun = [begin(ada), begin(ada)]
    await taken(sqlite_service, 2)
    own = await upload(ada)
    assert (own.status_code, own.json()["code"], own.headers["retry-after"]) == (429, "rate_limit_exceeded", "5")
    begun.append(begin(bob))
    await taken(sqlite_service, 3)
    busy = await upload(bob)
    assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (503, "server_busy", "5")
    ends.set()
    assert [answer.status_code for answer in await asyncio.gather(*begun)] == [201] * 3
    assert (await upload(ada)).status_code == 201


async def taken(service: Service, number: int) -> None:
    async def are_taken() -> bool:
        return len(on_the_way(service)) == number

    await until(are_taken)


async def test_an_upload_counts_as_one_of_the_other_calls(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    sqlite_service.clock.begin_minute()
    answer = await upload(ada)
    assert answer.headers["ratelimit-policy"] == '"other";q=300;w=60'
    assert answer.headers["ratelimit"].startswith('"other";r=299;')


async def test_each_upload_is_a_file_of_its_own_whatever_its_key(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    answers = [await upload(ada, WAV, "a.wav", **{"Idempotency-Key": "one"}) for _ in range(2)]
    assert len({answer.json()["id"] for answer in answers}) == 2
    assert all("idempotent-replayed" not in answer.headers for answer in answers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Content_Type": "application/json"}, 415, id="JSON"),
        pytest.param({"Content_Type": "audio/mpeg"}, 415, id="the file as the body"),
        pytest.param({"Content_Type": "multipart/form-data"}, 400, id="no boundary"),
        pytest.param({"Content_Encoding": "gzip"}, 415, id="compressed"),
        pytest.param({"Content_Length": "-1"}, 413, id="a length below zero"),
    ],
)
async def test_a_head_that_is_not_taken(sqlite_service: Service, headers: dict[str, str], status: int) -> None:
    ada = await sqlite_service.customer()
    answer = await send(ada, form(part(content=WAV)), **headers)
    assert answer.status_code == status
    assert await nothing_is_kept(sqlite_service)


FORMS = {
    "no file": (form(), 422),
    "another field": (form(part(b'form-data; name="audio"; filename="a.wav"', content=WAV)), 422),
    "two files": (form(part(content=WAV), part(content=WAV)), 422),
    "a field beside it": (form(part(content=WAV), part(b'form-data; name="x"', content=b"1")), 422),
    "many fields": (form(*[part(b'form-data; name="x%d"' % number) for number in range(1000)]), 422),
    "another boundary": (form(part(content=WAV)).replace(b"edge", b"egde"), 400),
    "not whole": (form(part(content=WAV))[:-20], 400),
    "nothing": (b"", 400),
    "JSON": (b'{"file": "x"}', 400),
    "large headers": (form(part(RECORDING, b"X: " + b"y" * 100_000, content=WAV)), 400),
}


@pytest.mark.parametrize(("body", "status"), FORMS.values(), ids=FORMS)
async def test_a_form_that_is_not_taken_leaves_nothing(sqlite_service: Service, body: bytes, status: int) -> None:
    ada = await sqlite_service.customer()
    assert (await send(ada, body)).status_code == status
    assert await nothing_is_kept(sqlite_service)


async def test_a_full_disk_is_told_and_nothing_is_lost(stored_service: Service) -> None:
    ada = await stored_service.customer()
    first = (await upload(ada)).json()
    with room_for(1_000_000):
        answer = await upload(ada, of_size(2 * MEGABYTE))
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        503, "storage_unavailable", "5",
    )  # fmt: skip
    assert on_the_way(stored_service) == []
    assert (await stored_service.client().get(first["file_url"])).content == WAV
    assert (await upload(ada)).status_code == 201


async def test_a_storage_that_is_away_is_told_and_nothing_is_lost(
    stored_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StorageError("Connection refused")

    ada = await stored_service.customer()
    with monkeypatch.context() as away:
        away.setattr(type(stored_service.runtime.store), "_write", fail)
        answer = await upload(ada)
        generated = await ada.image()
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert (generated.status_code, generated.json()["refunded"]) == (500, True)
    assert await nothing_is_kept(stored_service)
    assert await ada.credits() == 5000


@pytest.mark.parametrize(
    ("error", "left"), [(RuntimeError("x"), 0), (CommitInDoubtError("x"), 1)], ids=["sure", "doubt"]
)
async def test_a_row_that_cannot_be_written_takes_the_content_with_it(
    stored_service: Service, monkeypatch: pytest.MonkeyPatch, error: Exception, left: int
) -> None:
    """Unless it may be there: then the sweep finds out."""

    async def fail(*_: object) -> None:
        raise error

    ada = await stored_service.customer()
    with monkeypatch.context() as broken:
        broken.setattr(upload_file, "lock_account", fail)
        assert (await upload(ada)).status_code in (500, 503)
    runtime = stored_service.runtime
    keys = await kept(stored_service)
    assert len(keys) == left
    later = stored_service.clock() + timedelta(hours=25)
    assert await sweep(runtime.database, runtime.store, runtime.settings.downloads_dir, later) == left
    assert await nothing_is_kept(stored_service)


async def test_a_file_that_could_not_be_inspected_is_not_kept(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ProviderUnavailableError("The embedded engine took too long and was stopped.")

    ada = await sqlite_service.customer()
    monkeypatch.setattr(type(sqlite_service.runtime.inspector), "inspect", fail)
    answer = await upload(ada)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "server_busy", "5")
    assert await nothing_is_kept(sqlite_service)


async def test_a_storage_that_is_away_is_not_ready(stored_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise StorageError("Connection refused")

    client = stored_service.client()
    assert (await client.get("/ready")).status_code == 200
    stored_service.clock.advance(seconds=5)
    monkeypatch.setattr(type(stored_service.runtime.store), "check", fail)
    assert (await client.get("/ready")).status_code == 503


def test_what_the_link_leads_to_is_in_the_document() -> None:
    tree = api_document().tree["paths"][PATH]["post"]
    assert tree["responses"]["201"]["links"]["TranscribeAudio"] == {
        "operationId": "transcribe_audio",
        "description": "Writes down what is said in the file.",
        "requestBody": {"audio_url": "$response.body#/file_url"},
    }
    assert room.MEGABYTE == MEGABYTE
