"""Deliveries as rows: claim what is due, note what became of it, list, send again. None is sent here."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from aiops.database.engine import Database, Session
from aiops.database.tables import Delivery, Event
from aiops.pagination import decode_moment_and_id, encode_cursor, page
from aiops.webhooks import subscriptions
from aiops.webhooks.schedule import next_attempt

STATUSES = ("pending", "delivered", "failed")
CANDIDATES = 200
GONE = 410
GONE_REASON = "Its receiver answered 410 Gone."
KEPT = timedelta(days=30)


class Answer(NamedTuple):
    """What came of one attempt: the status that was answered, or why there was none."""

    status: int | None = None
    error: str | None = None
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


async def are_due(session: Session, now: datetime) -> bool:
    """Whether anything is due. A look that locks nothing."""
    due = select(col(Delivery.id)).where(col(Delivery.status) == "pending", col(Delivery.due_at) <= now).limit(1)
    return (await session.execute(due)).scalar_one_or_none() is not None


async def claim(
    database: Database,
    now: datetime,
    lease: timedelta,
    number: int,
    *,
    sending: Sequence[Delivery],
    per_host: int,
    per_account: int,
) -> list[Delivery]:
    """Takes up to `number` deliveries that are due, and no more than leaves `per_host` on their way to a host and
    `per_account` of an account, with those that the caller is `sending`. Whoever takes them has the time of the lease
    to note what became of them; then they are due again.
    """
    hosts, accounts = Counter(one.host for one in sending), Counter(one.account_id for one in sending)
    full_hosts = [host for host, sends in hosts.items() if sends >= per_host]
    full_accounts = [account_id for account_id, sends in accounts.items() if sends >= per_account]
    due = (
        select(Delivery)
        .where(col(Delivery.status) == "pending", col(Delivery.due_at) <= now)
        .where(col(Delivery.host).not_in(full_hosts), col(Delivery.account_id).not_in(full_accounts))
        .order_by(col(Delivery.due_at))
        .limit(CANDIDATES)
        .with_for_update(key_share=True, skip_locked=True)
    )
    async with database.write() as session:
        taken = list[Delivery]()
        for delivery in (await session.execute(due)).scalars():
            if hosts[delivery.host] < per_host and accounts[delivery.account_id] < per_account and len(taken) < number:
                hosts[delivery.host] += 1
                accounts[delivery.account_id] += 1
                delivery.attempts += 1
                delivery.due_at, delivery.answered, delivery.error = now + lease, None, None
                taken.append(delivery)
        return taken


async def note(database: Database, delivery: Delivery, answer: Answer, now: datetime) -> None:
    """Notes what became of an attempt, unless it took so long that somebody else has tried since."""
    due_at = next_attempt(delivery.attempts, answer.retry_after, now)
    values: dict[str, object] = {"answered": answer.status, "error": answer.error}
    if answer.is_success:
        values |= {"status": "delivered", "ended_at": now}
    elif answer.status == GONE or due_at is None:
        values |= {"status": "failed", "ended_at": now}
    else:
        values |= {"due_at": due_at}
    is_ours = (
        (col(Delivery.id) == delivery.id)
        & (col(Delivery.attempts) == delivery.attempts)
        & (col(Delivery.status) == "pending")
    )
    gone_id = delivery.webhook_id if answer.status == GONE else None
    async with database.write() as session:
        webhook = None if gone_id is None else await subscriptions.lock(session, gone_id)
        await session.execute(
            update(Delivery).where(is_ours).values(**values).execution_options(synchronize_session=False)
        )
        if webhook is not None:
            await subscriptions.disable(session, webhook, GONE_REASON, now)


async def list_deliveries(
    session: Session,
    limit: int,
    cursor: str | None = None,
    *,
    account_id: str | None = None,
    webhook_id: str | None = None,
    status: str | None = None,
) -> tuple[Sequence[tuple[Delivery, Event]], str | None]:
    """A page of deliveries with their events, the newest first, and the cursor of the next one.

    Raises:
        InvalidInputError: the cursor is not one of ours.
    """
    wanted = {"account_id": account_id, "webhook_id": webhook_id, "status": status}
    found = select(Delivery, Event).join(Event, col(Event.id) == col(Delivery.event_id))
    found = found.where(*(col(getattr(Delivery, name)) == value for name, value in wanted.items() if value is not None))
    if cursor is not None:
        created_at, delivery_id = decode_moment_and_id(cursor)
        found = found.where(
            (col(Delivery.created_at) < created_at)
            | ((col(Delivery.created_at) == created_at) & (col(Delivery.id) < delivery_id))
        )
    newest_first = found.order_by(col(Delivery.created_at).desc(), col(Delivery.id).desc()).limit(limit + 1)
    rows, last = page([(delivery, event) for delivery, event in await session.execute(newest_first)], limit)
    return rows, None if last is None else encode_cursor([last[0].created_at.isoformat(), last[0].id])


async def send_again(
    session: Session, delivery_id: str, now: datetime, account_id: str | None = None
) -> Delivery | None:
    """Makes a delivery due at once and gives it all its attempts anew, under the same webhook-id; None where there is
    none, or its webhook is gone or disabled."""
    found = select(Delivery).where(col(Delivery.id) == delivery_id).with_for_update(key_share=True)
    if account_id is not None:
        found = found.where(col(Delivery.account_id) == account_id)
    delivery = (await session.execute(found)).scalar_one_or_none()
    if delivery is None or not await _has_receiver(session, delivery):
        return None
    delivery.status, delivery.attempts, delivery.due_at, delivery.ended_at = "pending", 0, now, None
    delivery.answered, delivery.error = None, None
    return delivery


async def _has_receiver(session: Session, delivery: Delivery) -> bool:
    if delivery.webhook_id is None:
        return True
    webhook = await subscriptions.find(session, delivery.webhook_id)
    return webhook is not None and webhook.disabled_at is None


async def sweep(session: Session, now: datetime, batch: int) -> int:
    """Deletes up to `batch` events that are old enough, with their deliveries; how many."""
    old = (
        await session.execute(select(col(Event.id)).where(col(Event.created_at) <= now - KEPT).limit(batch))
    ).scalars()
    ids = list(old)
    for table, column in ((Delivery, col(Delivery.event_id)), (Event, col(Event.id))):
        await session.execute(delete(table).where(column.in_(ids)).execution_options(synchronize_session=False))
    return len(ids)


async def count_pending(session: Session) -> int:
    """How many are on their way."""
    return (await session.execute(select(func.count()).where(col(Delivery.status) == "pending"))).scalar_one()
