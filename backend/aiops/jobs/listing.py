"""An account's jobs and transactions, newest first, in pages; and its use by day."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlmodel import col

from aiops.database.engine import Session
from aiops.database.tables import Entry, Job
from aiops.pagination import decode_moment_and_id, decode_row_number, encode_cursor, page

# What an account sees of its entries, by kind. A capture changes nothing that can be spent, so it is not shown.
TRANSACTION_TYPES = {
    "grant": "grant",
    "hold": "charge",
    "release": "refund",
    "purchase": "purchase",
    "adjustment": "adjustment",
}


@dataclass(frozen=True, slots=True)
class Use:
    """Credits charged on one day for one service, by its operationId."""

    day: date
    service: str
    credits: int


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are listed: all, or those of a status, a service (its operationId), or a time of being accepted."""

    status: str | None = None
    service: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.status is not None:
            yield col(Job.status) == self.status
        if self.service is not None:
            yield col(Job.operation_id) == self.service
        if self.created_from is not None:
            yield col(Job.created_at) >= self.created_from
        if self.created_before is not None:
            yield col(Job.created_at) < self.created_before


EVERY_JOB = JobFilter()


async def list_jobs(
    session: Session, account_id: str, limit: int, cursor: str | None, only: JobFilter = EVERY_JOB
) -> tuple[Sequence[Job], str | None]:
    """A page of jobs, and the cursor of the next one.

    Raises:
        InvalidInputError: the cursor is not one of ours.
    """
    statement = (
        select(Job)
        .where(col(Job.account_id) == account_id, *only.conditions())
        .order_by(col(Job.created_at).desc(), col(Job.id).desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        created_at, job_id = decode_moment_and_id(cursor)
        statement = statement.where(
            (col(Job.created_at) < created_at) | ((col(Job.created_at) == created_at) & (col(Job.id) < job_id))
        )
    jobs, last = page((await session.execute(statement)).scalars().all(), limit)
    return jobs, None if last is None else encode_cursor([last.created_at.isoformat(), last.id])


async def list_entries(
    session: Session, account_id: str, limit: int, cursor: str | None, kinds: Collection[str] = TRANSACTION_TYPES
) -> tuple[Sequence[Entry], str | None]:
    """A page of the entries that are transactions, and the cursor of the next one.

    Raises:
        InvalidInputError: the cursor is not one of ours.
    """
    statement = (
        select(Entry)
        .where(col(Entry.account_id) == account_id, col(Entry.kind).in_(kinds))
        .order_by(col(Entry.id).desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        statement = statement.where(col(Entry.id) < decode_row_number(cursor))
    entries, last = page((await session.execute(statement)).scalars().all(), limit)
    return entries, None if last is None else encode_cursor(last.id)


async def use_since(session: Session, account_id: str, since: datetime) -> list[Use]:
    """What was charged for, by the day (UTC) on which the job was accepted, and by service."""
    day = func.date(col(Job.created_at))
    rows = await session.execute(
        select(day, col(Job.operation_id), func.sum(col(Job.credits)))
        .where(col(Job.account_id) == account_id, col(Job.created_at) >= since, col(Job.status) == "succeeded")
        .group_by(day, col(Job.operation_id))
    )
    return [Use(date.fromisoformat(str(on)), service, int(credits_)) for on, service, credits_ in rows]
