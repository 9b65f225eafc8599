"""A call to a service, from a valid body to its answer. The call itself does no work: it submits a job and waits."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from aiops.accounts.authentication import Caller
from aiops.contract import models
from aiops.contract.document import Operation
from aiops.database.engine import Database
from aiops.database.tables import Job
from aiops.errors import ApiError, DatabaseUnavailableError, JobRunningError
from aiops.jobs import queue
from aiops.jobs.execution import take_back
from aiops.jobs.presentation import answer, find_job, present
from aiops.jobs.submission import Outcome, Submission, submit, was_accepted
from aiops.jobs.succession import wake_successors
from aiops.preferences import NONE, Preferences
from aiops.runtime import Runtime

T = TypeVar("T")

CALLBACK_URL = "callback_url"  # of any service's body; no part of the work
RUNNING_RETRY_SECONDS = 5
LOOK_AGAIN_SECONDS = 2
DOUBT_SECONDS = 10
DOUBT_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """A call to a service that is valid by the contract. `refusal` is why it cannot run here, where that is known."""

    operation: Operation
    caller: Caller
    body: BaseModel
    idempotency_key: str | None
    request_id: str
    refusal: ApiError | None
    preferences: Preferences = NONE


async def accept(runtime: Runtime, call: ServiceCall) -> Outcome:
    """Submits the call's job, unless the call is refused."""
    now, settings = runtime.clock(), runtime.settings
    body = call.body.model_dump(mode="json")
    callback_url = body.pop(CALLBACK_URL, None)
    job_seconds = settings.job_seconds if call.preferences.seconds is None else settings.async_job_seconds
    submission = Submission(
        caller=call.caller,
        operation_id=call.operation.id,
        request=body,
        model=body.get("model"),
        cost=call.operation.cost or 0,
        deadline_at=now + timedelta(seconds=job_seconds),
        idempotency_key=call.idempotency_key,
        refusal=call.refusal,
        request_id=call.request_id,
        callback_url=callback_url,
        tells_by_email=settings.smtp_url is not None,
        urls=runtime.urls,
    )
    outcome = await submit(runtime.database, submission, now)
    if outcome.in_doubt:
        outcome = await _resolved(runtime.database, submission, outcome)
    if outcome.job_id is not None and not outcome.replayed:
        runtime.job_arrived(submission.operation_id)
    return outcome


async def _resolved(database: Database, submission: Submission, doubtful: Outcome) -> Outcome:
    """What became of a submission in doubt. Where the database cannot be asked, the caller is given the job, because it
    may be there and be charged."""
    try:
        accepted = await _patiently(lambda: was_accepted(database, submission))
    except (SQLAlchemyError, OSError):
        return _refused(doubtful, JobRunningError(submission.job_id, RUNNING_RETRY_SECONDS))
    return replace(doubtful, in_doubt=False) if accepted else _refused(doubtful, DatabaseUnavailableError())


async def _patiently(read: Callable[[], Awaitable[T]]) -> T:
    """What the database says, asked again where it is away for a moment, as a restart of it is.

    Raises:
        SQLAlchemyError, OSError: it has been away for `DOUBT_SECONDS`.
    """
    give_up_at = time.monotonic() + DOUBT_SECONDS
    while True:
        try:
            return await read()
        except (SQLAlchemyError, OSError):
            if time.monotonic() >= give_up_at:
                raise
        await asyncio.sleep(DOUBT_PAUSE_SECONDS)


def _refused(doubtful: Outcome, error: ApiError) -> Outcome:
    return Outcome(doubtful.quota, error=error)


async def wait(
    runtime: Runtime, caller: Caller, job_id: str, seconds: float | None, *, is_new: bool
) -> dict[str, Any] | models.Job:
    """The answer of a job once it has ended, or the job where it has not after `seconds`. Without these the call waits
    for as long as a job has. `is_new` where this very call has submitted it; of those that have not, as of other looks
    at a job, an account has a limited number that wait.

    Raises:
        ApiError: what it ended in, or `job_running` where a call without `seconds` waited in vain, or may not wait.
    """
    wait_seconds = runtime.settings.job_seconds if seconds is None else seconds
    needs_place = not is_new and wait_seconds > 0
    with runtime.waiters.looking(caller.account_id) if needs_place else nullcontext(enter_result=True) as may_wait:
        has_ended = await runtime.waiters.wait(runtime.database, job_id, wait_seconds if may_wait else 0, is_new=is_new)
    if not has_ended and may_wait and seconds is None:
        await _tell(runtime, await queue.expire(runtime.database, job_id, runtime.clock()))
    said = await _patiently(lambda: _said_of(runtime, caller.account_id, job_id))
    if isinstance(said, ApiError):
        raise said
    if isinstance(said, models.Job) and (seconds is None or not may_wait):
        raise JobRunningError(job_id, RUNNING_RETRY_SECONDS)
    return said


async def _said_of(runtime: Runtime, account_id: str, job_id: str) -> dict[str, Any] | models.Job | ApiError:
    """The answer of a job that has ended, or the job."""
    async with runtime.database.read() as session:
        job = await find_job(session, account_id, job_id)
        if job is None:
            return JobRunningError(job_id, RUNNING_RETRY_SECONDS)
        return present(job, None) if job.finished_at is None else await answer(session, job, runtime.urls)


async def cancel(runtime: Runtime, account_id: str, job_id: str) -> None:
    """Ends a job of an account, if it is open, and tells those who wait for it. Where a worker has it, that one takes
    back what it has ordered; what one that has stopped left to the next is taken back here."""
    cancelled = await queue.cancel(runtime.database, account_id, job_id, runtime.clock())
    await _tell(runtime, cancelled)
    if cancelled is not None and cancelled.worker is None:
        await take_back(runtime, cancelled, cancelled.provider, cancelled.provider_request_id)


async def _tell(runtime: Runtime, ended: Job | None) -> None:
    if ended is not None:
        runtime.job_ended(ended.id, ended.operation_id, ended.status)
        await wake_successors(runtime, ended)
