"""One database object for SQLite and PostgreSQL: `read()` and `write()` sessions.

SQLite is opened in WAL mode with synchronous FULL. A write begins with BEGIN IMMEDIATE, because a transaction that
reads first and then writes fails at once when another has written in between, and the busy timeout does not help
there. One lock per process lets writers wait in line instead of in SQLite's busy loop: the slowest write takes 40 ms
instead of 634 ms (measured at eight writers).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from psycopg.errors import QueryCanceled
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import SQLModel

Session = AsyncSession

POOL_SIZE = 5
POOL_OVERFLOW = 5
POOL_TIMEOUT_SECONDS = 10
SQLITE_BUSY_TIMEOUT_SECONDS = 30
CONNECT_TIMEOUT_SECONDS = 5
IDLE_SECONDS_UNCHECKED = 1
# A database that has vanished without a word is given up after so long, not after the two hours of the kernel.
CONNECTING: Mapping[str, int] = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "tcp_user_timeout": 15_000,  # milliseconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
# One row that somebody keeps locked must not take every connection; the recount of running jobs needs fresh snapshots.
POSTGRESQL_OPTIONS = (
    "-c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=30s"
    " -c default_transaction_isolation=read\\ committed -c timezone=UTC"
)


class CommitInDoubtError(SQLAlchemyError):
    """The database failed while it committed: the transaction is there whole or not at all; which, it has to tell."""


class Database:
    """Sessions over one engine; made once a process and closed with `close()`."""

    def __init__(self, url: str) -> None:
        self.url = async_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        self._writing = self.engine.execution_options(aiops_write=True)  # the same connections
        self._writer: AbstractAsyncContextManager[Any] = asyncio.Lock() if self.is_sqlite else nullcontext()

    @asynccontextmanager
    async def read(self, *, unlimited: bool = False) -> AsyncIterator[Session]:
        """A session that only reads. `unlimited` is for what reads everything: no statement is stopped by its limit."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            if unlimited and not self.is_sqlite:
                await session.execute(text("SET LOCAL statement_timeout = 0"))
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        """A session that is one transaction: committed at the end, rolled back by any exception.

        Raises:
            CommitInDoubtError: it may have been committed; any other exception says that it was not.
        """
        async with self._writer, AsyncSession(self._writing, expire_on_commit=False) as session:
            yield session
            await session.flush()
            await _commit(session)

    async def close(self) -> None:
        await self.engine.dispose()


async def _commit(session: Session) -> None:
    try:
        await session.commit()
    except (DBAPIError, OSError) as error:
        raise CommitInDoubtError("the database failed during a commit") from error


def ran_out_of_time(error: DBAPIError) -> bool:
    """Whether PostgreSQL stopped a statement that took longer than it may."""
    return isinstance(error.orig, QueryCanceled)


def dialect_of(session: Session) -> str:
    """`sqlite` or `postgresql`."""
    return session.get_bind().dialect.name


def insert_into(table: str, dialect: str) -> postgresql.Insert | sqlite.Insert:
    """The INSERT of a database that knows ON CONFLICT; both are written alike."""
    target = SQLModel.metadata.tables[table]
    return sqlite.insert(target) if dialect == "sqlite" else postgresql.insert(target)


def async_url(url: str) -> URL:
    """`url` with the driver that is used here: aiosqlite or psycopg.

    Raises:
        ValueError: neither SQLite nor PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("AIOPS_DATABASE_URL is not a URL, such as postgresql://user:password@host/database") from None
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
    if parsed.get_backend_name() not in drivers:
        raise ValueError("AIOPS_DATABASE_URL must begin with sqlite:// or postgresql://")
    return parsed.set(drivername=drivers[parsed.get_backend_name()])


def _engine(url: URL, connect_args: dict[str, Any]) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,
        connect_args=connect_args,
    )


def _postgresql_engine(url: URL) -> AsyncEngine:
    engine = _engine(
        url,
        connect_args={**CONNECTING, "options": POSTGRESQL_OPTIONS},
    )
    event.listen(engine.sync_engine, "checkin", _note_checkin)
    event.listen(engine.sync_engine, "checkout", _check_if_idle)
    return engine


def _note_checkin(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()


def _check_if_idle(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Has the pool take a new connection where one that was idle is gone. To ask at each checkout, as `pool_pre_ping`
    does, costs a fifth of the time that a call spends in the database."""
    idle_seconds = time.monotonic() - record.info.get("idle_since", time.monotonic())
    if idle_seconds < IDLE_SECONDS_UNCHECKED:
        return
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        cursor.close()
        connection.rollback()
    except connection.dbapi.Error as error:
        raise DisconnectionError from error


def _sqlite_engine(url: URL) -> AsyncEngine:
    engine = _engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions: `_begin_sqlite` does
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("aiops_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
