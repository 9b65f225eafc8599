import os
from pathlib import Path

import pytest

from aiops.storage.content_types import IMAGES
from aiops.storage.files import StorageError
from aiops.storage.folder import FolderStore
from tests.fixtures.disk import room_for

PNG = IMAGES[0]
DATA = b"\x89PNG\r\n\x1a\n and so on"


def contents(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_file_is_on_the_disk_when_put_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content before its name, then the folder with the name, and every folder that was made for it."""
    synced: list[Path] = []
    fsync = os.fsync

    def spy(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    store = FolderStore(tmp_path / "data" / "files")
    stored = await store.put(DATA, PNG)
    path = store.find(stored.id)
    assert path is not None
    content, folder = synced[-2:]
    assert content.parent == folder == path.parent
    assert content != path
    assert {tmp_path, tmp_path / "data", tmp_path / "data" / "files"} <= set(synced)
    source = tmp_path / "source"
    source.write_bytes(DATA)
    path = store.find((await store.put_file(source, PNG, stored.sha256)).id)
    assert path is not None
    assert synced[-2].parent == synced[-1] == path.parent


async def test_a_full_disk_is_a_storage_error_that_leaves_nothing_behind(tmp_path: Path) -> None:
    store, source = FolderStore(tmp_path / "files"), tmp_path / "source"
    source.write_bytes(b"x" * 300_000)
    with room_for(100_000):
        with pytest.raises(StorageError, match="File too large"):
            await store.put(b"x" * 300_000, PNG)
        with pytest.raises(StorageError, match="File too large"):
            await store.put_file(source, PNG, "digest")
    assert contents(store.folder) == []
    assert (await store.put(DATA, PNG)).size_bytes == len(DATA)


async def test_a_folder_that_cannot_be_synced_is_a_storage_error_that_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    store = FolderStore(tmp_path)
    await store.put(DATA, PNG)
    before = contents(tmp_path)
    monkeypatch.setattr(os, "fsync", fail)
    for _ in range(3):
        with pytest.raises(StorageError, match="Input/output error"):
            await store.put(DATA, PNG)
    assert contents(tmp_path) == before


async def test_a_folder_that_went_away_is_told(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "files")
    store.folder.rmdir()
    store.folder.write_text("this is no folder")
    with pytest.raises(StorageError):
        await store.put(DATA, PNG)
    with pytest.raises(StorageError):
        await store.check()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("this is no folder")
    with pytest.raises(StorageError, match="cannot be made"):
        FolderStore(tmp_path / "files")


async def test_the_check_tells_a_full_disk(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with room_for(2), pytest.raises(StorageError):
        await store.check()
    assert contents(tmp_path) == []


async def test_what_stands_beside_the_folder_is_out_of_reach(tmp_path: Path) -> None:
    """Whatever stands there: the paths that such ids could lead to hold files."""
    store = FolderStore(tmp_path / "files")
    for path in (tmp_path / "secret_key", store.folder / "aa" / "aaaaaaaaaaaaaaaaaaa.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DATA)
    before = contents(tmp_path)
    for file_id in ("../secret_key", "aa/aaaaaaaaaaaaaaaaaaa.png", "/etc/passwd"):
        assert store.find(file_id) is None
        assert await store.size(file_id) is None
        await store.delete(file_id)
    assert contents(tmp_path) == before
