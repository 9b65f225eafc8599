"""Sessions of people who have signed in to the pages. The database knows a session by the SHA-256 of its cookie."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlmodel import col

from aiops.database.engine import Database, Session
from aiops.database.tables import Account, WebSession

SESSION_AGE = timedelta(days=30)
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, and the cookie that says so."""

    account: Account
    token: str


async def begin(session: Session, account_id: str, now: datetime) -> str:
    """Signs somebody in and returns the cookie; it is new each time, so that none can be planted beforehand."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(WebSession(digest=_digest(token), account_id=account_id, created_at=now, expires_at=now + SESSION_AGE))
    await session.flush()
    return token


async def find(database: Database, token: str, now: datetime) -> SignedIn | None:
    """Who is signed in under a cookie; None where nobody is, any more or at all."""
    async with database.read() as session:
        found = await session.execute(
            select(Account)
            .join(WebSession, col(WebSession.account_id) == col(Account.id))
            .where(col(WebSession.digest) == _digest(token), col(WebSession.expires_at) > now)
        )
        account = found.scalar_one_or_none()
    return None if account is None else SignedIn(account, token)


async def end(session: Session, token: str) -> None:
    await session.execute(
        delete(WebSession).where(col(WebSession.digest) == _digest(token)).execution_options(synchronize_session=False)
    )


async def end_all(session: Session, account_id: str) -> None:
    """Signs an account out everywhere, as after a change of its password."""
    await session.execute(
        delete(WebSession).where(col(WebSession.account_id) == account_id).execution_options(synchronize_session=False)
    )


async def sweep(session: Session, now: datetime) -> None:
    """Deletes what has expired."""
    await session.execute(
        delete(WebSession).where(col(WebSession.expires_at) <= now).execution_options(synchronize_session=False)
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
