"""Generated files in a local folder. A file is there whole or not at all, and stays there through a power cut."""

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiops.storage.content_types import ContentType

FILE_ID_BYTES = 16
_FILE_ID = re.compile(r"[0-9A-Za-z_-]{22}\.[a-z0-9]{2,4}", re.ASCII)


class StorageError(Exception):
    """The folder cannot be written or read: full, missing, read-only."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is stored but belongs to nothing yet: its row is written when the job is captured."""

    id: str
    content_type: str
    size_bytes: int
    sha256: str


class FileStore:
    """Files by id, in one folder with a level of subfolders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, data: bytes, content_type: ContentType) -> StoredFile:
        """Stores `data` durably under a new, unguessable id.

        Raises:
            StorageError: nothing is left behind.
        """
        file_id = f"{secrets.token_urlsafe(FILE_ID_BYTES)}.{content_type.extension}"
        try:
            await asyncio.to_thread(_write_durably, self._path(file_id), data)
        except OSError as error:
            raise StorageError(f"{type(error).__name__}: {error.strerror}") from error
        return StoredFile(file_id, content_type.name, len(data), hashlib.sha256(data).hexdigest())

    def find(self, file_id: str) -> Path | None:
        """Where the file is, or None; an id that is not one of ours is never looked for."""
        if _FILE_ID.fullmatch(file_id) is None:
            return None
        path = self._path(file_id)
        return path if path.is_file() else None

    def delete(self, file_id: str) -> None:
        if _FILE_ID.fullmatch(file_id) is not None:
            self._path(file_id).unlink(missing_ok=True)

    def older_than(self, seconds_since_1970: float) -> Iterator[Path]:
        """What was last written before then, half-written files too; a whole file's name is its id."""
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < seconds_since_1970:
                    yield path

    async def check(self) -> None:
        """Writes, reads and deletes a small file.

        Raises:
            StorageError: one of them failed.
        """
        try:
            await asyncio.to_thread(_probe, self.folder)
        except OSError as error:
            raise StorageError(f"{type(error).__name__}: {error.strerror}") from error

    def _path(self, file_id: str) -> Path:
        return self.folder / file_id[:2] / file_id


def _write_durably(path: Path, data: bytes) -> None:
    _make_folder(path.parent)
    partial = path.with_name(f".{path.name}")
    try:
        with partial.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError:
        for left_behind in (partial, path):
            left_behind.unlink(missing_ok=True)
        raise


def _make_folder(folder: Path) -> None:
    """Makes a folder and those above it; a new folder is only durable once the one it stands in is."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _probe(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".probe-{secrets.token_hex(8)}"
    try:
        path.write_bytes(b"probe")
        path.read_bytes()
    finally:
        path.unlink(missing_ok=True)
