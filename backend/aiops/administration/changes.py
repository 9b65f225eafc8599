"""What administrators change about accounts. Each is a step of the caller's transaction, and leaves a record."""

from sqlalchemy import select
from sqlmodel import col

from aiops.accounts.accounts import AccountError, grant_month
from aiops.accounts.plans import Plans
from aiops.administration import audit
from aiops.administration.audit import Act
from aiops.database.engine import Session
from aiops.database.tables import Account
from aiops.ledger import ledger

GIVEN, TAKEN = "credits given", "credits taken"


async def change_credits_once(session: Session, act: Act, account_id: str, amount: int, *, seen: int) -> None:
    """Gives or, below zero, takes credits, for who has seen what was changed up to the record `seen`. To ask twice, as
    a form does at a double click, changes them once: what was asked for stands right after that record.

    Raises:
        AccountError: the credits were changed in another way since.
        ValueError: the account has fewer, or the amount or the reason will not do.
    """
    await ledger.lock_account(session, account_id)
    done = await audit.first_record_after(session, seen, account_id, (GIVEN, TAKEN))
    if done is None:
        change = take_credits if amount < 0 else give_credits
        await change(session, act, account_id, abs(amount))
        return
    asked = (act.actor, TAKEN if amount < 0 else GIVEN, _detail(abs(amount)), act.reason.strip())
    if (done.actor, done.action, done.detail, done.reason) != asked:
        raise AccountError(
            "Credits were changed since this page was opened. Look at what was, then send the form again."
        )


async def give_credits(session: Session, act: Act, account_id: str, amount: int) -> int:
    """Gives credits; what can be spent afterwards.

    Raises:
        ValueError: the amount or the reason will not do.
    """
    await audit.record(session, act, GIVEN, account_id, _detail(amount))
    return await ledger.grant(session, account_id, amount, act.now, description=act.reason.strip())


async def take_credits(session: Session, act: Act, account_id: str, amount: int) -> int:
    """Takes credits; what can be spent afterwards.

    Raises:
        ValueError: the account has fewer, or the amount or the reason will not do.
    """
    await audit.record(session, act, TAKEN, account_id, _detail(amount))
    return await ledger.take(session, account_id, amount, act.now, description=act.reason.strip())


def _detail(amount: int) -> str:
    return f"{amount:,} credits"


async def set_plan(session: Session, plans: Plans, act: Act, account_id: str, plan: str) -> None:
    """Puts an account on a plan, whose monthly credits come from the next month on: those of this month are granted by
    the plan before, if its owner has not come by yet.

    Raises:
        AccountError: there is no such plan, the account is on it already, or pays for its plan.
        ValueError: the reason will not do.
    """
    if plan not in plans:
        raise AccountError(f"There is no plan {plan}. The plans are: {', '.join(plans)}.")
    account = await ledger.lock_account(session, account_id)
    if account.is_plan_paid:
        raise AccountError("The plan is paid by a subscription. It can be set once that is cancelled and has ended.")
    if account.plan == plan:
        raise AccountError(f"The account is on the plan {plan} already.")
    await audit.record(session, act, "plan set", account_id, f"{account.plan} to {plan}")
    await grant_month(session, plans, account, act.now)
    account.plan = plan
    await session.flush()


async def set_administrator(session: Session, act: Act, account_id: str, *, is_administrator: bool) -> None:
    """Makes an account an administrator's, or an ordinary one.

    Raises:
        AccountError: it is that already, or there would be no administrator left.
        ValueError: the reason will not do.
    """
    others = await _lock_administrators(session) - {account_id}
    account = await ledger.lock_account(session, account_id)
    if account.is_administrator == is_administrator:
        raise AccountError("The account is that already.")
    if not is_administrator and not others:
        raise AccountError("This is the last administrator. Make another one first.")
    detail = "is an administrator now" if is_administrator else "is no administrator any more"
    await audit.record(session, act, "administrator set", account_id, detail)
    account.is_administrator = is_administrator
    await session.flush()


async def _lock_administrators(session: Session) -> set[str]:
    """The ids of all administrators, who stay that until this transaction ends: two of them cannot take each other's
    place at the same moment. They are locked in the order of their ids, so that nobody waits for one who waits."""
    found = await session.execute(
        select(col(Account.id))
        .where(col(Account.is_administrator))
        .order_by(col(Account.id))
        .with_for_update(key_share=True)
    )
    return set(found.scalars())
