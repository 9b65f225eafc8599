"""Webhooks: who is to be told of what, and where."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from aiops.database.engine import Session
from aiops.database.tables import Delivery, Webhook
from aiops.errors import InvalidInputError
from aiops.http.errors import RefusedUrlError
from aiops.http.urls import check_url
from aiops.identifiers import new_id
from aiops.ledger import ledger
from aiops.pagination import decode_moment_and_id, encode_cursor, page
from aiops.settings import Settings
from aiops.webhooks import signing

WEBHOOKS_MAX = 100


def check_receiver(field: str, url: str, private_hosts: frozenset[str]) -> InvalidInputError | None:
    """Why a URL cannot be told of anything, where that is known without asking a resolver."""
    try:
        check_url(url, private_hosts)
    except RefusedUrlError as error:
        return InvalidInputError([(field, error.reason)])
    return None


async def subscribe(
    session: Session, settings: Settings, account_id: str, now: datetime, *, url: str, events: Sequence[str]
) -> tuple[Webhook, str]:
    """A new webhook, and the secret it is signed with, which is not shown again.

    Raises:
        InvalidInputError: the URL leads nowhere public, an event is named twice, or the account has as many as it may.
    """
    refusal = check_receiver("url", url, settings.private_hosts)
    if refusal is not None:
        raise refusal
    if len(set(events)) < len(events):
        raise InvalidInputError([("events", "Each event should be named once")])
    await ledger.lock_account(session, account_id)
    number = await session.execute(select(func.count()).where(col(Webhook.account_id) == account_id))
    if number.scalar_one() >= WEBHOOKS_MAX:
        raise InvalidInputError([("url", f"An account has {WEBHOOKS_MAX} webhooks at most; delete one first")])
    webhook = Webhook(id=new_id("hook"), account_id=account_id, url=url, events=list(events), created_at=now)
    session.add(webhook)
    await session.flush()
    return webhook, await signing.make(session, settings.sealer, webhook.id, now)


async def find(session: Session, webhook_id: str, account_id: str | None = None) -> Webhook | None:
    """A webhook, of an account where one is given."""
    found = select(Webhook).where(col(Webhook.id) == webhook_id)
    if account_id is not None:
        found = found.where(col(Webhook.account_id) == account_id)
    return (await session.execute(found)).scalar_one_or_none()


async def lock(session: Session, webhook_id: str) -> Webhook | None:
    """A webhook, locked. Whoever ends its deliveries locks it before them: else two that do would wait for each
    other."""
    found = select(Webhook).where(col(Webhook.id) == webhook_id).with_for_update(key_share=True)
    return (await session.execute(found)).scalar_one_or_none()


async def list_webhooks(
    session: Session, account_id: str, limit: int, cursor: str | None, event: str | None = None
) -> tuple[Sequence[Webhook], str | None]:
    """A page of webhooks, the newest first, of those for `event` if one is given; and the cursor of the next one.

    Raises:
        InvalidInputError: the cursor is not one of ours.
    """
    found = select(Webhook).where(col(Webhook.account_id) == account_id)
    if cursor is not None:
        created_at, webhook_id = decode_moment_and_id(cursor)
        found = found.where(
            (col(Webhook.created_at) < created_at)
            | ((col(Webhook.created_at) == created_at) & (col(Webhook.id) < webhook_id))
        )
    newest_first = found.order_by(col(Webhook.created_at).desc(), col(Webhook.id).desc())
    rows = (await session.execute(newest_first)).scalars().all()  # at most as many as an account has
    webhooks, last = page([one for one in rows if event is None or event in one.events][: limit + 1], limit)
    return webhooks, None if last is None else encode_cursor([last.created_at.isoformat(), last.id])


async def unsubscribe(session: Session, account_id: str, webhook_id: str, now: datetime) -> bool:
    """Deletes a webhook of an account; whether there was one. What is on its way to it is not sent any more."""
    deleted = await session.execute(
        delete(Webhook)
        .where(col(Webhook.id) == webhook_id, col(Webhook.account_id) == account_id)
        .returning(col(Webhook.id))
    )
    if deleted.scalar_one_or_none() is None:
        return False
    await signing.forget(session, webhook_id)
    await _end_deliveries(session, webhook_id, "The webhook was deleted.", now)
    return True


async def end_all(session: Session, account_id: str, now: datetime) -> None:
    """Deletes an account's webhooks, and the secret of its callbacks; the next one that is sent has a new secret."""
    webhooks, _ = await list_webhooks(session, account_id, WEBHOOKS_MAX, None)
    for webhook in webhooks:
        await unsubscribe(session, account_id, webhook.id, now)
    await signing.forget(session, account_id)


async def disable(session: Session, webhook: Webhook, reason: str, now: datetime) -> None:
    """Ends a webhook, which is locked, whose receiver does not want it any more; it stays, so that its owner sees
    why."""
    if webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_reason = now, reason
    await _end_deliveries(session, webhook.id, reason, now)


async def _end_deliveries(session: Session, webhook_id: str, reason: str, now: datetime) -> None:
    await session.execute(
        update(Delivery)
        .where(col(Delivery.webhook_id) == webhook_id, col(Delivery.status) == "pending")
        .values(status="failed", error=reason, ended_at=now)
        .execution_options(synchronize_session=False)
    )
