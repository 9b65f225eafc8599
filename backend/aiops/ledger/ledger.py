"""How credits move: a hold when work is accepted, then once either a capture or a release; and what brings credits in
and takes them back. Entries are never changed.

Every function here is a step of the caller's transaction; none commits. Each first changes the account's row, which
locks it, so an account's entries are written one after the other and `balance_after` is exact.

The balance never goes below zero. When money goes back, its credits are taken as far as they are still there; the rest
is owed (`Payment.reversed` less `Payment.taken`), and taken from whatever is granted, bought or released next.
"""

from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update
from sqlmodel import SQLModel, col

from aiops.database.engine import Session
from aiops.database.tables import Account, Entry, Payment

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
_ENTRY_ID_MAX = 2**63 - 1
_SETTLED = select(_ENTRY).where(_ENTRY.c.job_id == bindparam("of"), _ENTRY.c.kind.in_(("capture", "release")))
# What was owed is taken right after a release, in its transaction: these entries have its time, and the next entry of
# another kind ends them, such as the release of the next job where a reaper ends several at once.
_NEXT = (
    select(_ENTRY.c.id)
    .where(_ENTRY.c.account_id == bindparam("of"), _ENTRY.c.id > bindparam("after"), _ENTRY.c.kind != "adjustment")
    .order_by(_ENTRY.c.id)
    .limit(1)
    .scalar_subquery()
)
_TAKEN = select(func.coalesce(func.sum(_ENTRY.c.amount), 0)).where(
    _ENTRY.c.account_id == bindparam("of"),
    _ENTRY.c.id > bindparam("after"),
    _ENTRY.c.id < func.coalesce(_NEXT, _ENTRY_ID_MAX),
    _ENTRY.c.created_at == bindparam("at"),
)

CREDITS_MAX = 1_000_000_000  # what the contract says an account can have
DESCRIPTION_LENGTH_MAX = 500
TAKEN_BACK = "Taken back: the money for “{}” was returned"
GIVEN_BACK = "Given back: the money for “{}” was received after all"


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
    _check(amount, description)
    if (await lock_account(session, account_id)).credits + amount > CREDITS_MAX:
        raise ValueError(f"An account can have {CREDITS_MAX:,} credits at most.")
    await _move(session, account_id, "grant", now, amount=amount, held=0, description=description, period=period)
    return await _take_what_is_owed(session, account_id, now)


async def take(session: Session, account_id: str, amount: int, now: datetime, *, description: str) -> int:
    """Takes credits from an account, as a correction, and returns what can be spent afterwards.

    Raises:
        ValueError: `amount` is not positive or more than the account has, or `description` is not fit to print.
    """
    _check(amount, description)
    try:
        return await _move(session, account_id, "adjustment", now, amount=-amount, held=0, description=description)
    except OverdraftError:
        raise ValueError(f"The account has fewer than {amount:,} credits.") from None


async def receive(session: Session, payment: Payment, now: datetime, *, period: str | None = None) -> bool:
    """Gives the credits of a payment, once: False where it is recorded already.

    Those of a plan are a grant, of which an account has one a `period`: a second payment for it gives none. Those of a
    pack are a purchase.
    """
    account = await lock_account(session, payment.account_id)
    if await session.get(Payment, payment.id) is not None:
        return False
    if period is not None and await _is_granted(session, account.id, period):
        payment.credits, period = 0, None
    payment.credits = min(payment.credits, CREDITS_MAX - account.credits)
    session.add(payment)
    await session.flush()
    await _move(
        session,
        payment.account_id,
        "purchase" if payment.kind == "pack" else "grant",
        now,
        amount=payment.credits,
        held=0,
        payment_id=payment.id,
        description=payment.description,
        period=period,
    )
    await _take_what_is_owed(session, payment.account_id, now)
    return True


