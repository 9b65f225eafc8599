"""Accepts a call to a service: one transaction counts it, claims its Idempotency-Key, holds its credits and queues it.

The account's row is locked first, so whatever else the account does at the same moment waits, and every number here
and in the errors is true.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlmodel import col

from aiops.accounts import rate_limits
from aiops.accounts.authentication import Caller
from aiops.accounts.rate_limits import Quota
from aiops.database.engine import Database, Session, dialect_of, insert_into
from aiops.database.tables import IDEMPOTENCY_KEY_AGE, IdempotencyKey, Job
from aiops.errors import ApiError, IdempotencyKeyReusedError, InsufficientCreditsError, QueueFullError
from aiops.identifiers import new_id
from aiops.ledger import ledger

QUEUE_FULL_RETRY_SECONDS = 5
RELEASED_STATUSES = ("failed", "cancelled")

_QUEUED = select(func.count()).where(col(Job.account_id) == bindparam("of"), col(Job.status) == "queued")
_EARLIER = (
    select(IdempotencyKey)
    .join(Job, col(Job.id) == col(IdempotencyKey.job_id))
    .where(
        col(IdempotencyKey.account_id) == bindparam("of"),
        col(IdempotencyKey.key) == bindparam("under"),
        col(IdempotencyKey.claimed_at) > bindparam("after"),
        col(Job.status).not_in(RELEASED_STATUSES),
    )
)


@dataclass(frozen=True, slots=True)
class Submission:
    """A valid call to a service. `refusal` is why it cannot run here, where that is known already."""

    caller: Caller
    operation_id: str
    request: dict[str, Any]
    model: str | None
    cost: int
    deadline_at: datetime
    idempotency_key: str | None = None
    refusal: ApiError | None = None
    request_id: str | None = None

    @property
    def fingerprint(self) -> str:
        """What makes a repeat the same call: the operation and its body, whatever the order of its members."""
        canonical = json.dumps([self.operation_id, self.request], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a submission: a job, new or of an earlier call, or an error; and what is left of the limit."""

    quota: Quota
    job_id: str | None = None
    replayed: bool = False
    error: ApiError | None = None


async def submit(database: Database, submission: Submission, now: datetime) -> Outcome:
    """Accepts or refuses a call. A refusal is an `error`, not an exception, because the call has to be counted."""
    account_id = submission.caller.account_id
    limits = submission.caller.limits
    async with database.write() as session:
        account = await ledger.lock_account(session, account_id)
        earlier = await _earlier_job(session, submission, now)
        if isinstance(earlier, str):
            return Outcome(await _quota_left(session, submission.caller, now), job_id=earlier, replayed=True)
        if await _count_queued(session, account_id) >= limits.jobs_queued:
            error = QueueFullError(limits.jobs_queued, QUEUE_FULL_RETRY_SECONDS)
            return Outcome(await _quota_left(session, submission.caller, now), error=error)
        counted = await _count(session, submission.caller, now)
        refusal = counted.error or earlier or submission.refusal
        if refusal is None and account.credits < submission.cost:
            refusal = InsufficientCreditsError(account.credits, submission.cost)
        if refusal is not None:
            return Outcome(counted.quota, error=refusal)
        return Outcome(counted.quota, job_id=await _accept(session, submission, now))


async def count_refused(database: Database, caller: Caller, now: datetime) -> Outcome:
    """Counts a call that is refused before it can be submitted: its body is malformed, too large, not valid."""
    async with database.write() as session:
        return await _count(session, caller, now)


async def _earlier_job(
    session: Session, submission: Submission, now: datetime
) -> str | IdempotencyKeyReusedError | None:
    """The job of an earlier call under the same key, unless it has failed: then its key is free again."""
    if submission.idempotency_key is None:
        return None
    values = {
        "of": submission.caller.account_id,
        "under": submission.idempotency_key,
        "after": now - IDEMPOTENCY_KEY_AGE,
    }
    claimed = (await session.execute(_EARLIER, values)).scalar_one_or_none()
    if claimed is None:
        return None
    return claimed.job_id if claimed.fingerprint == submission.fingerprint else IdempotencyKeyReusedError()


async def _count_queued(session: Session, account_id: str) -> int:
    return (await session.execute(_QUEUED, {"of": account_id})).scalar_one()


async def _count(session: Session, caller: Caller, now: datetime) -> Outcome:
    limit = caller.limits.requests_per_minute
    quota = await rate_limits.count(session, caller.account_id, rate_limits.SERVICES, limit, now)
    if quota is not None:
        return Outcome(quota)
    full = await _quota_left(session, caller, now)
    return Outcome(full, error=rate_limits.exceeded(full))


async def _quota_left(session: Session, caller: Caller, now: datetime) -> Quota:
    limit = caller.limits.requests_per_minute
    return await rate_limits.look(session, caller.account_id, rate_limits.SERVICES, limit, now)


async def _accept(session: Session, submission: Submission, now: datetime) -> str:
    account_id = submission.caller.account_id
    job = Job(
        id=new_id("job"),
        account_id=account_id,
        operation_id=submission.operation_id,
        request=submission.request,
        model=submission.model,
        credits=submission.cost,
        deadline_at=submission.deadline_at,
        request_id=submission.request_id,
        created_at=now,
    )
    session.add(job)
    await session.flush()
    await ledger.hold(session, account_id, job.id, submission.cost, now)
    if submission.idempotency_key is not None:
        mine = {"fingerprint": submission.fingerprint, "job_id": job.id, "claimed_at": now}
        insert = insert_into("idempotency_key", dialect_of(session))
        statement = insert.values(account_id=account_id, key=submission.idempotency_key, **mine)
        await session.execute(statement.on_conflict_do_update(index_elements=["account_id", "key"], set_=mine))
    return job.id
