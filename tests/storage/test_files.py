"""One suite for both stores: what holds for a folder holds for a bucket."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aiops.storage import bucket
from aiops.storage.content_types import IMAGES, SPEECH
from aiops.storage.files import FileStore, NoSuchFileError, StorageError
from aiops.storage.location import open_store

PNG, MP3 = IMAGES[0], SPEECH[0]
DATA = b"\x89PNG\r\n\x1a\n and so on"
NO_ID = [
    "../secret_key",
    "..",
    "/etc/passwd",
    "../../" + "a" * 16 + ".png",
    "aa/aaaaaaaaaaaaaaaaaaa.png",
    "a" * 22 + ".png/..",
    "a" * 22 + "/../x.png",
    "a" * 22 + ".png\n",
    "a" * 22 + ".png\0",
    "a" * 22,
    "." + "a" * 21 + ".png",
    "é" * 22 + ".png",
    "a" * 5000,
    "",
]


@pytest.fixture
def store(storage_url: str | None, tmp_path: Path) -> FileStore:
    return open_store(storage_url, tmp_path / "files")


async def kept(store: FileStore) -> list[str]:
    """Every key there is."""
    return [one.key async for some in store.objects() for one in some]


async def test_a_file_that_is_put_can_be_read_whole(store: FileStore) -> None:
    stored = await store.put(DATA, PNG)
    assert await store.read(stored.id, 0, len(DATA)) == DATA
    assert await store.size(stored.id) == len(DATA)
    assert (stored.content_type, stored.size_bytes) == ("image/png", len(DATA))
    assert stored.sha256 == hashlib.sha256(DATA).hexdigest()
    assert await kept(store) == [f"{stored.id[:2]}/{stored.id}"]


async def test_any_part_of_a_file_can_be_read(store: FileStore) -> None:
    stored = await store.put(DATA, PNG)
    for start, end in ((0, 1), (3, 9), (len(DATA) - 1, len(DATA))):
        assert await store.read(stored.id, start, end - start) == DATA[start:end]


async def test_ids_are_unguessable_and_end_in_the_type(store: FileStore) -> None:
    ids = [(await store.put(DATA, MP3)).id for _ in range(20)]
    assert len(set(ids)) == 20
    assert all(re.fullmatch(r"[0-9A-Za-z_-]{22}\.mp3", one) for one in ids)


async def test_a_file_of_the_disk_is_stored_and_comes_back_as_it_was(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several parts, the last of which is not whole."""
    monkeypatch.setattr(bucket, "PART_BYTES", 5 * 1024 * 1024)
    source = tmp_path / "source"
    source.write_bytes(hashlib.sha256(b"seed").digest() * 400_000 + b"end")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    stored = await store.put_file(source, MP3, digest)
    assert (stored.size_bytes, stored.sha256) == (12_800_003, digest)
    material = await store.material(stored.id, tmp_path / "material")
    assert hashlib.sha256(material.read_bytes()).hexdigest() == digest
    assert await store.read(stored.id, 12_800_000, 3) == b"end"
    assert source.exists(), "whose file it is, deletes it"


async def test_a_file_of_the_disk_that_is_gone_is_a_storage_error(store: FileStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(DATA)
    stored = await store.put_file(source, MP3, "digest")
    await store.delete(stored.id)
    with pytest.raises(NoSuchFileError):
        await store.material(stored.id, tmp_path / "material")
    assert not (tmp_path / "material").exists()


async def test_the_check_leaves_nothing_behind(store: FileStore) -> None:
    await store.check()
    assert await kept(store) == []


@pytest.mark.parametrize("file_id", NO_ID)
async def test_an_id_that_is_not_ours_is_never_looked_for(store: FileStore, tmp_path: Path, file_id: str) -> None:
    await store.put(DATA, PNG)
    before = await kept(store)
    assert await store.size(file_id) is None
    with pytest.raises(NoSuchFileError):
        await store.read(file_id, 0, 1)
    with pytest.raises(NoSuchFileError):
        await store.material(file_id, tmp_path / "material")
    await store.delete(file_id)
    assert await kept(store) == before


async def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(store: FileStore) -> None:
    stored = await store.put(DATA, PNG)
    for _ in range(2):
        await store.delete(stored.id)
        assert await store.size(stored.id) is None
        with pytest.raises(NoSuchFileError):
            await store.read(stored.id, 0, 1)
    assert await kept(store) == []


async def test_all_that_is_kept_is_told_with_its_size_and_time(store: FileStore) -> None:
    stored = await store.put(DATA, PNG)
    (found,) = [one async for some in store.objects() for one in some]
    assert (found.file_id, found.size_bytes) == (stored.id, len(DATA))
    assert abs(found.written_at - datetime.now(UTC)) < timedelta(seconds=60)


async def test_more_files_than_are_listed_at_once_are_told(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiops.storage.files.LISTED_AT_ONCE", 2)
    ids = {(await store.put(DATA, PNG)).id for _ in range(5)}
    assert {key.rpartition("/")[2] for key in await kept(store)} == ids


async def test_a_storage_error_is_one_line(store: FileStore) -> None:
    stored = await store.put(DATA, PNG)
    with pytest.raises(StorageError) as refused:
        await store.read(stored.id, 1000, 5)
    assert "\n" not in str(refused.value)
