"""The account's jobs: a list in pages, and one with its result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlmodel import col
from starlette.responses import Response

from aiops.contract import models
from aiops.database.engine import Session
from aiops.database.tables import OPEN_STATUSES, File, Job
from aiops.errors import InvalidInputError
from aiops.identifiers import is_id
from aiops.jobs import service_call
from aiops.jobs.listing import list_jobs
from aiops.jobs.presentation import find_job, present, results
from aiops.web.visits import PageError, Visit, see

PAGE_SIZE = 25
RECENT = 5
CURSOR_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Output:
    """A part of a result: a `text`, or a file under a `link` to our own host; `kind` is text, image, audio or file."""

    name: str
    kind: str
    text: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job with what a person wants to see of it; `title` is the service's name."""

    job: models.Job
    title: str
    request: Mapping[str, Any]
    request_id: str | None
    outputs: list[Output]

    @property
    def is_open(self) -> bool:
        return self.job.status in OPEN_STATUSES


async def show_list(visit: Visit) -> Response:
    cursor = visit.request.query_params.get("cursor")
    async with visit.runtime.database.read() as session:
        try:
            jobs, next_cursor = await list_jobs(session, visit.account.id, PAGE_SIZE, _checked(cursor))
        except InvalidInputError:
            raise PageError(404, "There is no such page", "Begin with the newest jobs.") from None
        shown = await shown_jobs(visit, session, jobs)
    return visit.render("jobs.html", jobs=shown, next_cursor=next_cursor, is_first=cursor is None)


async def show_recent(visit: Visit) -> Response:
    """The newest jobs by themselves, for a page that keeps itself up to date."""
    return visit.render_part("recent_jobs.html", jobs=await recent_jobs(visit))


async def show(visit: Visit) -> Response:
    return visit.render("job.html", shown=await find(visit, visit.request.path_params["job_id"]))


async def show_card(visit: Visit) -> Response:
    """One job by itself, for a page that keeps itself up to date."""
    return visit.render_part("job_card.html", shown=await find(visit, visit.request.path_params["job_id"]))


async def cancel(visit: Visit) -> Response:
    job_id = (await find(visit, visit.request.path_params["job_id"])).job.id
    await service_call.cancel(visit.runtime, visit.account.id, job_id)
    return see(f"/jobs/{job_id}")


async def recent_jobs(visit: Visit) -> list[ShownJob]:
    async with visit.runtime.database.read() as session:
        jobs, _ = await list_jobs(session, visit.account.id, RECENT, None)
        return await shown_jobs(visit, session, jobs)


async def shown_jobs(visit: Visit, session: Session, jobs: Any) -> list[ShownJob]:
    found = await results(session, jobs, visit.runtime.urls)
    ids = [file_id for job in jobs for file_id in job.outputs.values()]
    rows = await session.execute(select(col(File.id), col(File.content_type)).where(col(File.id).in_(ids)))
    types: dict[str, str] = dict(rows.all())
    return [_shown(visit, job, result, types) for job, result in zip(jobs, found, strict=True)]


async def find(visit: Visit, job_id: str) -> ShownJob:
    """A job of the account that is signed in.

    Raises:
        PageError: it has no such job.
    """
    async with visit.runtime.database.read() as session:
        job = await find_job(session, visit.account.id, job_id) if is_id(job_id, "job") else None
        if job is None:
            raise PageError(404, "There is no such job", "It may belong to another account.")
        (shown,) = await shown_jobs(visit, session, [job])
    return shown


def _shown(visit: Visit, job: Job, result: dict[str, Any] | None, types: Mapping[str, str]) -> ShownJob:
    operation = visit.runtime.document.operations.get(job.operation_id)
    outputs = [
        _output(job, name, value, types)
        for name, value in (result or {}).items()
        if isinstance(value, str)  # `success` says nothing to a person who sees the status
    ]
    title = operation.summary if operation else job.operation_id
    return ShownJob(present(job, result), title, job.request, job.request_id, outputs)


def _output(job: Job, name: str, value: str, types: Mapping[str, str]) -> Output:
    file_id = job.outputs.get(name)
    if file_id is None:
        return Output(name, "text", text=value)
    if file_id not in types:
        return Output(name, "expired")
    parts = urlsplit(value)
    kind = types[file_id].partition("/")[0]
    # The page's own host, whatever the public address is: the policy of the page allows no other.
    return Output(name, kind if kind in ("image", "audio") else "file", link=f"{parts.path}?{parts.query}")


def _checked(cursor: str | None) -> str | None:
    if cursor is not None and not 0 < len(cursor) <= CURSOR_LENGTH_MAX:
        raise PageError(404, "There is no such page", "Begin with the newest jobs.")
    return cursor
