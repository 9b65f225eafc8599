"""Brings a database up to date with Alembic, and tells whether it is."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from aiops.database.engine import Database, async_url

MIGRATIONS = Path(__file__).with_name("migrations")


class MigrationError(Exception):
    """The database is not at the version this code needs."""


def upgrade(url: str, revision: str = "head") -> None:
    """Migrates the database up to a revision."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Migrates the database down to a revision; `base` is empty."""
    _run(url, lambda config: command.downgrade(config, revision))


async def check_migrated(database: Database) -> None:
    """Raises MigrationError where the database is not at the newest revision."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    async with database.engine.connect() as connection:
        current = await connection.run_sync(_current_revision)
    if current != head:
        raise MigrationError(f"The database is at revision {current}, this code needs {head}. Run `aiops db upgrade`.")


def _current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _run(url: str, act: Callable[[Config], None]) -> None:
    parsed = async_url(url)
    # Alembic runs synchronously: psycopg can, for SQLite it takes the driver of the standard library.
    engine = create_engine(parsed.set(drivername=parsed.drivername.removesuffix("+aiosqlite")))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            act(config)
    finally:
        engine.dispose()
