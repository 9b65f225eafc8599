"""Accounts: made with an opening grant, and granted their plan's credits once a month at the first use in it."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import col

from aiops.accounts.plans import Plans, limits_of
from aiops.database.engine import Session
from aiops.database.tables import Account
from aiops.identifiers import new_id
from aiops.ledger import ledger

EMAIL_LENGTH_MAX = 254


class AccountError(Exception):
    """Something about an account that its maker has to mend; the message says what."""


async def create_account(
    session: Session,
    plans: Plans,
    email: str,
    now: datetime,
    *,
    plan: str,
    credits: int | None = None,  # noqa: A002 - the product's word
    is_administrator: bool = False,
) -> Account:
    """A new account with its opening grant: `credits` where given (0 too), else those of the plan.

    Raises:
        AccountError: no such plan, not an e-mail address, or taken.
    """
    email = email.strip().lower()
    await _check(session, plans, email, plan)
    account = Account(
        id=new_id("acc"),
        email=email,
        plan=plan,
        is_administrator=is_administrator,
        granted_period=period_of(now),
        created_at=now,
    )
    session.add(account)
    await session.flush()
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


async def count_accounts(session: Session) -> int:
    return (await session.execute(select(func.count()).select_from(Account))).scalar_one()


async def grant_month(session: Session, plans: Plans, account: Account, now: datetime) -> None:
    """Grants the plan's credits for this month, once: the account's row decides between two that try at once."""
    period = period_of(now)
    claimed = await session.execute(
        update(Account)
        .where(col(Account.id) == account.id)
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


async def _check(session: Session, plans: Plans, email: str, plan: str) -> None:
    if plan not in plans:
        raise AccountError(f"There is no plan {plan}. The plans are: {', '.join(plans)}.")
    name, _, domain = email.rpartition("@")
    if not name or not domain or len(email) > EMAIL_LENGTH_MAX or not email.isprintable() or " " in email:
        raise AccountError(f"{email!r} is not an e-mail address.")
    taken = await session.execute(select(col(Account.id)).where(col(Account.email) == email))
    if taken.scalar_one_or_none() is not None:
        raise AccountError(f"There is an account of {email} already. `aiops keys create {email}` makes another key.")
