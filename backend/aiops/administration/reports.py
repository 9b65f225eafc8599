"""What administrators look at: accounts, jobs of all, how providers are, revenue by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import case, func, select
from sqlmodel import col

from aiops.contract.document import Document
from aiops.database.engine import Session
from aiops.database.tables import Account, Job, Payment
from aiops.pagination import decode_moment_and_id, encode_cursor, page
from aiops.providers.registry import ProviderRegistry

JOB_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")
WILDCARDS = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True)
class Ended:
    """Jobs that have ended. What was the caller's fault counts for neither side."""

    succeeded: int = 0
    failed: int = 0
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How a provider does at a service, of which it serves so many models."""

    service: str
    provider: str
    models: int
    ended: Ended
    last_reason: str | None

    @property
    def state(self) -> str:
        """By what ended last."""
        succeeded, failed = self.ended.last_success_at, self.ended.last_failure_at
        if succeeded is None and failed is None:
            return "idle"
        return "well" if failed is None or (succeeded is not None and succeeded > failed) else "failing"


@dataclass(frozen=True, slots=True)
class Revenue:
    """What was paid on a day (UTC), in the smallest unit of a currency, and what of that was returned since."""

    day: date
    currency: str
    payments: int
    amount: int
    refunded: int
    credits: int


async def list_accounts(
    session: Session, limit: int, cursor: str | None = None, search: str = ""
) -> tuple[Sequence[Account], str | None]:
    """A page of accounts whose e-mail address contains `search`, the newest first, and the cursor of the next one.

    Raises:
        InvalidInputError: the cursor is not one of ours.
    """
    found = select(Account).where(
        col(Account.email).like(f"%{search.strip().lower().translate(WILDCARDS)}%", escape="\\")
    )
    if cursor is not None:
        created_at, account_id = decode_moment_and_id(cursor)
        is_older = (col(Account.created_at) == created_at) & (col(Account.id) < account_id)
        found = found.where((col(Account.created_at) < created_at) | is_older)
    newest_first = found.order_by(col(Account.created_at).desc(), col(Account.id).desc()).limit(limit + 1)
    accounts, last = page((await session.execute(newest_first)).scalars().all(), limit)
    return accounts, None if last is None else encode_cursor([last.created_at.isoformat(), last.id])


async def list_all_jobs(
    session: Session, limit: int, cursor: str | None = None, *, status: str | None = None, email: str | None = None
) -> tuple[Sequence[tuple[Job, str]], str | None]:
    """A page of everybody's jobs with whose they are, the newest first, and the cursor of the next one.

    Raises:
        InvalidInputError: the cursor is not one of ours.
    """
    found = select(Job, col(Account.email)).join(Account, col(Account.id) == col(Job.account_id))
    if status is not None:
        found = found.where(col(Job.status) == status)
    if email is not None:
        found = found.where(col(Account.email) == email.strip().lower())
    if cursor is not None:
        created_at, job_id = decode_moment_and_id(cursor)
        is_older = (col(Job.created_at) == created_at) & (col(Job.id) < job_id)
        found = found.where((col(Job.created_at) < created_at) | is_older)
    newest_first = found.order_by(col(Job.created_at).desc(), col(Job.id).desc()).limit(limit + 1)
    rows = (await session.execute(newest_first)).all()
    jobs, last = page([(row[0], row[1]) for row in rows], limit)
    return jobs, None if last is None else encode_cursor([last[0].created_at.isoformat(), last[0].id])


async def provider_health(
    session: Session, document: Document, providers: ProviderRegistry, since: datetime
) -> list[Health]:
    """How each provider that serves something here has done since, by service; and those that did and no longer do."""
    serving = _serving(document, providers)
    ended = await _ended(session, since)
    pairs = [*serving, *(pair for pair in ended if pair not in serving)]
    return [
        Health(
            service=service,
            provider=provider,
            models=serving.get((service, provider), 0),
            ended=ended.get((service, provider), Ended()),
            last_reason=await _last_reason(session, service, provider, since),
        )
        for service, provider in pairs
    ]


def _serving(document: Document, providers: ProviderRegistry) -> dict[tuple[str, str], int]:
    """How many models each provider serves, by service."""
    serving: dict[tuple[str, str], int] = {}
    for operation in document.operations.values():
        for model in document.choices(operation, "model") if operation.is_service else ():
            for provider in providers.candidates(operation.id, model.value):
                pair = (operation.id, provider.name)
                serving[pair] = serving.get(pair, 0) + 1
    return serving


async def _ended(session: Session, since: datetime) -> dict[tuple[str, str], Ended]:
    is_success = col(Job.status) == "succeeded"
    is_failure = (col(Job.status) == "failed") & (col(Job.failure) == "failed")
    rows = await session.execute(
        select(
            col(Job.operation_id),
            col(Job.provider),
            func.count(case((is_success, 1))),
            func.count(case((is_failure, 1))),
            func.max(case((is_success, col(Job.finished_at)))),
            func.max(case((is_failure, col(Job.finished_at)))),
        )
        .where(col(Job.status).in_(("succeeded", "failed")), col(Job.created_at) >= since)  # by the index of both
        .where(col(Job.provider).is_not(None))
        .group_by(col(Job.operation_id), col(Job.provider))
        .order_by(col(Job.operation_id), col(Job.provider))
    )
    return {
        (service, provider): Ended(succeeded, failed, last_success_at, last_failure_at)
        for service, provider, succeeded, failed, last_success_at, last_failure_at in rows
    }


async def _last_reason(session: Session, service: str, provider: str, since: datetime) -> str | None:
    found = await session.execute(
        select(col(Job.reason))
        .where(col(Job.operation_id) == service, col(Job.provider) == provider, col(Job.created_at) >= since)
        .where(col(Job.status) == "failed", col(Job.failure) == "failed")
        .order_by(col(Job.finished_at).desc())
        .limit(1)
    )
    return found.scalar_one_or_none()


async def revenue_by_day(session: Session, now: datetime, days: int) -> list[Revenue]:
    """What was paid on so many days, today (UTC) among them, by day and currency, the newest first."""
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    day = func.date(col(Payment.created_at))
    sums = (func.sum(col(one)) for one in (Payment.amount, Payment.amount_refunded, Payment.credits))
    rows = await session.execute(
        select(day, col(Payment.currency), func.count(), *sums)
        .where(col(Payment.created_at) >= since)
        .group_by(day, col(Payment.currency))
        .order_by(day.desc(), col(Payment.currency))
    )
    return [
        Revenue(date.fromisoformat(str(on)), currency, payments, int(amount), int(refunded), int(credits_))
        for on, currency, payments, amount, refunded, credits_ in rows
    ]
