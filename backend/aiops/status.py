"""What `aiops status` tells, read from the database: queue, workers, holds, deliveries, providers."""

import socket
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from aiops.database.engine import Session
from aiops.database.tables import OPEN_STATUSES, Delivery, Job, WorkerProcess
from aiops.jobs import presence

LATELY = timedelta(minutes=15)
LATE_JOBS_MAX = 10_000  # of each ending: with more, providers are told of for a shorter time
SUCCEEDED, FAILED = "succeeded", "failed"


@dataclass(frozen=True, slots=True)
class Queue:
    """Open jobs of a service; ages are in seconds, None where there is none."""

    service: str
    queued: int
    running: int
    oldest_seconds: float | None
    workers: int


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that is alive, and the jobs that it works on, by service."""

    name: str
    host: str
    version: str
    services: Sequence[str]
    slots: int
    is_stopping: bool
    seen_seconds: float
    running: dict[str, int]


@dataclass(frozen=True, slots=True)
class Provider:
    """How the jobs ended lately that a provider was asked last for; `failed` are those it failed."""

    name: str
    service: str
    succeeded: int
    failed: int
    last_reason: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """Times are in seconds; `providers` are told of for the last `providers_seconds`. A job's hold is open until it
    ends, so there are as many holds as open jobs."""

    queues: Sequence[Queue]
    workers: Sequence[Worker]
    open_holds: int
    credits_held: int
    oldest_hold_seconds: float | None
    deliveries_due: int
    providers_seconds: float
    providers: Sequence[Provider]

    @property
    def unserved(self) -> list[str]:
        """Services that no worker takes."""
        return [queue.service for queue in self.queues if not queue.workers]


async def works_here(session: Session, now: datetime) -> bool:
    """Whether a worker of this machine is alive. No job is looked at: it is asked every few seconds."""
    return any(process.host == socket.gethostname() for process in await presence.alive(session, now))


async def read_status(session: Session, services: Sequence[str], now: datetime) -> Status:
    alive = await presence.alive(session, now)
    opened = await _open_jobs(session)
    oldest = min((row.oldest for row in opened), default=None)
    since = await _since(session, now)
    due = select(func.count()).where(col(Delivery.status) == "pending", col(Delivery.due_at) <= now)
    return Status(
        queues=[_queue(service, opened, alive, now) for service in services],
        workers=[_worker(process, opened, now) for process in alive],
        open_holds=sum(row.jobs for row in opened),
        credits_held=sum(int(row.credits) for row in opened),
        oldest_hold_seconds=_age(oldest, now),
        deliveries_due=(await session.execute(due)).scalar_one(),
        providers_seconds=(now - since).total_seconds(),
        providers=await _providers(session, since),
    )


async def _open_jobs(session: Session) -> Sequence[Any]:
    """How many there are by service, status and worker, what they hold, and since when."""
    grouped = (col(Job.operation_id), col(Job.status), col(Job.worker))
    held, oldest = func.sum(col(Job.credits)).label("credits"), func.min(col(Job.created_at)).label("oldest")
    counted = select(*grouped, func.count().label("jobs"), held, oldest)
    return (await session.execute(counted.where(col(Job.status).in_(OPEN_STATUSES)).group_by(*grouped))).all()


def _queue(service: str, opened: Sequence[Any], alive: Sequence[WorkerProcess], now: datetime) -> Queue:
    mine = [row for row in opened if row.operation_id == service]
    by_status = Counter[str]()
    for row in mine:
        by_status[row.status] += row.jobs
    return Queue(
        service=service,
        queued=by_status["queued"],
        running=by_status["running"],
        oldest_seconds=_age(min((row.oldest for row in mine), default=None), now),
        workers=sum(1 for process in alive if not process.services or service in process.services),
    )


def _worker(process: WorkerProcess, opened: Sequence[Any], now: datetime) -> Worker:
    return Worker(
        name=process.name,
        host=process.host,
        version=process.version,
        services=process.services,
        slots=process.slots,
        is_stopping=process.state == presence.STOPPING,
        seen_seconds=(now - process.seen_at).total_seconds(),
        running={row.operation_id: row.jobs for row in opened if row.worker == process.name},
    )


async def _since(session: Session, now: datetime) -> datetime:
    """Since when jobs are looked at, by the index on status and time: no more than so many of each ending."""
    since = now - LATELY
    for status in (SUCCEEDED, FAILED):
        newest_first = (
            select(col(Job.created_at))
            .where(col(Job.status) == status, col(Job.created_at) > since)
            .order_by(col(Job.created_at).desc())
        )
        last = (await session.execute(newest_first.offset(LATE_JOBS_MAX).limit(1))).scalar_one_or_none()
        since = last or since
    return since


async def _providers(session: Session, since: datetime) -> list[Provider]:
    """From the jobs that were accepted since. Material that a provider refused says nothing of its health."""
    lately = (
        select(col(Job.provider), col(Job.operation_id), col(Job.status), col(Job.reason))
        .where(
            col(Job.status).in_((SUCCEEDED, FAILED)),
            col(Job.created_at) > since,
            col(Job.provider).is_not(None),
            func.coalesce(col(Job.failure), FAILED) == FAILED,
        )
        .order_by(col(Job.finished_at))
    )
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    reasons: dict[tuple[str, str], str] = {}
    rows: Sequence[Any] = (await session.execute(lately)).all()
    for provider, service, status, reason in rows:
        counts[provider, service][status] += 1
        if status == FAILED:
            reasons[provider, service] = reason
    return [
        Provider(*of, succeeded=count[SUCCEEDED], failed=count[FAILED], last_reason=reasons.get(of))
        for of, count in sorted(counts.items())
    ]


def _age(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else (now - since).total_seconds()
