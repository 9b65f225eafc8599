"""What is to be told, written in the transaction in which it happens: there if and only if it has happened.

Where nobody is to be told nothing is written. Every function is a step of the caller's transaction.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import bindparam, null, select, union_all
from sqlmodel import SQLModel, col

from aiops.database.engine import Session
from aiops.database.tables import Account, Delivery, Event, Job, Webhook
from aiops.identifiers import new_id

CREDITS_LOW = "credits.low"
CREDITS_LOW_PART = 5  # a fifth of what the plan grants a month
MAILTO = "mailto:"
EMAIL_PAUSE = timedelta(hours=24)
TEST_NOTE = "This is a test; it has not happened."

_WEBHOOK, _CALLBACK = SQLModel.metadata.tables["webhook"], SQLModel.metadata.tables["callback"]
_SUBSCRIBED = select(_WEBHOOK.c.url, _WEBHOOK.c.id, _WEBHOOK.c.events).where(
    _WEBHOOK.c.account_id == bindparam("of"), _WEBHOOK.c.disabled_at.is_(None)
)
_CALLED_BACK = select(_CALLBACK.c.url, null(), null()).where(_CALLBACK.c.job_id == bindparam("job"))
_ALL = union_all(_SUBSCRIBED, _CALLED_BACK)


class Receiver(NamedTuple):
    """Who is to be told: a webhook, a callback URL, or a person at a `mailto:` address."""

    url: str
    webhook_id: str | None = None


async def job_ended(session: Session, account_id: str, job_id: str, status: str, now: datetime) -> None:
    """Tells the account's webhooks for it and the job's callback URLs that a job has ended."""
    event_type = f"job.{status}"
    rows = await session.execute(_ALL, {"of": account_id, "job": job_id})
    receivers = [Receiver(url, webhook_id) for url, webhook_id, types in rows if types is None or event_type in types]
    if receivers:
        event = Event(id=new_id("evt"), account_id=account_id, type=event_type, job_id=job_id, created_at=now)
        await _write(session, event, receivers)


async def call_back(session: Session, job: Job, url: str, now: datetime) -> None:
    """Tells a callback URL that came when its job had ended."""
    found = await session.execute(select(Event).where(col(Event.job_id) == job.id))
    event = found.scalar_one_or_none()
    if event is None:
        ended_at = job.finished_at or now
        event = Event(
            id=new_id("evt"), account_id=job.account_id, type=f"job.{job.status}", job_id=job.id, created_at=ended_at
        )
    await _write(session, event, [Receiver(url)], now)


async def credits_changed(
    session: Session,
    account: Account,
    monthly_credits: int,
    now: datetime,
    *,
    before: int,
    after: int,
    by_email: bool,
) -> None:
    """Tells that credits are low, where this change took them below a fifth of what the plan grants a month: those
    webhooks that want to know, and the account's owner `by_email`, if the address is known to be theirs; a person once
    a day, however often what comes back from failed jobs takes the credits over that line again."""
    if not after * CREDITS_LOW_PART < monthly_credits <= before * CREDITS_LOW_PART:
        return
    rows = await session.execute(_SUBSCRIBED, {"of": account.id})
    receivers = [Receiver(url, webhook_id) for url, webhook_id, types in rows if CREDITS_LOW in types]
    if by_email and account.is_confirmed and not await _is_told(session, account.id, now - EMAIL_PAUSE):
        receivers.append(Receiver(f"{MAILTO}{account.email}"))
    if receivers:
        data = {"credits": after, "monthly_credits": monthly_credits, "plan": account.plan}
        event = Event(id=new_id("evt"), account_id=account.id, type=CREDITS_LOW, data=data, created_at=now)
        await _write(session, event, receivers)


async def _is_told(session: Session, account_id: str, since: datetime) -> bool:
    """Whether a person was sent word since then."""
    told = select(col(Delivery.id)).where(
        col(Delivery.account_id) == account_id, col(Delivery.created_at) > since, col(Delivery.host) == MAILTO
    )
    return (await session.execute(told.limit(1))).first() is not None


async def write_test(
    session: Session, webhook: Webhook, event_type: str, data: dict[str, Any], now: datetime
) -> Delivery:
    """An event that has not happened, for a webhook to be tried with."""
    event = Event(
        id=new_id("evt"), account_id=webhook.account_id, type=event_type, data=data, note=TEST_NOTE, created_at=now
    )
    (delivery,) = await _write(session, event, [Receiver(webhook.url, webhook.id)])
    return delivery


async def _write(
    session: Session, event: Event, receivers: Sequence[Receiver], now: datetime | None = None
) -> list[Delivery]:
    session.add(event)
    await session.flush()
    deliveries = [
        Delivery(
            id=new_id("dlv"),
            event_id=event.id,
            account_id=event.account_id,
            webhook_id=receiver.webhook_id,
            url=receiver.url,
            host=urlsplit(receiver.url).netloc or MAILTO,
            due_at=now or event.created_at,
            created_at=now or event.created_at,
        )
        for receiver in receivers
    ]
    session.add_all(deliveries)
    await session.flush()
    return deliveries
