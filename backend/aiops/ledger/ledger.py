"""How credits move: a hold when work is accepted, then once either a capture or a release. Entries are never changed.

Every function here is a step of the caller's transaction; none commits. Each first changes the account's row, which
locks it, so an account's entries are written one after the other and `balance_after` is exact.
"""

from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import SQLModel, col

from aiops.database.engine import Session
from aiops.database.tables import Account

# Statements of every call are built once: building them costs several times what the database needs to run them.
_ACCOUNT, _ENTRY = SQLModel.metadata.tables["account"], SQLModel.metadata.tables["entry"]
_CHANGE = (
    update(_ACCOUNT)
    .where(_ACCOUNT.c.id == bindparam("of"), _ACCOUNT.c.credits + bindparam("by") >= 0)
    .values(credits=_ACCOUNT.c.credits + bindparam("by"), held=_ACCOUNT.c.held + bindparam("held_by"))
    .returning(_ACCOUNT.c.credits)
)
_WRITE = insert(_ENTRY)
_LOCK = (
    select(Account)
    .where(col(Account.id) == bindparam("of"))
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
_BALANCE = select(_ENTRY.c.balance_after).where(
    _ENTRY.c.job_id == bindparam("of"), _ENTRY.c.kind.in_(("capture", "release"))
)

CREDITS_MAX = 1_000_000_000  # what the contract says an account can have
DESCRIPTION_LENGTH_MAX = 500


class OverdraftError(Exception):
    """The transaction would have taken more than an account has. It must not be committed."""


async def lock_account(session: Session, account_id: str) -> Account:
    """The account, which nobody else changes until this transaction ends. Rows that refer to it can be written
    meanwhile (FOR NO KEY UPDATE); a transaction that also takes a job takes the job first."""
    return (await session.execute(_LOCK, {"of": account_id})).scalar_one()


async def grant(
    session: Session, account_id: str, amount: int, now: datetime, *, description: str, period: str | None = None
) -> int:
    """Gives credits to an account and returns what can be spent afterwards.

    `period` (`2026-11`) marks the grant of a month, of which an account has one.

    Raises:
        ValueError: `amount` is not positive or more than an account can have, or `description` is not fit to print.
    """
    if amount <= 0:
        raise ValueError("A grant is of one credit at least.")
    if not 0 < len(description) <= DESCRIPTION_LENGTH_MAX or not description.isprintable():
        raise ValueError(f"A reason has 1 to {DESCRIPTION_LENGTH_MAX} printable characters.")
    if (await lock_account(session, account_id)).credits + amount > CREDITS_MAX:
        raise ValueError(f"An account can have {CREDITS_MAX:,} credits at most.")
    return await _move(session, account_id, "grant", now, amount=amount, held=0, description=description, period=period)


async def hold(session: Session, account_id: str, job_id: str, cost: int, now: datetime) -> int:
    """Sets `cost` aside for a job and returns what can be spent afterwards.

    Raises:
        OverdraftError: the account has less than that.
    """
    return await _move(session, account_id, "hold", now, amount=-cost, held=cost, job_id=job_id)


async def capture(session: Session, account_id: str, job_id: str, cost: int, now: datetime) -> int:
    """Charges what was held for a job and returns what can be spent."""
    return await _move(session, account_id, "capture", now, amount=0, held=-cost, job_id=job_id)


async def release(session: Session, account_id: str, job_id: str, cost: int, now: datetime) -> int:
    """Gives back what was held for a job and returns what can be spent afterwards."""
    return await _move(session, account_id, "release", now, amount=cost, held=-cost, job_id=job_id)


async def balance_after(session: Session, job_id: str) -> int:
    """What could be spent when the job was captured or released."""
    return int((await session.execute(_BALANCE, {"of": job_id})).scalar_one())


async def _move(
    session: Session,
    account_id: str,
    kind: str,
    now: datetime,
    *,
    amount: int,
    held: int,
    job_id: str | None = None,
    description: str | None = None,
    period: str | None = None,
) -> int:
    """Changes the account's two sums and writes the entry for it."""
    changed = await session.execute(_CHANGE, {"of": account_id, "by": amount, "held_by": held})
    balance = changed.scalar_one_or_none()
    if balance is None:
        raise OverdraftError(account_id)
    entry = {
        "account_id": account_id,
        "kind": kind,
        "amount": amount,
        "balance_after": balance,
        "job_id": job_id,
        "period": period,
        "description": description,
        "created_at": now,
    }
    await session.execute(_WRITE, entry)
    return int(balance)
