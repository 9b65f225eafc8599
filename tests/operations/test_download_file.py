import re
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import delete, update

from aiops.database.tables import File, Job
from aiops.operations import download_file
from aiops.storage.content_types import IMAGES
from aiops.storage.files import FileStore, StorageError
from tests.fixtures.providers import MP3, png
from tests.fixtures.service import SPEECH, Service, running_service

PNG = png()
SIZE = len(PNG)


@dataclass
class Link:
    """A generated image, and a client without a key to get it with."""

    url: str
    client: httpx.AsyncClient

    async def get(self, **headers: str) -> httpx.Response:
        return await self.client.get(self.url, headers={name.replace("_", "-"): one for name, one in headers.items()})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def link(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, shared_storage_url: str | None
) -> AsyncIterator[Link]:
    """Of a file in a folder, and of one in a bucket."""
    folder = tmp_path_factory.mktemp("stored")
    path = shutil.copy(sqlite_template, folder / "aiops.sqlite3")
    async with running_service(folder, f"sqlite:///{path}", storage_url=shared_storage_url) as service:
        yield await link_of(service)


async def link_of(service: Service) -> Link:
    ada = await service.customer()
    return Link((await ada.image()).json()["image_url"], service.client())


shared = pytest.mark.asyncio(loop_scope="module")


@shared
async def test_a_link_answers_the_file_without_a_key(link: Link) -> None:
    answer = await link.get()
    assert answer.status_code == 200
    assert answer.content == PNG
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["accept-ranges"] == "bytes"
    assert re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["etag"])
    assert parsedate_to_datetime(answer.headers["last-modified"])


@shared
async def test_a_file_can_be_shown_anywhere_and_runs_nothing(link: Link) -> None:
    headers = (await link.get()).headers
    assert headers["content-type"] == "image/png"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"].startswith("private")
    assert re.fullmatch(r'inline; filename="generate_image-[0-9a-f]{6}\.png"', headers["content-disposition"])


async def test_speech_is_an_mp3_with_a_name(service: Service) -> None:
    ada = await service.customer()
    url = (await ada.client.post(SPEECH, json={"text": "hello"})).json()["audio_url"]
    answer = await service.client().get(url)
    assert answer.content == MP3
    assert answer.headers["content-type"] == "audio/mpeg"
    assert re.fullmatch(r'inline; filename="generate_speech-[0-9a-f]{6}\.mp3"', answer.headers["content-disposition"])


async def test_the_same_content_has_the_same_etag_and_other_content_another(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    urls = [(await ada.image()).json()["image_url"] for _ in range(2)]
    urls.append((await ada.client.post(SPEECH, json={"text": "hello"})).json()["audio_url"])
    first, second, speech = [(await ada.client.get(url)).headers["etag"] for url in urls]
    assert urls[0] != urls[1]
    assert first == second != speech


@shared
async def test_head_answers_as_get_does_without_the_content(link: Link) -> None:
    get, head = await link.get(), await link.client.head(link.url)
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "x-request-id": ""} == {**get.headers, "x-request-id": ""}


@shared
@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        pytest.param("bytes=0-3", 0, 4, id="beginning"),
        pytest.param("bytes=4-", 4, SIZE, id="to the end"),
        pytest.param("bytes=-5", SIZE - 5, SIZE, id="last five"),
        pytest.param("bytes=0-0", 0, 1, id="one byte"),
        pytest.param(f"bytes={SIZE - 1}-", SIZE - 1, SIZE, id="last byte"),
        pytest.param("bytes=0-99999", 0, SIZE, id="more than there is"),
        pytest.param("bytes=-99999", 0, SIZE, id="more from the end than there is"),
        pytest.param("bytes=0-5,3-9", 0, 10, id="two that overlap"),
    ],
)
async def test_a_range_is_answered_with_that_part(link: Link, asked: str, start: int, end: int) -> None:
    answer = await link.get(Range=asked)
    assert answer.status_code == 206
    assert answer.content == PNG[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(end - start)
    assert answer.headers["content-type"] == "image/png"


@shared
async def test_several_ranges_come_as_parts(link: Link) -> None:
    answer = await link.get(Range="bytes=0-1,10-11")
    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges; boundary=")
    assert answer.content.count(b"Content-Range: bytes ") == 2
    assert len(answer.content) == int(answer.headers["content-length"])


@shared
@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(f"bytes={SIZE}-", id="behind the end"),
        pytest.param("bytes=99999999999999999999-", id="far behind the end"),
        pytest.param("bytes=-0", id="nothing"),
        pytest.param("bytes=5-2", id="backwards"),
        pytest.param("bytes=a-b", id="no numbers"),
        pytest.param("bytes=", id="empty"),
        pytest.param("bytes", id="no equals sign"),
        pytest.param("lines=1-2", id="another unit"),
    ],
)
async def test_a_range_that_cannot_be_answered_is_the_error_of_the_contract(link: Link, asked: str) -> None:
    answer = await link.get(Range=asked)
    assert answer.status_code == 416
    assert answer.json() == {"error": "The file has no such range of bytes.", "code": "range_not_satisfiable"}
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert "content-disposition" not in answer.headers


