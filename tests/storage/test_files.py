import hashlib
import os
import re
from pathlib import Path

import pytest

from aiops.storage.content_types import IMAGES, SPEECH
from aiops.storage.files import FileStore, StorageError
from tests.fixtures.disk import room_for

PNG, MP3 = IMAGES[0], SPEECH[0]
DATA = b"\x89PNG\r\n\x1a\n and so on"


def contents(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_file_that_is_put_can_be_found_whole(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")
    stored = await store.put(DATA, PNG)
    path = store.find(stored.id)
    assert path is not None
    assert path.read_bytes() == DATA
    assert (stored.content_type, stored.size_bytes) == ("image/png", len(DATA))
    assert stored.sha256 == hashlib.sha256(DATA).hexdigest()
    assert contents(tmp_path) == [path]


async def test_ids_are_unguessable_and_end_in_the_type(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    ids = [(await store.put(DATA, MP3)).id for _ in range(20)]
    assert len(set(ids)) == 20
    assert all(re.fullmatch(r"[0-9A-Za-z_-]{22}\.mp3", one) for one in ids)


async def test_a_file_is_on_the_disk_when_put_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content before its name, then the folder with the name, and every folder that was made for it."""
    synced: list[Path] = []
    fsync = os.fsync

    def spy(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    store = FileStore(tmp_path / "data" / "files")
    stored = await store.put(DATA, PNG)
    path = store.find(stored.id)
    assert path is not None
    content, folder = synced[-2:]
    assert content.parent == folder == path.parent
    assert content != path
    assert {tmp_path, tmp_path / "data", tmp_path / "data" / "files"} <= set(synced)


async def test_a_full_disk_is_a_storage_error_that_leaves_nothing_behind(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    with room_for(100_000), pytest.raises(StorageError, match="File too large"):
        await store.put(b"x" * 300_000, PNG)
    assert contents(tmp_path) == []
    assert (await store.put(DATA, PNG)).size_bytes == len(DATA)


async def test_a_folder_that_cannot_be_synced_is_a_storage_error_that_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    store = FileStore(tmp_path)
    await store.put(DATA, PNG)
    before = contents(tmp_path)
    monkeypatch.setattr(os, "fsync", fail)
    for _ in range(3):
        with pytest.raises(StorageError, match="Input/output error"):
            await store.put(DATA, PNG)
    assert contents(tmp_path) == before


async def test_a_storage_that_is_away_is_told(tmp_path: Path) -> None:
    away = tmp_path / "files"
    away.write_text("this is no folder")
    store = FileStore(away)
    with pytest.raises(StorageError):
        await store.put(DATA, PNG)
    with pytest.raises(StorageError):
        await store.check()


async def test_the_check_leaves_nothing_behind(tmp_path: Path) -> None:
    await FileStore(tmp_path / "files").check()
    assert contents(tmp_path) == []


async def test_the_check_tells_a_full_disk(tmp_path: Path) -> None:
    with room_for(2), pytest.raises(StorageError):
        await FileStore(tmp_path).check()
    assert contents(tmp_path) == []


@pytest.mark.parametrize(
    "file_id",
    [
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
    ],
)
def test_an_id_that_is_not_ours_is_never_looked_for(tmp_path: Path, file_id: str) -> None:
    """Whatever stands there: the paths that such ids could lead to hold files."""
    store = FileStore(tmp_path / "files")
    for path in (tmp_path / "secret_key", tmp_path / "files" / "aa" / "aaaaaaaaaaaaaaaaaaa.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DATA)
    before = contents(tmp_path)
    assert store.find(file_id) is None
    store.delete(file_id)
    assert contents(tmp_path) == before


async def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    stored = await store.put(DATA, PNG)
    for _ in range(2):
        store.delete(stored.id)
        assert store.find(stored.id) is None
    assert contents(tmp_path) == []
