"""What the commands share: a database to work on, and one line for what their user has to mend."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar
from urllib.parse import urlencode

from aiops.administration import audit
from aiops.administration.audit import COMMAND_LINE, Act
from aiops.database.engine import Database, Session
from aiops.database.migrate import check_migrated, upgrade
from aiops.runtime import utc_now
from aiops.settings import Settings

BACKLOG = 2048
UNSTATED = "by the operator"

R = TypeVar("R")


def refuse(reason: str) -> NoReturn:
    """Ends the command."""
    print(f"aiops: {reason}", file=sys.stderr)
    sys.exit(1)


def write(act: Callable[[Session], Awaitable[R]]) -> R:
    """Runs one transaction on the configured database."""

    async def in_transaction(database: Database) -> R:
        async with database.write() as session:
            return await act(session)

    return with_database(in_transaction)


def with_database(act: Callable[[Database], Awaitable[R]]) -> R:
    """Opens the configured database, which has to be up to date; the embedded one is brought up to date."""
    settings = Settings()
    if settings.is_embedded:
        upgrade_database(settings)

    async def run() -> R:
        database = Database(settings.database)
        try:
            await check_migrated(database)
            return await act(database)
        finally:
            await database.close()

    return asyncio.run(run())


async def note(session: Session, action: str, account_id: str, detail: str) -> None:
    """Has the list of changes say what a command does about an account, where no reason is asked for."""
    await audit.record(session, Act(COMMAND_LINE, UNSTATED, utc_now()), action, account_id, detail)


def upgrade_database(settings: Settings) -> None:
    if settings.is_embedded:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database)


def listen(host: str, port: int, option: str) -> socket.socket:
    """A socket on which calls wait from now on, so what is printed can be used at once. `option` names the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        refuse(f"cannot listen on {host}, port {port}: {error.strerror}. Choose another port with {option}.")


def password_link(address: str, token: str) -> str:
    """Where a password for the pages can be set."""
    return f"{address}/reset-password?{urlencode({'token': token})}"
