"""Links that are e-mailed: to set a password, or to confirm an address. Each works once, for a while.

The database keeps the SHA-256 of a link's token only. A newer link for the same purpose ends the older ones.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, select
from sqlmodel import col

from aiops.database.engine import Session
from aiops.database.tables import Account, EmailLink

Purpose = Literal["reset", "confirm"]

AGES: dict[Purpose, timedelta] = {"reset": timedelta(hours=1), "confirm": timedelta(days=7)}
TOKEN_BYTES = 32


async def make(session: Session, account_id: str, purpose: Purpose, now: datetime) -> str:
    """The token of a new link. The account's row is locked, so that of two made at once the later one works."""
    await session.execute(select(col(Account.id)).where(col(Account.id) == account_id).with_for_update(key_share=True))
    await end_all(session, account_id, purpose)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = now + AGES[purpose]
    link = EmailLink(
        digest=_digest(token), account_id=account_id, purpose=purpose, created_at=now, expires_at=expires_at
    )
    session.add(link)
    await session.flush()
    return token


async def look(session: Session, token: str, purpose: Purpose, now: datetime) -> str | None:
    """Whose link it is, while it works; its use is not counted."""
    found = await session.execute(
        select(col(EmailLink.account_id)).where(
            col(EmailLink.digest) == _digest(token), col(EmailLink.purpose) == purpose, col(EmailLink.expires_at) > now
        )
    )
    return found.scalar_one_or_none()


async def redeem(session: Session, token: str, purpose: Purpose, now: datetime) -> str | None:
    """Whose link it is, for the last time; None where it does not work (any more)."""
    found = await session.execute(
        delete(EmailLink)
        .where(
            col(EmailLink.digest) == _digest(token), col(EmailLink.purpose) == purpose, col(EmailLink.expires_at) > now
        )
        .returning(col(EmailLink.account_id))
        .execution_options(synchronize_session=False)
    )
    return found.scalar_one_or_none()


async def end_all(session: Session, account_id: str, purpose: Purpose) -> None:
    """Ends what was made for an account, as after a change of its password."""
    await session.execute(
        delete(EmailLink)
        .where(col(EmailLink.account_id) == account_id, col(EmailLink.purpose) == purpose)
        .execution_options(synchronize_session=False)
    )


async def sweep(session: Session, now: datetime) -> None:
    """Deletes what has expired."""
    await session.execute(
        delete(EmailLink).where(col(EmailLink.expires_at) <= now).execution_options(synchronize_session=False)
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
