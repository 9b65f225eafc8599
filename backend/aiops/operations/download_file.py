import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import select
from sqlmodel import col
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from aiops.context import Context
from aiops.contract.models import DownloadFileParametersQuery
from aiops.database.tables import File
from aiops.errors import NotFoundError, RangeNotSatisfiableError
from aiops.storage.files import FileStore, NoSuchFileError
from aiops.uploads.names import disposition

UNKNOWN = "There is no such file, or its link has expired."
PIECE_BYTES = 1024 * 1024


async def handle(context: Context, file_id: str, query: Annotated[DownloadFileParametersQuery, Query()]) -> Response:
    runtime, now = context.runtime, context.runtime.clock()
    if not runtime.urls.is_valid(file_id, query.expires, query.signature, now):
        raise NotFoundError(UNKNOWN)
    async with runtime.database.read() as session:
        found = await session.execute(select(File).where(col(File.id) == file_id, col(File.expires_at) > now))
        file = found.scalar_one_or_none()
    if file is None:
        raise NotFoundError(UNKNOWN)
    headers = {
        "ETag": f'"{file.sha256[:32]}"',
        "Cache-Control": "private, max-age=3600, immutable",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if _has_it_already(context.request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return _Download(runtime.store, file, headers)


class _Download(FileResponse):
    """Reads from the store, piece by piece, what Starlette would read from the disk. What the file is like stands in
    its row, so that the store is asked for nothing but content. Begins once the first piece is there, and ends in the
    errors of the contract where Starlette refuses a Range in plain text."""

    chunk_size = PIECE_BYTES

    def __init__(self, store: FileStore, file: File, headers: dict[str, str]) -> None:
        self.store, self.file = store, file
        made = int(file.created_at.timestamp())
        super().__init__(
            file.id,
            headers=headers | {"Content-Disposition": disposition(file.name)},
            media_type=file.content_type,
            stat_result=os.stat_result((stat.S_IFREG, 0, 0, 0, 0, 0, file.size_bytes, made, made, made)),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: list[Message] = []

        async def send_in_time(message: Message) -> None:
            if message["type"] != "http.response.start":
                while start:
                    await send(start.pop())
                await send(message)
            elif message["status"] >= 400:
                raise RangeNotSatisfiableError(headers={"Content-Range": f"bytes */{self.file.size_bytes}"})
            else:
                start.append(message)

        try:
            if scope["method"] == "HEAD" and await self.store.size(self.file.id) is None:
                raise NotFoundError(UNKNOWN)
            await super().__call__(scope, receive, send_in_time)
        except NoSuchFileError:
            if not start:
                raise  # half of it is sent: the connection ends
            raise NotFoundError(UNKNOWN) from None

    @asynccontextmanager
    async def _open_file(self) -> AsyncIterator[Any]:
        yield _StoredContent(self.store, self.file)


class _StoredContent:
    """The content of a stored file, as far as Starlette uses a file."""

    def __init__(self, store: FileStore, file: File) -> None:
        self.store, self.file = store, file
        self.position = 0

    async def seek(self, position: int) -> None:
        self.position = position

    async def read(self, size_bytes: int) -> bytes:
        length = min(size_bytes, self.file.size_bytes - self.position)
        piece = await self.store.read(self.file.id, self.position, length) if length else b""
        self.position += len(piece)
        return piece


def _has_it_already(if_none_match: str | None, etag: str) -> bool:
    """RFC 9110, section 13.1.2: the weak comparison, or `*`."""
    sent = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in sent or sent == ["*"]
