"""Calls over HTTP: two databases of the service, one of pgbench, three servers."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks import statements
from tests.benchmarks.databases import ACCOUNTS, PLANS, Postgresql, prepare, queue_jobs
from tests.benchmarks.measured import Pace
from tests.benchmarks.pgbench import CALL, CONNECTIONS_MAX, PgbenchTarget
from tests.benchmarks.servers import ServerTarget, call_request, service_variables, serving
from tests.benchmarks.suite import Case, Suite

BARE = "bare FastAPI route"
PGBENCH = "pgbench, the same SQL"
PGBENCH_ONE = "pgbench, one account"
SQLITE = "aiops, SQLite"
POSTGRESQL = "aiops, PostgreSQL"
ACCEPTED = "202, {}"
POSTGRESQL_ONE = "aiops, PostgreSQL, one account"

ASYNC = "Prefer: respond-async"
QUEUED = '"id":"job_'

PAST_CALLS = 5000
QUEUED_JOBS = 2 * CONNECTIONS_MAX
COUNTING_CONNECTIONS = 32  # enough that the worker always finds a job and asks for none in vain
COUNTING_PACE = Pace(ramp_seconds=0, seconds=4)  # the first calls of a new server are slow


@contextmanager
def calls(folder: Path, server: Postgresql) -> Iterator[Suite]:
    """Starts the servers, and stops them at the end.

    One account instead of several matters where calls wait for its row, that is, on PostgreSQL and from two calls at a
    time on; on SQLite all writers wait in one line anyway.
    """
    plans = folder / "plans.yaml"
    plans.write_text(PLANS)
    sqlite_url = f"sqlite:///{folder / 'aiops.sqlite3'}"
    with ExitStack() as stack:
        keys = _make_past(server, plans)
        drift = _drift(server, folder, plans, keys)
        pgbench_url, url = server.create("pgbench", "past"), server.create("aiops", "past")
        sqlite_keys = asyncio.run(prepare(sqlite_url))
        servers = {
            BARE: stack.enter_context(serving("bare", folder / "bare")),
            SQLITE: stack.enter_context(serving("service", folder / "sqlite", _variables(sqlite_url, plans))),
            POSTGRESQL: stack.enter_context(serving("service", folder / "aiops", _variables(url, plans))),
        }
        aiops, program = servers[POSTGRESQL], server.programs / "pgbench"
        requests = [call_request(key) for key in keys]
        accepted = [call_request(key, ASYNC) for key in keys]
        sqlite_accepted = [call_request(key, ASYNC) for key in sqlite_keys]
        both, both_one = {"bare": BARE, "pgb.": PGBENCH}, {"bare": BARE, "pgb.": PGBENCH_ONE}
        cases = [
            Case(ServerTarget(BARE, servers[BARE], requests)),
            Case(PgbenchTarget(PGBENCH, program, CALL, pgbench_url, ACCOUNTS)),
            Case(ServerTarget(SQLITE, servers[SQLITE], [call_request(key) for key in sqlite_keys]), {"bare": BARE}),
            Case(ServerTarget(POSTGRESQL, aiops, requests), both),
            Case(
                ServerTarget(ACCEPTED.format("SQLite"), servers[SQLITE], sqlite_accepted, QUEUED, 202), {"bare": BARE}
            ),
            Case(ServerTarget(ACCEPTED.format("PostgreSQL"), aiops, accepted, QUEUED, 202), {"bare": BARE}),
            Case(PgbenchTarget(PGBENCH_ONE, program, CALL, pgbench_url, 1), connections_min=2),
            Case(ServerTarget(POSTGRESQL_ONE, aiops, requests[:1]), both_one, connections_min=2),
        ]
        databases = {SQLITE: sqlite_url, POSTGRESQL: url, PGBENCH: pgbench_url}
        yield Suite("calls", cases, databases, drift, servers)


def _variables(database_url: str, plans: Path) -> dict[str, str]:
    return {**service_variables(database_url), "AIOPS_PLANS_FILE": str(plans)}


def _make_past(server: Postgresql, plans: Path) -> list[str]:
    """Makes two databases with accounts: `counted_calls`, and `past`, where many calls have been answered.

    So PostgreSQL's plans are steady from the start; some jobs are left in the queue for pgbench.
    """
    url = server.create("past")
    keys = asyncio.run(prepare(url))
    server.create("counted_calls", "past", is_logged=True)
    server.execute(
        """INSERT INTO api_key (id, account_id, name, digest, prefix, last_four, created_at, last_used_at)
           SELECT 'of_pgbench_' || id, account_id, name, 'digest_of_' || account_id, prefix, last_four, now(), now()
             FROM api_key""",
        url,
    )
    asyncio.run(queue_jobs(url, plans, QUEUED_JOBS))
    PgbenchTarget(PGBENCH, server.programs / "pgbench", CALL, url, ACCOUNTS).fill(PAST_CALLS)
    server.execute("VACUUM ANALYZE", url)
    return keys


def _drift(server: Postgresql, folder: Path, plans: Path, keys: list[str]) -> list[str]:
    """How `call.sql` differs from what a server sends."""
    url = server.url_of("counted_calls")
    with serving("service", folder / "counted", _variables(url, plans)) as running:
        ServerTarget(POSTGRESQL, running, [call_request(key) for key in keys]).measure(
            COUNTING_CONNECTIONS, COUNTING_PACE
        )
        return statements.drift(CALL, server, "counted_calls")
