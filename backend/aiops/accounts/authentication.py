"""API keys in the database: made, looked up by an Authorization header, listed, revoked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import bindparam, func, select, true, update
from sqlmodel import col

from aiops.accounts import keys
from aiops.accounts.accounts import AccountError, grant_month, is_month_due
from aiops.accounts.plans import Plans, limits_of
from aiops.contract.models import Limits
from aiops.database.engine import Database, Session
from aiops.database.tables import Account, ApiKey
from aiops.errors import UnauthorizedError
from aiops.identifiers import new_id

LAST_USED_RESOLUTION = timedelta(minutes=1)
NAME_LENGTH_MAX = 100
KEYS_MAX = 50
FIRST_KEY = "first key"
_BY_KEY = (
    select(ApiKey, Account)
    .join(Account, col(Account.id) == col(ApiKey.account_id))
    .where(col(ApiKey.digest) == bindparam("digest"), col(ApiKey.revoked_at).is_(None))
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose API key came with a call, and the limits of their plan."""

    account_id: str
    limits: Limits


async def create_key(
    session: Session,
    account_id: str,
    name: str,
    now: datetime,
    expires_at: datetime | None = None,
    *,
    sealer: Fernet | None = None,
) -> str:
    """Makes a key and returns it; it cannot be read again, but once where it is kept sealed.

    Raises:
        AccountError: the name is empty or too long, or the account has as many keys as it may.
    """
    if not 0 < len(name.strip()) <= NAME_LENGTH_MAX or not name.isprintable():
        raise AccountError(f"A key's name has 1 to {NAME_LENGTH_MAX} printable characters.")
    kept = select(func.count()).where(col(ApiKey.account_id) == account_id, col(ApiKey.revoked_at).is_(None))
    if (await session.execute(kept)).scalar_one() >= KEYS_MAX:
        raise AccountError(f"An account has {KEYS_MAX} keys at most. Revoke one first.")
    key = keys.new_key()
    row = ApiKey(
        id=new_id("key"),
        account_id=account_id,
        name=name.strip(),
        digest=keys.digest(key),
        prefix=key[: keys.SHOWN_LENGTH],
        last_four=key[-4:],
        sealed=sealer.encrypt(key.encode()).decode() if sealer else None,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    await session.flush()
    return key


async def reveal_key(session: Session, account_id: str, key_id: str, sealer: Fernet) -> str | None:
    """The key that came with an account, for the first and last time; None where there is none (any more)."""
    found = await session.execute(
        select(ApiKey)
        .where(
            col(ApiKey.id) == key_id,
            col(ApiKey.account_id) == account_id,
            col(ApiKey.sealed).is_not(None),
            col(ApiKey.revoked_at).is_(None),
        )
        .with_for_update()
    )
    key = found.scalar_one_or_none()
    if key is None or key.sealed is None:
        return None
    try:
        revealed = sealer.decrypt(key.sealed).decode()
    except InvalidToken:  # AIOPS_SECRET_KEY was changed since; it may be changed back
        return None
    key.sealed = None
    return revealed


async def list_keys(session: Session, account_id: str) -> list[ApiKey]:
    rows = await session.execute(
        select(ApiKey).where(col(ApiKey.account_id) == account_id).order_by(col(ApiKey.created_at), col(ApiKey.id))
    )
    return list(rows.scalars())


async def revoke_key(session: Session, key_id: str, now: datetime, account_id: str | None = None) -> None:
    """Ends a key at once, in every process; one of `account_id` only, where that is given.

    Raises:
        AccountError: there is no such key, or it is revoked already.
    """
    is_its = col(ApiKey.account_id) == account_id if account_id is not None else true()
    revoked = await session.execute(
        update(ApiKey)
        .where(col(ApiKey.id) == key_id, col(ApiKey.revoked_at).is_(None), is_its)
        .values(revoked_at=now, sealed=None)
        .returning(col(ApiKey.id))
        .execution_options(synchronize_session=False)
    )
    if revoked.scalar_one_or_none() is None:
        raise AccountError(f"There is no key {key_id} that could be revoked. `aiops keys list EMAIL` lists them.")


async def renew_keys(session: Session, account_id: str, now: datetime, sealer: Fernet) -> None:
    """Revokes every key of an account and makes a first one, as on the day it was made."""
    await session.execute(
        update(ApiKey)
        .where(col(ApiKey.account_id) == account_id, col(ApiKey.revoked_at).is_(None))
        .values(revoked_at=now, sealed=None)
        .execution_options(synchronize_session=False)
    )
    await create_key(session, account_id, FIRST_KEY, now, sealer=sealer)


async def authenticate(database: Database, plans: Plans, authorization: str | None, now: datetime) -> Caller:
    """Whose key an Authorization header carries; the month's credits are granted on the way.

    Whatever is sent as a key is looked up, so that the time tells nothing of why it is refused.

    Raises:
        UnauthorizedError: missing, malformed, unknown, expired or revoked.
    """
    key = _bearer(authorization)
    if key is None:
        raise UnauthorizedError
    async with database.read() as session:
        row = (await session.execute(_BY_KEY, {"digest": keys.digest(key)})).one_or_none()
    if row is None or (row.ApiKey.expires_at is not None and row.ApiKey.expires_at <= now):
        raise UnauthorizedError
    await _note_use(database, plans, row.ApiKey, row.Account, now)
    return Caller(row.Account.id, limits_of(plans, row.Account.plan))


def _bearer(authorization: str | None) -> str | None:
    scheme, _, key = (authorization or "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


async def _note_use(database: Database, plans: Plans, key: ApiKey, account: Account, now: datetime) -> None:
    is_new_month = is_month_due(account, now)
    is_stale = key.last_used_at is None or now - key.last_used_at >= LAST_USED_RESOLUTION
    if not is_new_month and not is_stale:
        return
    async with database.write() as session:
        if is_new_month:
            await grant_month(session, plans, account, now)
        await session.execute(
            update(ApiKey)
            .where(col(ApiKey.id) == key.id)
            .values(last_used_at=now)
            .execution_options(synchronize_session=False)
        )
