"""Everything that is measured, set up side by side: two databases of the service, one of pgbench, three servers."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import statements
from tests.benchmarks.databases import ACCOUNTS, PLANS, Postgresql, findings, postgresql, prepare, queue_jobs
from tests.benchmarks.measured import Pace, Target
from tests.benchmarks.pgbench import CONNECTIONS_MAX, SCRIPT, PgbenchTarget
from tests.benchmarks.servers import Server, ServerTarget, serving

BARE = "bare FastAPI route"
PGBENCH = "pgbench, the same SQL"
PGBENCH_ONE = "pgbench, one account"
SQLITE = "aiops, SQLite"
POSTGRESQL = "aiops, PostgreSQL"
POSTGRESQL_ONE = "aiops, PostgreSQL, one account"

PAST_CALLS = 5000
QUEUED_JOBS = 2 * CONNECTIONS_MAX
COUNTING_CONNECTIONS = 32  # enough that the worker always finds a job and asks for none in vain
COUNTING_PACE = Pace(ramp_seconds=0, seconds=2)


@dataclass(frozen=True, slots=True)
class Case:
    """A target and what it is held against.

    One account instead of several matters where calls wait for its row, that is, on PostgreSQL and from two calls at a
    time on; on SQLite all writers wait in one line anyway.
    """

    target: Target
    bare: str | None = None
    pgbench: str | None = None
    connections_min: int = 1


@dataclass(frozen=True, slots=True)
class Bench:
    """`servers` are those whose memory counts; `databases` those whose ledger must be in order at the end."""

    cases: list[Case]
    servers: Mapping[str, Server]
    databases: Mapping[str, str]
    drift: list[str]

    def findings(self) -> list[str]:
        """What is off in the ledgers, once the last jobs are done."""
        return [f"{name}: {finding}" for name, url in self.databases.items() for finding in asyncio.run(findings(url))]


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Starts it all below `folder`, and stops it at the end."""
    plans = folder / "plans.yaml"
    plans.write_text(PLANS)
    sqlite_url = f"sqlite:///{folder / 'aiops.sqlite3'}"
    with ExitStack() as stack:
        server = stack.enter_context(postgresql(folder / "postgresql"))
        keys = _make_past(server, plans)
        drift = _drift(server, folder, plans, keys)
        pgbench_url, url = server.create("pgbench", "past"), server.create("aiops", "past")
        sqlite_keys = asyncio.run(prepare(sqlite_url))
        servers = {
            BARE: stack.enter_context(serving("bare", folder / "bare")),
            SQLITE: stack.enter_context(serving("service", folder / "sqlite", _variables(sqlite_url, plans))),
            POSTGRESQL: stack.enter_context(serving("service", folder / "aiops", _variables(url, plans))),
        }
        program = server.programs / "pgbench"
        cases = [
            Case(ServerTarget(BARE, servers[BARE], keys)),
            Case(PgbenchTarget(PGBENCH, program, pgbench_url, ACCOUNTS)),
            Case(ServerTarget(SQLITE, servers[SQLITE], sqlite_keys), BARE),
            Case(ServerTarget(POSTGRESQL, servers[POSTGRESQL], keys), BARE, PGBENCH),
            Case(PgbenchTarget(PGBENCH_ONE, program, pgbench_url, 1), connections_min=2),
            Case(ServerTarget(POSTGRESQL_ONE, servers[POSTGRESQL], keys[:1]), BARE, PGBENCH_ONE, connections_min=2),
        ]
        yield Bench(cases, servers, {SQLITE: sqlite_url, POSTGRESQL: url, PGBENCH: pgbench_url}, drift)


def _variables(database_url: str, plans: Path) -> dict[str, str]:
    return {
        "AIOPS_DATABASE_URL": database_url,
        "AIOPS_SECRET_KEY": "secret of the benchmark",
        "AIOPS_PLANS_FILE": str(plans),
    }


def _make_past(server: Postgresql, plans: Path) -> list[str]:
    """Makes two databases with accounts: `counted`, and `past`, where many calls have been answered.

    So PostgreSQL's plans are steady from the start; some jobs are left in the queue for pgbench.
    """
    url = server.create("past")
    keys = asyncio.run(prepare(url))
    server.create("counted", "past")
    server.execute("ALTER DATABASE counted SET log_statement = 'all'")
    server.execute(
        """INSERT INTO api_key (id, account_id, name, digest, prefix, last_four, created_at, last_used_at)
           SELECT 'of_pgbench_' || id, account_id, name, 'digest_of_' || account_id, prefix, last_four, now(), now()
             FROM api_key""",
        url,
    )
    asyncio.run(queue_jobs(url, plans, QUEUED_JOBS))
    PgbenchTarget(PGBENCH, server.programs / "pgbench", url, ACCOUNTS).fill(PAST_CALLS)
    server.execute("VACUUM ANALYZE", url)
    return keys


def _drift(server: Postgresql, folder: Path, plans: Path, keys: list[str]) -> list[str]:
    """How `call.sql` differs from what a server sends."""
    url = server.url_of("counted")
    with serving("service", folder / "counted", _variables(url, plans)) as running:
        ServerTarget("aiops", running, keys).measure(COUNTING_CONNECTIONS, COUNTING_PACE)
        call = statements.of_call(server, "counted")
    return statements.differences(statements.of_script(SCRIPT), call)
