"""A job as its account sees it: as a `Job`, as the answer of its service, or as the error it ended in."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from aiops.contract import models
from aiops.database.engine import Session
from aiops.database.tables import OPEN_STATUSES, Entry, File, Job
from aiops.errors import ApiError, GenerationFailedError, JobCancelledError, UnprocessableError
from aiops.jobs.listing import TRANSACTION_TYPES
from aiops.ledger import ledger
from aiops.storage.signed_urls import SignedUrls


async def find_job(session: Session, account_id: str, job_id: str) -> Job | None:
    """A job of an account; None where there is none, or it is somebody else's."""
    found = await session.execute(select(Job).where(col(Job.id) == job_id, col(Job.account_id) == account_id))
    return found.scalar_one_or_none()


async def answer(session: Session, job: Job, urls: SignedUrls) -> dict[str, Any] | ApiError:
    """What the service answers for a job that has ended: result and receipt, or the error."""
    balance = await ledger.balance_after(session, job.id)
    if job.status == "succeeded":
        receipt = models.Receipt(
            job_id=job.id,
            credits_charged=job.credits,
            credits_remaining=balance,
            model=job.model or "",
            provider=job.provider or "",
        )
        (result,) = await results(session, [job], urls)
        return {**(result or {}), **receipt.model_dump()}
    if job.status == "cancelled":
        return JobCancelledError(job.id)
    if job.failure == "unprocessable":
        return UnprocessableError(job.reason or "", job.id)
    return GenerationFailedError(job.reason or "", balance, job.id)


async def results(session: Session, jobs: Sequence[Job], urls: SignedUrls) -> list[dict[str, Any] | None]:
    """The results of jobs, None where there is none, with links made anew for the files that are still kept."""
    ids = [file_id for job in jobs for file_id in job.outputs.values()]
    rows = await session.execute(select(col(File.id), col(File.expires_at)).where(col(File.id).in_(ids))) if ids else ()
    links = {file_id: urls.sign(file_id, expires_at) for file_id, expires_at in rows}
    return [
        None
        if job.result is None
        else {**job.result, **{name: links[file_id] for name, file_id in job.outputs.items() if file_id in links}}
        for job in jobs
    ]


def present(job: Job, result: dict[str, Any] | None) -> models.Job:
    """A job as the API shows it."""
    return models.Job.model_validate(
        {
            "id": job.id,
            "service": job.operation_id,
            "status": job.status,
            "progress": job.progress,
            "model": job.model,
            "provider": job.provider,
            "result": result,
            "reason": job.reason,
            "credits_held": job.credits if job.status in OPEN_STATUSES else 0,
            "credits_charged": job.credits if job.status == "succeeded" else 0,
            "credits_refunded": job.credits if job.status in ("failed", "cancelled") else 0,
            "created_at": job.created_at,
            "started_at": job.started_at,
            "finished_at": job.finished_at,
        }
    )


def present_entry(entry: Entry) -> models.Transaction:
    """A change of the credits as the API shows it."""
    return models.Transaction.model_validate(
        {
            "id": f"txn_{entry.id}",
            "type": TRANSACTION_TYPES[entry.kind],
            "amount": entry.amount,
            "balance_after": entry.balance_after,
            "job_id": entry.job_id,
            "description": entry.description,
            "created_at": entry.created_at,
        }
    )
