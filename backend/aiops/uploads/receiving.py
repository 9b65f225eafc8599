"""Takes a file from a call into the local folder of downloads: no larger than is taken, no slower, and never more than
a piece of it in memory. What is left of one that was cut off is nothing."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import ClientDisconnect, Request

from aiops.errors import InvalidInputError, MalformedRequestError, RequestTooLargeError, UnsupportedMediaTypeError
from aiops.identifiers import new_id
from aiops.uploads.form import FIELD, NOT_A_FORM, NOT_WHOLE, FileForm, boundary_of

PIECE_BYTES = 262_144
FORM_BYTES_MAX = 16_384  # of a body beside its file: boundaries, headers, what stands before and behind
PAUSE_SECONDS_MAX = 30
UPLOAD_SECONDS_MAX = 1800  # 200 MB at 1 Mbit a second
TOO_SLOW = "The body did not arrive in time."


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has arrived whole. `name` is what it was sent under."""

    path: Path
    name: str | None
    size_bytes: int
    sha256: str


@asynccontextmanager
async def received(request: Request, folder: Path, size_max_bytes: int) -> AsyncIterator[Received]:
    """The file of a call, for the time of the `with`.

    Raises:
        RequestTooLargeError: announced or found to be larger than `size_max_bytes`; if announced, nothing was read.
        ApiError: the body is not a form with one file, or is too slow, or breaks off.
        OSError: the folder cannot be written.
    """
    boundary = _check_head(request, size_max_bytes)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    path = folder / new_id("upload")
    try:
        yield await _receive(request, boundary, path, size_max_bytes)
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


def _check_head(request: Request, size_max_bytes: int) -> bytes:
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaTypeError(NOT_A_FORM)
    boundary = boundary_of(request.headers.get("content-type", ""))
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > size_max_bytes + FORM_BYTES_MAX:
        raise RequestTooLargeError(size_max_bytes, "file")
    return boundary


async def _receive(request: Request, boundary: bytes, path: Path, size_max_bytes: int) -> Received:
    with path.open("xb") as file:
        target = _Target(file.write, size_max_bytes)
        form = FileForm(boundary, target.write)
        try:
            async with asyncio.timeout(UPLOAD_SECONDS_MAX):
                await _feed(form, request, size_max_bytes + FORM_BYTES_MAX)
        except TimeoutError:
            raise MalformedRequestError(TOO_SLOW) from None
        except ClientDisconnect:
            raise MalformedRequestError(NOT_WHOLE) from None
        form.finish()
    if target.size_bytes == 0:
        raise InvalidInputError([(FIELD, "The file is empty")])
    return Received(path, form.name, target.size_bytes, target.digest.hexdigest())


async def _feed(form: FileForm, request: Request, size_max_bytes: int) -> None:
    """The body, in pieces worth a thread: a hostile one takes time to parse."""
    buffer, size_bytes = bytearray(), 0
    async with aclosing(_chunks(request)) as chunks:
        async for chunk in chunks:
            buffer += chunk
            size_bytes += len(chunk)
            if size_bytes > size_max_bytes:
                raise RequestTooLargeError(size_max_bytes - FORM_BYTES_MAX, "file")
            if len(buffer) >= PIECE_BYTES:
                await asyncio.to_thread(form.feed, bytes(buffer))
                buffer.clear()
    await asyncio.to_thread(form.feed, bytes(buffer))


async def _chunks(request: Request) -> AsyncGenerator[bytes]:
    """The body as it arrives; a TimeoutError where the caller pauses for too long."""
    stream = request.stream()
    while True:
        async with asyncio.timeout(PAUSE_SECONDS_MAX):
            chunk = await anext(stream, None)
        if chunk is None:
            return
        yield chunk


class _Target:
    """Where the content of the file goes: to the disk, into its digest, and against its limit."""

    def __init__(self, write: Callable[[bytes], object], size_max_bytes: int) -> None:
        self.size_bytes = 0
        self.digest = hashlib.sha256()
        self._write, self._size_max_bytes = write, size_max_bytes

    def write(self, data: bytes) -> None:
        self.size_bytes += len(data)
        if self.size_bytes > self._size_max_bytes:
            raise RequestTooLargeError(self._size_max_bytes, "file")
        self._write(data)
        self.digest.update(data)
