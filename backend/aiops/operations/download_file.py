from typing import Annotated

from fastapi import Query
from sqlalchemy import select
from sqlmodel import col
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from aiops.context import Context
from aiops.contract.models import DownloadFileParametersQuery
from aiops.database.tables import File
from aiops.errors import NotFoundError, RangeNotSatisfiableError

UNKNOWN = "There is no such file, or its link has expired."


async def handle(context: Context, file_id: str, query: Annotated[DownloadFileParametersQuery, Query()]) -> Response:
    runtime, now = context.runtime, context.runtime.clock()
    if not runtime.urls.is_valid(file_id, query.expires, query.signature, now):
        raise NotFoundError(UNKNOWN)
    async with runtime.database.read() as session:
        found = await session.execute(select(File).where(col(File.id) == file_id, col(File.expires_at) > now))
        file = found.scalar_one_or_none()
    path = None if file is None else runtime.store.find(file_id)
    if file is None or path is None:
        raise NotFoundError(UNKNOWN)
    headers = {
        "ETag": f'"{file.sha256[:32]}"',
        "Cache-Control": "private, max-age=3600, immutable",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if _has_it_already(context.request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return _Download(
        path, headers=headers, media_type=file.content_type, filename=file.name, content_disposition_type="inline"
    )


class _Download(FileResponse):
    """Ends in the error of the contract where Starlette refuses a Range in plain text."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_unless_refused(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                raise RangeNotSatisfiableError(headers={"Content-Range": f"bytes */{self.headers['content-length']}"})
            await send(message)

        await super().__call__(scope, receive, send_unless_refused)


def _has_it_already(if_none_match: str | None, etag: str) -> bool:
    """RFC 9110, section 13.1.2: the weak comparison, or `*`."""
    sent = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in sent or sent == ["*"]
