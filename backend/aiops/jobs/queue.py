"""The job table as a queue: claim, renew, settle, reap. Every function is one transaction.

A claim raises `attempt`; a worker settles or renews under the attempt it claimed, so one that has lost its lease can
do neither. Rows are locked in one order everywhere, first the job, then the account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, bindparam, case, func, select, update
from sqlmodel import col

from aiops.accounts.plans import SMALLEST, Plans, limits_of
from aiops.contract.models import Limits
from aiops.database.engine import Database, Session
from aiops.database.tables import OPEN_STATUSES, Account, File, Job
from aiops.jobs import turns
from aiops.ledger import ledger
from aiops.webhooks import outbox

ATTEMPTS_MAX = 3
REAP_BATCH = 100
CLAIM_LOOKS_MAX = 10
DEADLINE_REASON = "The job did not finish in time."
CANCELLED_REASON = "The job was cancelled."


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker may settle, as long as it renews its lease."""

    job: Job
    limits: Limits


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job ends without a result, and who was asked last. `kind` is `unprocessable` (the caller's material) or
    `failed`."""

    kind: str
    reason: str
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Success:
    """A job's result, who made it, and the files that belong to it, by the field that links to them."""

    result: Mapping[str, Any]
    model: str
    provider: str
    outputs: Mapping[str, str]
    files: Sequence[File]


class HandedBack(Enum):
    """What became of a job that its worker has given back."""

    QUEUED = auto()  # another worker may have it
    ENDED = auto()  # no other may, so that it has ended now
    OVER = auto()  # it had ended before
    TAKEN = auto()  # it was no longer ours, and is open


async def claim(
    database: Database,
    plans: Plans,
    worker: str,
    lease_seconds: float,
    now: datetime,
    *,
    services: Sequence[str] = (),
) -> Claim | None:
    """Takes the next queued job whose account has fewer jobs running than its plan allows, or None: of these services,
    or of all. Whose turn it is, is said in `aiops.jobs.turns`.

    Where another worker has taken the account's last slot since the look, it looks again: the next account's job must
    not wait for that.
    """
    for _ in range(CLAIM_LOOKS_MAX):
        async with database.write() as session:
            job = await _next_queued(session, plans, services)
            if job is None:
                return None
            account = await ledger.lock_account(session, job.account_id)
            limits = limits_of(plans, account.plan)
            # Counted again under the lock: another worker may have taken a job of this account since the first look.
            if await _count_running(session, job.account_id) < limits.jobs_at_once:
                _take(job, worker, lease_seconds, now)
                return Claim(job, limits)
    return None


def _take(job: Job, worker: str, lease_seconds: float, now: datetime) -> None:
    job.status = "running"
    job.attempt += 1
    job.worker = worker
    job.lease_until = now + timedelta(seconds=lease_seconds)
    job.started_at = job.started_at or now


async def renew(
    database: Database,
    job: Job,
    lease_seconds: float,
    now: datetime,
    *,
    progress: float | None = None,
    provider: str | None = None,
) -> bool:
    """Keeps the lease for another `lease_seconds` and notes what is seen of the work; False where the job is no longer
    ours."""
    # Who is paid is noted before the call; a renewal that comes late must not undo that, or the work is paid for twice.
    seen = case((col(Job.paid_call), col(Job.provider)), else_=func.coalesce(provider, col(Job.provider)))
    lease_until = now + timedelta(seconds=lease_seconds)
    async with database.write() as session:
        return await _update_running(session, job, lease_until=lease_until, progress=progress, provider=seen)


async def note_provider(database: Database, job: Job, provider: str, *, paid: bool) -> bool:
    """Notes who is about to be paid for the work, before it is asked to; False where the job is no longer ours."""
    async with database.write() as session:
        return await _update_running(session, job, provider=provider, paid_call=paid, provider_request_id=None)


async def note_request_id(database: Database, job: Job, provider_request_id: str) -> bool:
    """Notes the provider's own id of the work, so that another worker can take it up without paying again."""
    async with database.write() as session:
        return await _update_running(session, job, provider_request_id=provider_request_id)


async def hand_back(database: Database, job: Job, now: datetime) -> HandedBack:
    """Gives a job that is still ours to another worker at once, as if its lease had lapsed."""
    async with database.write() as session:
        ours = await _lock(session, *_is_ours(job))
        if ours is not None:
            return HandedBack.ENDED if await _pass_on(session, ours, now) else HandedBack.QUEUED
        return HandedBack.OVER if await _is_over(session, job) else HandedBack.TAKEN


async def is_over(database: Database, job: Job) -> bool:
    """Whether a job has ended, whoever ended it."""
    async with database.read() as session:
        return await _is_over(session, job)


async def succeed(database: Database, job: Job, success: Success, now: datetime) -> bool:
    """Captures: the result is stored and fetchable, so it is charged. False where the job is no longer ours; true again
    where an earlier try of ours was committed after all."""
    async with database.write() as session:
        is_ours = await _update_running(
            session,
            job,
            status="succeeded",
            result=dict(success.result),
            outputs=dict(success.outputs),
            model=success.model,
            provider=success.provider,
            progress=1.0,
            lease_until=None,
            finished_at=now,
        )
        if is_ours:
            session.add_all(success.files)
            await _close(session, job, "succeeded", now)
        return is_ours or await _has_succeeded(session, job, success)


async def fail(database: Database, job: Job, failure: Failure, now: datetime) -> bool:
    """Releases what was held. False where the job is no longer ours."""
    async with database.write() as session:
        is_ours = await _update_running(session, job, provider=failure.provider, **_failed(failure, now))
        if is_ours:
            await _close(session, job, "failed", now)
        return is_ours


async def expire(database: Database, job_id: str, now: datetime) -> Job | None:
    """Ends a job whose time is over, whoever works on it. None where it has ended already or has time left."""
    async with database.write() as session:
        job = await _lock(
            session, col(Job.id) == job_id, col(Job.status).in_(OPEN_STATUSES), col(Job.deadline_at) <= now
        )
        if job is not None:
            await _release(session, job, _failed(Failure("failed", DEADLINE_REASON), now), now)
        return job


async def cancel(database: Database, account_id: str, job_id: str, now: datetime) -> Job | None:
    """Ends an open job of an account at its wish, whoever works on it; None where there is none. What a worker brings
    afterwards is discarded, because the job is no longer its own."""
    async with database.write() as session:
        job = await _lock(
            session, col(Job.id) == job_id, col(Job.account_id) == account_id, col(Job.status).in_(OPEN_STATUSES)
        )
        if job is not None:
            await _release(session, job, _ended("cancelled", CANCELLED_REASON, now), now)
        return job


async def queued_services(database: Database, account_id: str) -> list[str]:
    """The services of which an account has jobs queued."""
    queued = select(col(Job.operation_id)).where(col(Job.account_id) == account_id, col(Job.status) == "queued")
    async with database.read() as session:
        return list((await session.execute(queued.distinct())).scalars())


async def reap(database: Database, now: datetime) -> list[Job]:
    """Gives jobs whose worker has gone silent to another one, or ends them; returns those that ended."""
    async with database.write() as session:
        lapsed = (col(Job.status) == "running") & (col(Job.lease_until) < now)
        overdue = (col(Job.status) == "queued") & (col(Job.deadline_at) <= now)
        found = await session.execute(
            select(Job).where(lapsed | overdue).limit(REAP_BATCH).with_for_update(key_share=True, skip_locked=True)
        )
        # Accounts are locked in one order, so that two reapers cannot wait for each other.
        lapsed_jobs = sorted(found.scalars(), key=lambda job: job.account_id)
        return [job for job in lapsed_jobs if await _pass_on(session, job, now)]


async def _pass_on(session: Session, job: Job, now: datetime) -> bool:
    """Queues a job again, or ends it where that cannot be; whether it ended."""
    failure = _verdict(job, now)
    if failure is None:
        job.status, job.worker, job.lease_until = "queued", None, None
        return False
    await _release(session, job, _failed(failure, now), now)
    return True


def _verdict(job: Job, now: datetime) -> Failure | None:
    """Why a lapsed or overdue job has to end; None where another worker may try."""
    if job.deadline_at <= now:
        return Failure("failed", DEADLINE_REASON)
    if job.paid_call and job.provider_request_id is None:
        return Failure("failed", "The server stopped during a call to the provider that cannot safely be repeated.")
    if job.attempt >= ATTEMPTS_MAX:
        return Failure("failed", f"The server stopped during the work {ATTEMPTS_MAX} times.")
    return None


def _failed(failure: Failure, now: datetime) -> dict[str, Any]:
    return {"failure": failure.kind, **_ended("failed", failure.reason, now)}


def _ended(status: str, reason: str, now: datetime) -> dict[str, Any]:
    return {"status": status, "reason": reason, "lease_until": None, "progress": None, "finished_at": now}


async def _release(session: Session, job: Job, ended: Mapping[str, Any], now: datetime) -> None:
    for name, value in ended.items():
        setattr(job, name, value)
    await session.flush()
    await _close(session, job, job.status, now)


async def _close(session: Session, job: Job, status: str, now: datetime) -> None:
    """What every end of a job comes to. Who is to be told is looked up once the account's row is locked: a callback URL
    that is added meanwhile is either seen here, or sees that the job has ended."""
    settle = ledger.capture if status == "succeeded" else ledger.release
    await settle(session, job.account_id, job.id, job.credits, now)
    await outbox.job_ended(session, job.account_id, job.id, status, now)


async def _lock(session: Session, *conditions: ColumnElement[bool]) -> Job | None:
    found = await session.execute(select(Job).where(*conditions).with_for_update(key_share=True))
    return found.scalar_one_or_none()


def _is_ours(job: Job) -> tuple[ColumnElement[bool], ...]:
    return col(Job.id) == job.id, col(Job.status) == "running", col(Job.attempt) == job.attempt


async def _is_over(session: Session, job: Job) -> bool:
    open_still = select(col(Job.id)).where(col(Job.id) == job.id, col(Job.status).in_(OPEN_STATUSES))
    return (await session.execute(open_still)).first() is None


async def _update_running(session: Session, job: Job, **changes: Any) -> bool:
    """Changes a job that is still ours; whether it was."""
    result = await session.execute(
        update(Job).where(*_is_ours(job)).values(**changes).execution_options(synchronize_session=False)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1


async def _has_succeeded(session: Session, job: Job, success: Success) -> bool:
    """Whether the job was captured under this very claim, with this very output."""
    captured = select(col(Job.outputs)).where(
        col(Job.id) == job.id, col(Job.status) == "succeeded", col(Job.attempt) == job.attempt
    )
    return (await session.execute(captured)).scalar_one_or_none() == dict(success.outputs)


@cache
def _next_claimable(jobs_at_once: tuple[tuple[str, int], ...], services: tuple[str, ...]) -> Select[Job]:
    """The queued job whose turn it is, of those whose account has fewer jobs running than its plan allows.

    The accounts that may not have another are found once, from the jobs that run: they are few, what is queued may be
    a hundred thousand.
    """
    by_plan = dict(jobs_at_once)
    allowed = case(by_plan, value=col(Account.plan), else_=by_plan[SMALLEST])
    at_their_limit = (
        select(col(Job.account_id))
        .join(Account, col(Account.id) == col(Job.account_id))
        .where(turns.IS_RUNNING)
        .group_by(col(Job.account_id), col(Account.plan))
        .having(func.count() >= allowed)
        .correlate(None)
    )
    queued = select(Job).where(turns.IS_QUEUED, col(Job.account_id).not_in(at_their_limit))
    if services:
        queued = queued.where(col(Job.operation_id).in_(services))
    return queued.order_by(*turns.ORDER).limit(1).with_for_update(of=Job, key_share=True, skip_locked=True)


_RUNNING = select(func.count()).where(col(Job.account_id) == bindparam("of"), col(Job.status) == "running")


async def _next_queued(session: Session, plans: Plans, services: Sequence[str]) -> Job | None:
    jobs_at_once = tuple((name, limits.jobs_at_once) for name, limits in plans.items())
    return (await session.execute(_next_claimable(jobs_at_once, tuple(services)))).scalar_one_or_none()


async def _count_running(session: Session, account_id: str) -> int:
    return (await session.execute(_RUNNING, {"of": account_id})).scalar_one()
