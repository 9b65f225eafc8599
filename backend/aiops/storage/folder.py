"""Files in a local folder. A file that is written stays there through a power cut."""

import asyncio
import os
import shutil
from pathlib import Path

from obstore.store import LocalStore

from aiops.storage.content_types import ContentType
from aiops.storage.files import FileStore, NoSuchFileError, StorageError, is_file_id, storage_errors

COPY_BYTES = 1024 * 1024


class FolderStore(FileStore):
    """Files in one folder with a level of subfolders; it is made if it is not there.

    Raises:
        StorageError: the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        try:
            _make_folder(self.folder)
        except OSError as error:
            raise StorageError(f"The folder {folder} cannot be made: {error.strerror}") from error
        super().__init__(LocalStore(self.folder))

    async def _write(self, key: str, content: bytes | Path, _content_type: ContentType) -> None:
        try:
            with storage_errors():
                await asyncio.to_thread(_write_durably, self.folder / key, content)
        except FileNotFoundError as error:
            raise StorageError(f"{error.strerror}: {error.filename}") from error

    async def material(self, file_id: str, _target: Path) -> Path:
        path = self.find(file_id)
        if path is None:
            raise NoSuchFileError(file_id)
        return path

    def find(self, file_id: str) -> Path | None:
        """Where the file is, or None; an id that is not one of ours is never looked for."""
        if not is_file_id(file_id):
            return None
        path = self.folder / file_id[:2] / file_id
        return path if path.is_file() else None


def _write_durably(path: Path, content: bytes | Path) -> None:
    """Under a hidden name first; obstore would not sync what it writes."""
    _make_folder(path.parent)
    partial = path.with_name(f".{path.name}")
    try:
        with partial.open("xb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, file, COPY_BYTES)
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