@shared
async def test_a_range_of_another_version_is_answered_with_the_whole(link: Link) -> None:
    etag = (await link.get()).headers["etag"]
    last_modified = (await link.get()).headers["last-modified"]
    for validator in (etag, last_modified):
        assert (await link.get(Range="bytes=0-3", If_Range=validator)).status_code == 206
    for validator in ('"another"', f"W/{etag}", "Thu, 01 Jan 1970 00:00:00 GMT"):
        for asked in ("bytes=0-3", "bytes=99999-"):
            whole = await link.get(Range=asked, If_Range=validator)
            assert (whole.status_code, whole.content) == (200, PNG)


@shared
@pytest.mark.parametrize(
    "form", ["{}", "W/{}", '"another", {}', '{},"another"', "*"], ids=["same", "weak", "last", "first", "any"]
)
async def test_who_has_the_file_already_is_told_so(link: Link, form: str) -> None:
    etag = (await link.get()).headers["etag"]
    answer = await link.get(If_None_Match=form.format(etag), Range="bytes=0-3")
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert "content-type" not in answer.headers


@shared
@pytest.mark.parametrize("sent", ['"another"', "", "another", '"*"', 'W/"another", "yet another"'])
async def test_who_has_another_file_gets_this_one(link: Link, sent: str) -> None:
    answer = await link.get(If_None_Match=sent)
    assert (answer.status_code, answer.content) == (200, PNG)


def assert_not_found(answer: httpx.Response) -> None:
    assert answer.status_code == 404
    assert answer.json() == {
        "error": "There is no such file, or its link has expired.",
        "code": "not_found",
    }


@shared
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda url: url.partition("?")[0], id="no parameters"),
        pytest.param(lambda url: url.partition("&")[0], id="no signature"),
        pytest.param(lambda url: url.replace("expires=", "expiry="), id="no expiry"),
        pytest.param(lambda url: url.replace("expires=1", "expires=2"), id="later expiry"),
        pytest.param(lambda url: url[:-3] + "AAA", id="another signature"),
        pytest.param(lambda url: url.replace("signature=", "signature=%00"), id="NUL in the signature"),
        pytest.param(lambda url: url.replace(".png", ".mp3"), id="another file"),
        pytest.param(lambda url: url.replace("/files/", "/files/%2e%2e%5c"), id="dots in the id"),
        pytest.param(lambda url: url.replace("/files/", "/files/%00"), id="NUL in the id"),
        pytest.param(lambda url: url.replace("/files/", "/files/" + "a" * 5000), id="long id"),
    ],
)
async def test_a_link_that_is_not_ours_is_404(link: Link, change: Callable[[str], str]) -> None:
    assert_not_found(await link.client.get(change(link.url)))


async def test_a_link_works_until_it_expires(sqlite_service: Service) -> None:
    link = await link_of(sqlite_service)
    expires = int(parse_qs(urlsplit(link.url).query)["expires"][0])
    assert expires - sqlite_service.clock().timestamp() > 71 * 3600
    sqlite_service.clock.advance(seconds=expires - sqlite_service.clock().timestamp() - 5)
    assert (await link.get()).status_code == 200
    sqlite_service.clock.advance(seconds=6)
    assert_not_found(await link.get())


async def test_a_file_that_is_no_longer_kept_is_404_although_its_link_is_valid(stored_service: Service) -> None:
    link = await link_of(stored_service)
    runtime, file_id = stored_service.runtime, id_of(link)
    await runtime.store.delete(file_id)
    for headers in ({}, {"Range": "bytes=0-3"}):
        assert_not_found(await link.get(**headers))
    assert (await link.client.head(link.url)).status_code == 404
    async with runtime.database.write() as session:
        await session.execute(delete(File))
        await session.execute(update(Job).values(outputs={}))


async def test_a_file_that_belongs_to_nobody_is_404(stored_service: Service) -> None:
    """It is stored, but was not paid for: its job was not captured."""
    runtime = stored_service.runtime
    orphan = await runtime.store.put(PNG, IMAGES[0])
    signed = runtime.urls.sign(orphan.id, stored_service.clock() + timedelta(hours=1))
    assert_not_found(await stored_service.client().get(signed))


async def test_a_storage_that_is_away_is_told(stored_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> bytes:
        raise StorageError("Connection refused by store.internal")

    link = await link_of(stored_service)
    monkeypatch.setattr(type(stored_service.runtime.store), "read", fail)
    answer = await link.get()
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (
        503,
        "5",
        {"error": "The service cannot reach its files at the moment. Try again.", "code": "storage_unavailable"},
    )


async def test_a_large_file_is_read_piece_by_piece(stored_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece once, whatever is asked for, and the bucket is asked for nothing else."""
    read, pieces = type(stored_service.runtime.store).read, []

    async def spy(store: FileStore, file_id: str, start: int, length: int) -> bytes:
        pieces.append((start, length))
        return await read(store, file_id, start, length)

    async def never(*_: object) -> None:
        raise AssertionError("what the file is like stands in its row")

    link = await link_of(stored_service)
    for name, spied in (("read", spy), ("size", never)):
        monkeypatch.setattr(type(stored_service.runtime.store), name, spied)
    monkeypatch.setattr(download_file._Download, "chunk_size", 20)
    assert (await link.get()).content == PNG
    assert pieces == [(start, min(20, SIZE - start)) for start in range(0, SIZE, 20)]
    pieces.clear()
    assert (await link.get(Range="bytes=5-49")).content == PNG[5:50]
    assert pieces == [(5, 20), (25, 20), (45, 5)]
    monkeypatch.undo()


def id_of(link: Link) -> str:
    return urlsplit(link.url).path.rpartition("/")[2]
