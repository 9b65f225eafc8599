"""What only a bucket can be: wrong, slow, away."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aiops.storage import bucket, files
from aiops.storage.bucket import BucketStore
from aiops.storage.content_types import IMAGES
from aiops.storage.files import StorageError
from tests.fixtures.buckets import S3, running_s3
from tests.fixtures.web import Answer, serving

PNG = IMAGES[0]
REFUSED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@asynccontextmanager
async def store_at(monkeypatch: pytest.MonkeyPatch, *answers: bytes | Answer) -> AsyncIterator[BucketStore]:
    """A bucket whose server gives these answers."""
    async with serving(*answers) as server:
        use(monkeypatch, f"http://{server.authority}")
        yield BucketStore("bucket", "")


def use(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)


def answer(status: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


async def test_files_lie_in_the_bucket_below_the_prefix_with_their_type(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, s3.address)
    url = s3.new_bucket()
    stored = await BucketStore(url.split("/")[2], "some/folder").put(b"content", PNG)
    assert s3.keys(url) == [f"some/folder/{stored.id[:2]}/{stored.id}"]


async def test_a_bucket_that_is_not_there_is_told(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, s3.address)
    store = BucketStore("nobody-has-made-it", "")
    with pytest.raises(StorageError, match="The bucket does not exist"):
        await store.put(b"content", PNG)
    with pytest.raises(StorageError, match=r"404 Not Found Check AIOPS_STORAGE_URL, AWS_ACCESS_KEY_ID"):
        await store.check()


async def test_credentials_that_are_wrong_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with store_at(monkeypatch, answer("403 Forbidden", REFUSED)) as store:
        for refused in (store.check(), store.put(b"content", PNG), store.size("a" * 22 + ".png")):
            with pytest.raises(StorageError, match=r"403 Forbidden|lacked the necessary privileges"):
                await refused


async def test_a_failure_that_passes_is_not_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    slow_down = answer("503 Slow Down")
    async with store_at(monkeypatch, slow_down, slow_down, b'HTTP/1.1 200 OK\r\nETag: "x"\r\n\r\n') as store:
        assert (await store.put(b"content", PNG)).size_bytes == 7


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(600)

    monkeypatch.setattr(files, "CHECK_SECONDS_MAX", 0.5)
    began = time.monotonic()
    async with store_at(monkeypatch, silent) as store:
        with pytest.raises(StorageError, match="does not answer in time"):
            await store.check()
    assert time.monotonic() - began < 20


async def test_a_server_that_went_away_is_told_soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with running_s3() as s3:
        use(monkeypatch, s3.address)
        url = s3.new_bucket()
        store = BucketStore(url.split("/")[2], "")
        stored = await store.put(b"content", PNG)
    began = time.monotonic()
    for refused in (
        store.put(b"content", PNG),
        store.read(stored.id, 0, 1),
        store.size(stored.id),
        store.material(stored.id, tmp_path / "material"),
        store.delete(stored.id),
        store.check(),
    ):
        with pytest.raises(StorageError):
            await refused
    assert time.monotonic() - began < 20


async def test_an_upload_in_parts_that_fails_leaves_no_parts(
    s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, s3.address)
    url = s3.new_bucket()
    source = tmp_path / "source"
    source.write_bytes(b"x" * 12_000_000)
    monkeypatch.setattr(bucket, "PART_BYTES", 4_000_000)  # S3 takes no part so small but the last
    with pytest.raises(StorageError):
        await BucketStore(url.split("/")[2], "").put_file(source, PNG, "digest")
    assert (s3.keys(url), s3.unfinished(url)) == ([], 0)


def test_an_endpoint_without_tls_is_used_only_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for address, allowed in (("http://store.internal:9000", True), ("https://store.internal", False), ("", False)):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert bucket._client()["allow_http"] is allowed


def test_a_variable_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CHECKSUM_ALGORITHM", "nonsense")
    with pytest.raises(StorageError, match="nonsense"):
        BucketStore("bucket", "")
