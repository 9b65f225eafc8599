"""`aiops users`, `aiops keys` and `aiops credits`: what an operator does for people."""

from datetime import timedelta
from typing import Annotated

import typer

from aiops.accounts import email_links
from aiops.accounts.accounts import count_accounts, create_account, find_account
from aiops.accounts.authentication import FIRST_KEY, create_key, list_keys, revoke_key
from aiops.accounts.plans import SMALLEST, load_plans
from aiops.cli.running import password_link, write
from aiops.database.engine import Session
from aiops.ledger import ledger
from aiops.runtime import utc_now
from aiops.settings import Settings

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
        return await create_key(session, account.id, FIRST_KEY, now)

    print(f"API key: {write(create)}", flush=True)


@users.command("link")
def users_link(email: str) -> None:
    """Prints a link under which a password for the pages can be set; it works once, for an hour."""
    settings = Settings()

    async def make(session: Session) -> str:
        return await email_links.make(session, (await find_account(session, email)).id, "reset", utc_now())

    print(password_link(settings.address, write(make)), flush=True)


@keys.command("create")
def keys_create(
    email: str,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    days: Annotated[int | None, typer.Option(help="After how many days it expires; never unless given.", min=1)] = None,
) -> None:
    """Makes another API key and prints it."""

    async def create(session: Session) -> str:
        account, now = await find_account(session, email), utc_now()
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
    write(lambda session: revoke_key(session, key_id, utc_now()))
    print(f"{key_id} is revoked.", flush=True)


@credits_.command("grant")
def credits_grant(
    email: str,
    amount: Annotated[int, typer.Argument(min=1, max=1_000_000)],
    reason: Annotated[str, typer.Option(help="Why; it stands in the account's transactions.")],
) -> None:
    """Gives credits to an account."""

    async def grant(session: Session) -> int:
        account = await find_account(session, email)
        return await ledger.grant(session, account.id, amount, utc_now(), description=reason)

    print(f"{email} has {write(grant)} credits.", flush=True)
