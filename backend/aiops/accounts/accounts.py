"""Accounts: made with an opening grant, and granted their plan's credits once a month at the first use in it."""

import re
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from aiops.accounts import email_links, sessions
from aiops.accounts.plans import Plans, limits_of
from aiops.database.engine import Session
from aiops.database.tables import Account
from aiops.identifiers import new_id
from aiops.ledger import ledger

EMAIL_LENGTH_MAX = 254
# Atoms between dots: whatever could make a second recipient, or a comment, of an address has no place in it.
_ATOMS = r'[^\s@.,;:"()<>\[\]\\]+(?:\.[^\s@.,;:"()<>\[\]\\]+)*'
_EMAIL = re.compile(f"{_ATOMS}@{_ATOMS}")


class AccountError(Exception):
    """Something about an account that its maker has to mend; the message says what."""


class EmailTakenError(AccountError):
    """There is an account of this e-mail address already."""


async def create_account(
    session: Session,
    plans: Plans,
    email: str,
    now: datetime,
    *,
    plan: str,
    credits: int | None = None,  # noqa: A002 - the product's word
    is_administrator: bool = False,
    password: str | None = None,
    is_confirmed: bool = True,
) -> Account:
    """A new account with its opening grant: `credits` where given (0 too), else those of the plan. One whose e-mail
    address is not confirmed has none until it is.

    Raises:
        AccountError: no such plan, not an e-mail address, or taken.
    """
    email = email.strip().lower()
    check_email(email)
    await _check(session, plans, email, plan)
    account = Account(
        id=new_id("acc"),
        email=email,
        plan=plan,
        is_administrator=is_administrator,
        granted_period=period_of(now) if is_confirmed else None,
        password=password,
        is_confirmed=is_confirmed,
        created_at=now,
    )
    session.add(account)
    try:
        await session.flush()
    except IntegrityError:  # somebody was faster by a moment
        raise _taken(email) from None
    if not is_confirmed:
        return account
    opening = limits_of(plans, plan).monthly_credits if credits is None else credits
    if opening > 0:
        described = f"Monthly credits of the {plan} plan" if credits is None else "Opening credits"
        await ledger.grant(session, account.id, opening, now, description=described, period=period_of(now))
        await session.refresh(account)
    return account


async def find_account(session: Session, email: str) -> Account:
    """The account of an e-mail address.

    Raises:
        AccountError: there is none.
    """
    found = await session.execute(select(Account).where(col(Account.email) == email.strip().lower()))
    account = found.scalar_one_or_none()
    if account is None:
        raise AccountError(f"There is no account of {email}.")
    return account


async def get_account(session: Session, account_id: str) -> Account:
    return (await session.execute(select(Account).where(col(Account.id) == account_id))).scalar_one()


def check_email(email: str) -> None:
    """Raises AccountError where it is not one plain address."""
    if len(email) > EMAIL_LENGTH_MAX or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise AccountError(f"{email!r} is not an e-mail address.")


async def is_password_kept(session: Session, account_id: str, password: str | None) -> bool:
    """Whether this hash is still the account's; if so, nobody changes it until this transaction ends."""
    return (await ledger.lock_account(session, account_id)).password == password


async def set_password(session: Session, account_id: str, password: str) -> None:
    """Keeps the hash of a new password, signs the account out everywhere, and ends its links to set another."""
    await _change(session, account_id, password=password)
    await sessions.end_all(session, account_id)
    await email_links.end_all(session, account_id, "reset")


async def confirm(session: Session, plans: Plans, account_id: str, now: datetime) -> None:
    """Notes that the e-mail address is its owner's, and grants what was held back until then."""
    await _change(session, account_id, is_confirmed=True)
    await grant_month(session, plans, await get_account(session, account_id), now)


async def count_accounts(session: Session) -> int:
    return (await session.execute(select(func.count()).select_from(Account))).scalar_one()


def is_month_due(account: Account, now: datetime) -> bool:
    """Whether the plan's credits for this month have yet to be granted: those of a plan that is paid for come with its
    payments."""
    if not account.is_confirmed or account.is_plan_paid:
        return False
    return account.granted_period is None or account.granted_period < period_of(now)


async def grant_month(session: Session, plans: Plans, account: Account, now: datetime) -> None:
    """Grants the plan's credits for this month, once: the account's row decides between two that try at once."""
    period = period_of(now)
    claimed = await session.execute(
        update(Account)
        .where(col(Account.id) == account.id, col(Account.is_confirmed), col(Account.is_plan_paid).is_(False))
        .where(col(Account.granted_period).is_(None) | (col(Account.granted_period) < period))
        .values(granted_period=period)
        .returning(col(Account.id))
        .execution_options(synchronize_session=False)
    )
    monthly = min(limits_of(plans, account.plan).monthly_credits, ledger.CREDITS_MAX - account.credits)
    if claimed.scalar_one_or_none() is not None and monthly > 0:
        described = f"Monthly credits of the {account.plan} plan"
        await ledger.grant(session, account.id, monthly, now, description=described, period=period)


def period_of(now: datetime) -> str:
    return f"{now:%Y-%m}"


async def _change(session: Session, account_id: str, **values: Any) -> None:
    await session.execute(
        update(Account)
        .where(col(Account.id) == account_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def _check(session: Session, plans: Plans, email: str, plan: str) -> None:
    if plan not in plans:
        raise AccountError(f"There is no plan {plan}. The plans are: {', '.join(plans)}.")
    taken = await session.execute(select(col(Account.id)).where(col(Account.email) == email))
    if taken.scalar_one_or_none() is not None:
        raise _taken(email)


def _taken(email: str) -> EmailTakenError:
    return EmailTakenError(f"There is an account of {email} already. `aiops keys create {email}` makes another key.")
