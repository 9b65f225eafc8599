"""Holds: what the ledger does for each call, beside its own SQL, without HTTP and without a worker."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks import statements
from tests.benchmarks.databases import ACCOUNTS, Postgresql, prepare
from tests.benchmarks.functions import Callers, CallersTarget, calling
from tests.benchmarks.measured import Pace
from tests.benchmarks.pgbench import HOLD, PgbenchTarget
from tests.benchmarks.raw_sqlite import RawSqliteTarget
from tests.benchmarks.suite import Case, Suite

MANY = 1000
PGBENCH_ONE = "pgbench, one account"
PGBENCH_MANY = f"pgbench, {MANY:,} accounts"
RAW_SQLITE = "sqlite3, the same SQL"
SQLITE = "hold, SQLite"

PAST_PACE = Pace(ramp_seconds=0, seconds=2)
PAST_CALLERS = 8


@contextmanager
def holds(folder: Path, server: Postgresql) -> Iterator[Suite]:
    """Starts the process of the callers, and stops it at the end.

    `hold` is the transaction that takes one, `submit` the whole one in which a call is accepted; both are held against
    the SQL of a hold. SQLite has one writer at a time, so there one caller says it all.
    """
    sqlite_file = folder / "holds.sqlite3"
    sqlite_url = f"sqlite:///{sqlite_file}"
    asyncio.run(prepare(sqlite_url))
    with calling() as callers:
        url = _make_past(server, callers)
        drift = _drift(server, callers)
        pgbench_url, program = server.create("pgbench_holds", "holds"), server.programs / "pgbench"
        cases = [
            Case(PgbenchTarget(PGBENCH_ONE, program, HOLD, pgbench_url, 1)),
            Case(CallersTarget("hold, one account", callers, "hold", url, 1), {"SQL": PGBENCH_ONE}),
            Case(CallersTarget("submit, one account", callers, "submit", url, 1), {"SQL": PGBENCH_ONE}),
            Case(PgbenchTarget(PGBENCH_MANY, program, HOLD, pgbench_url, MANY)),
            Case(CallersTarget(f"hold, {MANY:,} accounts", callers, "hold", url, MANY), {"SQL": PGBENCH_MANY}),
            Case(CallersTarget(f"submit, {MANY:,} accounts", callers, "submit", url, MANY), {"SQL": PGBENCH_MANY}),
            Case(RawSqliteTarget(RAW_SQLITE, HOLD, sqlite_file, ACCOUNTS), connections_max=1),
            Case(CallersTarget(SQLITE, callers, "hold", sqlite_url, ACCOUNTS), {"SQL": RAW_SQLITE}, connections_max=1),
        ]
        databases = {"holds, SQLite": sqlite_url, "holds, PostgreSQL": url, "holds, pgbench": pgbench_url}
        yield Suite("holds", cases, databases, drift, share_of_time=0.5)


def _make_past(server: Postgresql, callers: Callers) -> str:
    """Makes the database `holds`, where calls have been accepted for many accounts, so that plans are steady."""
    url = server.create("holds")
    asyncio.run(prepare(url, MANY))
    CallersTarget("past", callers, "submit", url, MANY).measure(PAST_CALLERS, PAST_PACE)
    server.execute("VACUUM ANALYZE", url)
    return url


def _drift(server: Postgresql, callers: Callers) -> list[str]:
    """How `hold.sql` differs from what the ledger sends."""
    url = server.create("counted_holds", "holds", is_logged=True)
    CallersTarget("hold", callers, "hold", url, MANY).measure(PAST_CALLERS, PAST_PACE)
    return statements.drift(HOLD, server, "counted_holds")
