"""Generated and uploaded files by id, in a folder or in a bucket. A file is there whole or not at all.

Whatever reads, lists and deletes goes through obstore and is the same for both; how a file is written is not
(docs/decisions/0004). An object lies at `ab/abcd….png` in either, so a folder can be copied into a bucket as it is.
"""

import asyncio
import hashlib
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from aiops.storage.content_types import ContentType

FILE_ID_BYTES = 16
CHECK_SECONDS_MAX = 5
LISTED_AT_ONCE = 1000
_FILE_ID = re.compile(r"[0-9A-Za-z_-]{22}\.[a-z0-9]{2,4}", re.ASCII)
# A file, one that is half written, and what `check` writes.
_OURS = re.compile(r"([0-9A-Za-z_-]{2})/\.?\1[0-9A-Za-z_-]{20}\.[a-z0-9]{2,4}|\.probe-[0-9a-f]{16}", re.ASCII)


class StorageError(Exception):
    """The storage cannot be written or read: full, missing, out of reach."""


class NoSuchFileError(Exception):
    """There is no file of this id."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is stored but belongs to nothing yet: its row is written afterwards."""

    id: str
    content_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What lies under a key; `file_id` is the id of the file that it would be, if it is one's."""

    key: str
    size_bytes: int
    written_at: datetime

    @property
    def file_id(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def is_ours(self) -> bool:
        """Whether we can have written it: the folder or the bucket may hold what is somebody else's."""
        return _OURS.fullmatch(self.key) is not None


class FileStore(ABC):
    """Files by id. Each method raises StorageError where the storage cannot be used."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    async def put(self, data: bytes, content_type: ContentType) -> StoredFile:
        """Stores `data` durably under a new, unguessable id; where it fails, nothing is left behind."""
        file_id = _new_id(content_type)
        await self._write(_key(file_id), data, content_type)
        return StoredFile(file_id, content_type.name, len(data), hashlib.sha256(data).hexdigest())

    async def put_file(self, path: Path, content_type: ContentType, sha256: str) -> StoredFile:
        """As `put`, with the content of a file, which is never whole in memory; `sha256` is its digest."""
        file_id = _new_id(content_type)
        size_bytes = (await asyncio.to_thread(path.stat)).st_size
        await self._write(_key(file_id), path, content_type)
        return StoredFile(file_id, content_type.name, size_bytes, sha256)

    @abstractmethod
    async def _write(self, key: str, content: bytes | Path, content_type: ContentType) -> None: ...

    @abstractmethod
    async def material(self, file_id: str, target: Path) -> Path:
        """A local file with the content: the file itself, or `target`, into which it is fetched.

        Raises:
            NoSuchFileError: there is none.
        """

    async def size(self, file_id: str) -> int | None:
        """How many bytes there are, or None; an id that is not one of ours is never looked for."""
        if not is_file_id(file_id):
            return None
        try:
            with storage_errors():
                return (await obstore.head_async(self._objects, _key(file_id)))["size"]
        except FileNotFoundError:
            return None

    async def read(self, file_id: str, start: int, length: int) -> bytes:
        """`length` bytes from `start` on, of a file that has them.

        Raises:
            NoSuchFileError: there is none.
        """
        if not is_file_id(file_id):
            raise NoSuchFileError(file_id)
        try:
            with storage_errors():
                return bytes(await obstore.get_range_async(self._objects, _key(file_id), start=start, length=length))
        except FileNotFoundError:
            raise NoSuchFileError(file_id) from None

    async def delete(self, file_id: str) -> None:
        if is_file_id(file_id):
            await self.delete_object(_key(file_id))

    async def delete_object(self, key: str) -> None:
        """Deletes what `objects` names."""
        try:
            with storage_errors():
                await obstore.delete_async(self._objects, key)
        except FileNotFoundError:
            pass

    async def objects(self) -> AsyncIterator[list[StoredObject]]:
        """All there is, half-written files too; some at a time."""
        with storage_errors():
            async for listed in obstore.list(self._objects, chunk_size=LISTED_AT_ONCE):
                yield [StoredObject(one["path"], one["size"], one["last_modified"]) for one in listed]

    async def check(self) -> None:
        """Writes, reads and deletes a small object."""
        key = f".probe-{secrets.token_hex(8)}"
        try:
            with storage_errors():
                async with asyncio.timeout(CHECK_SECONDS_MAX):
                    await obstore.put_async(self._objects, key, b"probe")
                    await obstore.get_range_async(self._objects, key, start=0, length=5)
                    await obstore.delete_async(self._objects, key)
        except FileNotFoundError as error:
            raise StorageError(_sentence(error)) from error


def is_file_id(text: str) -> bool:
    return _FILE_ID.fullmatch(text) is not None


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raises StorageError for what the store, the system or the clock says, but for a file that is not there."""
    try:
        yield
    except FileNotFoundError:
        raise
    except TimeoutError as error:
        raise StorageError("It does not answer in time.") from error
    except (BaseError, OSError) as error:
        raise StorageError(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    """The first line, without the XML of S3: what follows in an error of obstore is for its developers."""
    return str(error).partition("\n")[0].partition(": <?xml")[0] or type(error).__name__


def _new_id(content_type: ContentType) -> str:
    return f"{secrets.token_urlsafe(FILE_ID_BYTES)}.{content_type.extension}"


def _key(file_id: str) -> str:
    return f"{file_id[:2]}/{file_id}"
