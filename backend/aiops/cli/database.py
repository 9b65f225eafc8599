"""`aiops db` and `aiops ledger`: the database, and whether what stands in it is right."""

from pathlib import Path
from typing import Annotated

import typer

from aiops.cli.running import upgrade_database, with_database
from aiops.database.backup import back_up
from aiops.database.engine import Database
from aiops.ledger.verify import missing_files, verify
from aiops.runtime import utc_now
from aiops.settings import Settings
from aiops.storage.location import open_store

ledger_ = typer.Typer(no_args_is_help=True, help="The ledger.")
database_ = typer.Typer(no_args_is_help=True, help="The database.")


@ledger_.command("verify")
def ledger_verify() -> None:
    """Computes every balance anew and looks for every file; says what is off and ends with 1 if anything is."""
    settings = Settings()
    store = open_store(settings.storage_url, settings.files_dir)

    async def check(database: Database) -> list[str]:
        now = utc_now()
        findings = await verify(database, now, grace_seconds=settings.reaper_seconds, unlimited=True)
        return findings + await missing_files(database, store, now)

    findings = with_database(check)
    print("\n".join(findings) or "The ledger is in order.", flush=True)
    if findings:
        raise typer.Exit(1)


@database_.command("upgrade")
def database_upgrade() -> None:
    """Brings the database up to date."""
    upgrade_database(Settings())
    print("The database is up to date.", flush=True)


@database_.command("backup")
def database_backup(
    file: Annotated[Path, typer.Argument(help="Where to; nothing may be there yet.")],
) -> None:
    """Copies the SQLite database to a file, also while it is served."""
    back_up(Settings().database, file)
    print(f"The database is copied to {file}.", flush=True)
