"""`aiops users`, `aiops keys` and `aiops credits`: what an operator does for people."""

from datetime import timedelta
from typing import Annotated

import typer

from aiops.accounts import email_links
from aiops.accounts.accounts import count_accounts, create_account, find_account
from aiops.accounts.authentication import FIRST_KEY, create_key, list_keys, revoke_key
from aiops.accounts.plans import SMALLEST, load_plans
from aiops.administration import changes
from aiops.administration.audit import COMMAND_LINE, Act
from aiops.administration.reports import list_accounts
from aiops.cli.running import note, password_link, write
from aiops.database.engine import Session
from aiops.database.tables import Account, ApiKey
from aiops.ledger import ledger
from aiops.runtime import utc_now
from aiops.settings import Settings

DAYS_MAX = 36_525  # a century
Reason = Annotated[str, typer.Option(help="Why; it stands in the list of changes.")]

users = typer.Typer(no_args_is_help=True, help="People who use the service.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
credits_ = typer.Typer(no_args_is_help=True, help="Credits.")


@users.command("create")
def users_create(
    email: str,
    plan: Annotated[str, typer.Option(help="The plan to start on.")] = SMALLEST,
    credits: Annotated[  # noqa: A002
        int | None, typer.Option(help="Opening credits, in place of the plan's.", min=0, max=ledger.CREDITS_MAX)
    ] = None,
) -> None:
    """Makes an account and prints its API key. The first account of all is an administrator's."""
    plans = load_plans(Settings().plans_file)

    async def create(session: Session) -> str:
        now = utc_now()
        is_first = await count_accounts(session) == 0
        account = await create_account(
            session, plans, email, now, plan=plan, credits=credits, is_administrator=is_first
        )
        await note(session, "account made", account.id, f"{account.email} on the plan {plan}")
        return await create_key(session, account.id, FIRST_KEY, now)

    print(f"API key: {write(create)}", flush=True)


@users.command("list")
def users_list(
    search: Annotated[str, typer.Option(help="Only those whose e-mail address contains this.")] = "",
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1000)] = 50,
) -> None:
    """Lists accounts, the newest first."""
    accounts, _ = write(lambda session: list_accounts(session, limit, search=search))
    for one in accounts:
        notes = [note for note, is_so in _notes(one).items() if is_so]
        print("  ".join((f"{one.email:<40}", f"{one.plan:<10}", f"{one.credits:>10,} credits", *notes)), flush=True)


def _notes(account: Account) -> dict[str, bool]:
    return {
        "administrator": account.is_administrator,
        "plan paid": account.is_plan_paid,
        "not confirmed": not account.is_confirmed,
    }


@users.command("plan")
def users_plan(email: str, plan: str, reason: Reason) -> None:
    """Puts an account on a plan that it does not pay for; monthly credits follow with the next month."""
    plans = load_plans(Settings().plans_file)

    async def change(session: Session) -> None:
        account = await find_account(session, email)
        await changes.set_plan(session, plans, _act(reason), account.id, plan)

    write(change)
    print(f"{email} is on the plan {plan}.", flush=True)


@users.command("administrator")
def users_administrator(
    email: str,
    reason: Reason,
    remove: Annotated[bool, typer.Option("--remove", help="Make it an ordinary account again.")] = False,
) -> None:
    """Makes an account an administrator's: its owner sees all accounts, and changes them."""

    async def change(session: Session) -> None:
        account = await find_account(session, email)
        await changes.set_administrator(session, _act(reason), account.id, is_administrator=not remove)

    write(change)
    print(f"{email} is {'no administrator any more' if remove else 'an administrator'}.", flush=True)


@users.command("link")
def users_link(email: str) -> None:
    """Prints a link under which a password for the pages can be set; it works once, for an hour."""
    settings = Settings()

    async def make(session: Session) -> str:
        account = await find_account(session, email)
        await note(session, "password link made", account.id, "works once, for an hour")
        return await email_links.make(session, account.id, "reset", utc_now())

    print(password_link(settings.address, write(make)), flush=True)


@keys.command("create")
def keys_create(
    email: str,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    days: Annotated[
        int | None, typer.Option(help="After how many days it expires; never unless given.", min=1, max=DAYS_MAX)
    ] = None,
) -> None:
    """Makes another API key and prints it."""

    async def create(session: Session) -> str:
        account, now = await find_account(session, email), utc_now()
        await note(session, "API key made", account.id, name)
        return await create_key(session, account.id, name, now, now + timedelta(days=days) if days else None)

    print(f"API key: {write(create)}", flush=True)


@keys.command("list")
def keys_list(email: str) -> None:
    """Lists an account's API keys."""

    async def read(session: Session) -> list[str]:
        account, now = await find_account(session, email), utc_now()
        lines = []
        for key in await list_keys(session, account.id):
            is_expired = key.expires_at is not None and key.expires_at <= now
            state = "revoked" if key.revoked_at else "expired" if is_expired else "active"
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
            lines.append(f"{key.id}  {key.prefix}…{key.last_four}  {state:<8} last used {used:<16}  {key.name}")
        return lines

    print("\n".join(write(read)), flush=True)


@keys.command("revoke")
def keys_revoke(key_id: str) -> None:
    """Revokes an API key, at once and for good."""

    async def revoke(session: Session) -> None:
        await revoke_key(session, key_id, utc_now())
        key = await session.get_one(ApiKey, key_id)
        await note(session, "API key revoked", key.account_id, f"{key.name}, {key_id}")

    write(revoke)
    print(f"{key_id} is revoked.", flush=True)


@credits_.command("grant")
def credits_grant(
    email: str,
    amount: Annotated[int, typer.Argument(min=1, max=ledger.CREDITS_MAX)],
    reason: Reason,
) -> None:
    """Gives credits to an account; the reason stands in its transactions."""

    async def grant(session: Session) -> int:
        account = await find_account(session, email)
        return await changes.give_credits(session, _act(reason), account.id, amount)

    print(f"{email} has {write(grant)} credits.", flush=True)


@credits_.command("take")
def credits_take(
    email: str,
    amount: Annotated[int, typer.Argument(min=1, max=ledger.CREDITS_MAX)],
    reason: Reason,
) -> None:
    """Takes credits from an account, as a correction; the reason stands in its transactions."""

    async def take(session: Session) -> int:
        account = await find_account(session, email)
        return await changes.take_credits(session, _act(reason), account.id, amount)

    print(f"{email} has {write(take)} credits.", flush=True)


def _act(reason: str) -> Act:
    return Act(COMMAND_LINE, reason, utc_now())
