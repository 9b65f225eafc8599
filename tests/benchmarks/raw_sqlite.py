"""The same SQL without the service on SQLite: the statements of `hold.sql` by the driver of the standard library."""

import random
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.measured import BenchmarkError, Pace, Run, run_of
from tests.benchmarks.statements import statements_of

PRAGMAS = ("synchronous = FULL", "foreign_keys = ON")
COST = 5


@dataclass(frozen=True, slots=True)
class RawSqliteTarget:
    """A database file with the accounts `acc_0` to `acc_N`. One connection: SQLite has one writer at a time."""

    name: str
    script: Path
    file: Path
    accounts: int

    def measure(self, connections: int, pace: Pace) -> Run:
        if connections != 1:
            raise BenchmarkError(f"{self.name}: is measured one at a time")
        statements = [statement.replace("BEGIN", "BEGIN IMMEDIATE") for statement in statements_of(self.script)]
        latencies_ms = []
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            starts_at = time.perf_counter() + pace.ramp_seconds
            while (began_at := time.perf_counter()) < starts_at + pace.seconds:
                self._run(connection, statements)
                if began_at >= starts_at:
                    latencies_ms.append((time.perf_counter() - began_at) * 1000)
            return run_of(self.name, latencies_ms, time.perf_counter() - starts_at)

    def _run(self, connection: sqlite3.Connection, statements: list[str]) -> None:
        """What a statement returns is there for the next ones by name, as pgbench's gset has it."""
        values = {"account": random.randrange(self.accounts), "number": random.randrange(10**11, 10**12), "cost": COST}
        for statement in statements:
            cursor = connection.execute(statement, values)
            if cursor.description is not None:
                (row,) = cursor.fetchall()
                values |= {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