async def reverse(session: Session, payment_id: str, amount_refunded: int, now: datetime) -> None:
    """Has a payment's credits follow its money, of which `amount_refunded` has gone back in all: more are taken, or
    some are given back where a refund has failed or a dispute was won."""
    payment = await session.get_one(Payment, payment_id)
    await lock_account(session, payment.account_id)
    await session.refresh(payment)
    payment.amount_refunded = min(max(amount_refunded, 0), payment.amount)
    payment.reversed = payment.credits * payment.amount_refunded // payment.amount if payment.amount else 0
    surplus = payment.taken - payment.reversed
    if surplus > 0:
        payment.taken = payment.reversed
        await _adjust(session, payment, surplus, now, GIVEN_BACK)
    await session.flush()
    await _take_what_is_owed(session, payment.account_id, now)


async def owed(session: Session, account_id: str) -> int:
    """How many credits an account owes."""
    total = select(func.coalesce(func.sum(col(Payment.reversed) - col(Payment.taken)), 0))
    return int((await session.execute(total.where(col(Payment.account_id) == account_id))).scalar_one())


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
    await _move(session, account_id, "release", now, amount=cost, held=-cost, job_id=job_id)
    return await _take_what_is_owed(session, account_id, now)


async def balance_after(session: Session, job_id: str) -> int:
    """What could be spent when the job was captured or released; of a release, after what was owed was taken."""
    settled = (await session.execute(_SETTLED, {"of": job_id})).one()
    if settled.kind == "capture":
        return int(settled.balance_after)
    taken = await session.execute(_TAKEN, {"of": settled.account_id, "after": settled.id, "at": settled.created_at})
    return int(settled.balance_after + taken.scalar_one())


async def _is_granted(session: Session, account_id: str, period: str) -> bool:
    granted = select(col(Entry.id)).where(col(Entry.account_id) == account_id, col(Entry.period) == period)
    return (await session.execute(granted)).first() is not None


async def _take_what_is_owed(session: Session, account_id: str, now: datetime) -> int:
    """Takes what is owed from what is there, that of the oldest payment first, and returns what is left. The account's
    row is locked by now."""
    left = (await lock_account(session, account_id)).credits
    found = await session.execute(
        select(Payment)
        .where(col(Payment.account_id) == account_id, col(Payment.taken) < col(Payment.reversed))
        .order_by(col(Payment.created_at), col(Payment.id))
    )
    for payment in found.scalars().all():
        amount = min(left, payment.reversed - payment.taken)
        if amount > 0:
            payment.taken += amount
            left = await _adjust(session, payment, -amount, now, TAKEN_BACK)
    await session.flush()
    return left


async def _adjust(session: Session, payment: Payment, amount: int, now: datetime, sentence: str) -> int:
    description = sentence.format(payment.description)[:DESCRIPTION_LENGTH_MAX]
    account_id, payment_id = payment.account_id, payment.id
    return await _move(
        session, account_id, "adjustment", now, amount=amount, held=0, payment_id=payment_id, description=description
    )


def _check(amount: int, description: str) -> None:
    if amount <= 0:
        raise ValueError("Give or take one credit at least.")
    if amount > CREDITS_MAX:
        raise ValueError(f"Give or take {CREDITS_MAX:,} credits at most.")
    if not 0 < len(description) <= DESCRIPTION_LENGTH_MAX or not description.isprintable():
        raise ValueError(f"A reason has 1 to {DESCRIPTION_LENGTH_MAX} printable characters.")


async def _move(
    session: Session,
    account_id: str,
    kind: str,
    now: datetime,
    *,
    amount: int,
    held: int,
    job_id: str | None = None,
    payment_id: str | None = None,
    description: str | None = None,
    period: str | None = None,
) -> int:
    """Changes the account's two sums, writes the entry for it, and returns what can be spent afterwards.

    Raises:
        OverdraftError: the account has less than that.
    """
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
        "payment_id": payment_id,
        "period": period,
        "description": description,
        "created_at": now,
    }
    await session.execute(_WRITE, entry)
    return int(balance)
