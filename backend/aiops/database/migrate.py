"""Brings a database up to date with Alembic, and tells whether it is."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, select, text
from sqlmodel import SQLModel

from aiops.database import tables  # noqa: F401 - fills the metadata
from aiops.database.engine import Database, async_url

MIGRATIONS = Path(__file__).with_name("migrations")
# Whoever waits for a table keeps all others waiting that come after: better to give up and be run again.
_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '5s'")
_OLDEST_CODE = select(SQLModel.metadata.tables["schema_compatibility"].c.oldest_code)


class MigrationError(Exception):
    """The database is not at a version that this code can use."""


def upgrade(url: str, revision: str = "head") -> None:
    """Migrates the database up to a revision."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Migrates the database down to a revision; `base` is empty."""
    _run(url, lambda config: command.downgrade(config, revision))


async def check_migrated(database: Database) -> None:
    """Checks that the database is at the newest revision, or at one from the future that this code can use as well:
    while servers are exchanged one by one, the old ones go on after the migration.

    Raises:
        MigrationError: it is older, or too new.
    """
    async with database.engine.connect() as connection:
        problem = await connection.run_sync(_problem)
    if problem is not None:
        raise MigrationError(problem)


def _problem(connection: Connection) -> str | None:
    scripts = _scripts()
    head = scripts.get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == head:
        return None
    if current is None or current in {script.revision for script in scripts.walk_revisions()}:
        return f"The database is at revision {current}, this code needs {head}. Run `aiops db upgrade`."
    oldest = connection.execute(_OLDEST_CODE).scalar_one()
    if oldest not in {script.revision for script in scripts.walk_revisions()}:
        return f"The database is at revision {current}, too new for this version of aiops. Install a newer one."
    return None


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _run(url: str, act: Callable[[Config], None]) -> None:
    parsed = async_url(url)
    # Alembic runs synchronously: psycopg can, for SQLite it takes the driver of the standard library.
    engine = create_engine(parsed.set(drivername=parsed.drivername.removesuffix("+aiosqlite")))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(_LOCK_TIMEOUT)
            config.attributes["connection"] = connection
            act(config)
    finally:
        engine.dispose()
