"""Accepts a call to a service: one transaction counts it, claims its Idempotency-Key, holds its credits and queues it.

The account's row is locked first, so whatever else the account does at the same moment waits, and every number here
and in the errors is true.
"""

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import bindparam, select
from sqlmodel import col

from aiops.accounts import rate_limits
from aiops.accounts.authentication import Caller
from aiops.accounts.rate_limits import Quota
from aiops.database.engine import CommitInDoubtError, Database, Session, dialect_of, insert_into
from aiops.database.tables import IDEMPOTENCY_KEY_AGE, OPEN_STATUSES, Account, Callback, File, IdempotencyKey, Job
from aiops.errors import (
    ApiError,
    IdempotencyKeyReusedError,
    InsufficientCreditsError,
    InvalidInputError,
    QueueFullError,
)
from aiops.identifiers import new_id
from aiops.jobs.turns import line_of
from aiops.ledger import ledger
from aiops.storage.signed_urls import SignedUrls
from aiops.webhooks import outbox

log = structlog.get_logger()

QUEUE_FULL_RETRY_SECONDS = 5
CALLBACKS_MAX = 10
RELEASED_STATUSES = ("failed", "cancelled")

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
    """A valid call to a service. `refusal` is why it cannot run here, where that is known already. `job_id` is made
    before its transaction begins, so that the job can be looked for where the transaction's end is in doubt.
    `tells_by_email` where the account's owner is told of low credits that way too. `urls` know links to our files."""

    caller: Caller
    operation_id: str
    request: dict[str, Any]
    model: str | None
    cost: int
    deadline_at: datetime
    idempotency_key: str | None = None
    refusal: ApiError | None = None
    request_id: str | None = None
    callback_url: str | None = None
    tells_by_email: bool = False
    urls: SignedUrls | None = None
    job_id: str = field(default_factory=lambda: new_id("job"))

    @property
    def fingerprint(self) -> str:
        """What makes a repeat the same call: the operation and its body, whatever the order of its members, and
        whoever is to be told."""
        canonical = json.dumps([self.operation_id, self.request], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a submission: a job, new or of an earlier call, or an error; and what is left of the limit.
    `in_doubt` where the database failed while it committed a new job."""

    quota: Quota
    job_id: str | None = None
    replayed: bool = False
    error: ApiError | None = None
    in_doubt: bool = False


async def submit(database: Database, submission: Submission, now: datetime) -> Outcome:
    """Accepts or refuses a call. A refusal is an `error`, not an exception, because the call has to be counted."""
    try:
        async with database.write() as session:
            outcome = await _decide(session, submission, now)
    except CommitInDoubtError:
        log.exception("commit_in_doubt", job_id=outcome.job_id)
        is_new = outcome.job_id is not None and not outcome.replayed
        return replace(outcome, in_doubt=is_new)  # a refusal and an earlier job are what they are
    return outcome


async def was_accepted(database: Database, submission: Submission) -> bool:
    """Whether a submission whose commit was in doubt is there. The answer is final: as long as the database still works
    on that commit, the account's row is locked, and it is asked for here first."""
    async with database.write() as session:
        await ledger.lock_account(session, submission.caller.account_id)
        found = await session.execute(select(col(Job.id)).where(col(Job.id) == submission.job_id))
        return found.scalar_one_or_none() is not None


async def count_refused(database: Database, caller: Caller, now: datetime) -> Outcome:
    """Counts a call that is refused before it can be submitted: its body is malformed, too large, not valid."""
    async with database.write() as session:
        return await _count(session, caller, now)


async def _decide(session: Session, submission: Submission, now: datetime) -> Outcome:
    account_id = submission.caller.account_id
    account = await ledger.lock_account(session, account_id)
    earlier = await _earlier_job(session, submission, now)
    if isinstance(earlier, str):
        return await _repeat(session, submission, earlier, now)
    line = await line_of(session, account_id)
    if line.queued >= submission.caller.limits.jobs_queued:
        return await _queue_full(session, submission.caller, now)
    counted = await _count(session, submission.caller, now)
    refusal = counted.error or earlier or submission.refusal
    if refusal is None and account.credits < submission.cost:
        refusal = InsufficientCreditsError(account.credits, submission.cost)
    if refusal is not None:
        return Outcome(counted.quota, error=refusal)
    await _accept(session, submission, account, line.next_turn, now)
    return Outcome(counted.quota, job_id=submission.job_id)


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
    if claimed.fingerprint == submission.fingerprint:
        return claimed.job_id
    job = await session.get_one(Job, claimed.job_id)
    return job.id if await _is_of_same_files(session, submission, job, now) else IdempotencyKeyReusedError()


async def _is_of_same_files(session: Session, submission: Submission, earlier: Job, now: datetime) -> bool:
    """Whether two calls differ only in their links to files of ours, and those hold the same."""
    if submission.urls is None or submission.operation_id != earlier.operation_id:
        return False
    here, these = _without_links(submission.urls, submission.request, now)
    there, those = _without_links(submission.urls, earlier.request, now)
    if here != there or these.keys() != those.keys():
        return False
    rows = await session.execute(select(File).where(col(File.id).in_({*these.values(), *those.values()})))
    contents = {file.id: file.sha256 for file in rows.scalars()}
    return all(contents.get(these[name], these[name]) == contents.get(those[name]) for name in these)


def _without_links(urls: SignedUrls, request: dict[str, Any], now: datetime) -> tuple[dict[str, Any], dict[str, str]]:
    """A request's other members, and the ids of our files that the rest of them link to."""
    found = {name: urls.file_of(value, now) for name, value in request.items() if isinstance(value, str)}
    ids = {name: file_id for name, file_id in found.items() if file_id is not None}
    return {name: value for name, value in request.items() if name not in ids}, ids


async def _count(session: Session, caller: Caller, now: datetime) -> Outcome:
    limit = caller.limits.requests_per_minute
    quota, refusal = await rate_limits.admit(session, caller.account_id, rate_limits.SERVICES, limit, now)
    return Outcome(quota, error=refusal)


async def _repeat(session: Session, submission: Submission, job_id: str, now: datetime) -> Outcome:
    """A repeat gets the job of the first call. It does no work, so it counts as one of the account's other calls."""
    limit = rate_limits.OTHER_REQUESTS_PER_MINUTE
    quota, refusal = await rate_limits.admit(session, submission.caller.account_id, rate_limits.OTHER, limit, now)
    error = refusal or await _add_callback(session, submission, job_id, now)
    return Outcome(quota, error=error) if error else Outcome(quota, job_id=job_id, replayed=True)


async def _add_callback(session: Session, submission: Submission, job_id: str, now: datetime) -> ApiError | None:
    """Has the job's end told to one more URL; at once where it has ended."""
    url = submission.callback_url
    if url is None:
        return None
    known = set((await session.execute(select(col(Callback.url)).where(col(Callback.job_id) == job_id))).scalars())
    if url in known:
        return None
    if len(known) >= CALLBACKS_MAX:
        return InvalidInputError([("callback_url", f"A job has {CALLBACKS_MAX} callback URLs at most")])
    session.add(Callback(job_id=job_id, url=url))
    job = await session.get_one(Job, job_id)
    if job.status not in OPEN_STATUSES:
        await outbox.call_back(session, job, url, now)
    return None


async def _queue_full(session: Session, caller: Caller, now: datetime) -> Outcome:
    """The refusal. A place may be free in a moment, but nothing is taken before a window that is full has ended."""
    limits = caller.limits
    quota = await rate_limits.look(session, caller.account_id, rate_limits.SERVICES, limits.requests_per_minute, now)
    wait_seconds = QUEUE_FULL_RETRY_SECONDS
    if quota.remaining == 0:
        wait_seconds = max(wait_seconds, quota.retry_after_seconds)
    return Outcome(quota, error=QueueFullError(limits.jobs_queued, wait_seconds))


async def _accept(session: Session, submission: Submission, account: Account, turn: int, now: datetime) -> None:
    account_id, before = account.id, account.credits
    job = Job(
        id=submission.job_id,
        account_id=account_id,
        operation_id=submission.operation_id,
        request=submission.request,
        model=submission.model,
        credits=submission.cost,
        turn=turn,
        deadline_at=submission.deadline_at,
        request_id=submission.request_id,
        created_at=now,
    )
    session.add(job)
    await session.flush()
    after = await ledger.hold(session, account_id, job.id, submission.cost, now)
    monthly_credits = submission.caller.limits.monthly_credits
    by_email = submission.tells_by_email
    await outbox.credits_changed(session, account, monthly_credits, now, before=before, after=after, by_email=by_email)
    if submission.callback_url is not None:
        session.add(Callback(job_id=job.id, url=submission.callback_url))
    if submission.idempotency_key is not None:
        mine = {"fingerprint": submission.fingerprint, "job_id": job.id, "claimed_at": now}
        insert = insert_into("idempotency_key", dialect_of(session))
        statement = insert.values(account_id=account_id, key=submission.idempotency_key, **mine)
        await session.execute(statement.on_conflict_do_update(index_elements=["account_id", "key"], set_=mine))
