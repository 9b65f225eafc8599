"""Pages of an account with 100,000 jobs, beside those of an account that has none; calls that list jobs and tell the
balance, beside those of an account with 1,000."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text

from aiops.accounts import sessions
from aiops.database.engine import Database
from aiops.runtime import utc_now
from tests.benchmarks.databases import CREDITS, Postgresql, prepare
from tests.benchmarks.servers import (
    Server,
    ServerTarget,
    get_request,
    page_request,
    service_variables,
    serving,
)
from tests.benchmarks.suite import Case, Suite

JOBS, FEWER_JOBS = 100_000, 1_000
COST = 5
SECONDS_BETWEEN = 25  # so that all are of the last 29 days
PATHS = ("/dashboard", "/jobs", "/transactions", "/api-keys", "/webhooks", "/playground/generate_image", "/docs")
READS = {
    "/api/jobs?limit=20": '"next_cursor":',
    "/api/account": '"credits":',
    "/api/credits/transactions": '"next_cursor":',
}

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :jobs)"
_AT = {
    "sqlite": "datetime('now', '-' || ((:jobs - i) * :seconds) || ' seconds')",
    "postgresql": "now() - (:jobs - i) * :seconds * interval '1 second'",
}
_PAST = (
    """INSERT INTO job (id, account_id, operation_id, request, credits, status, attempt, deadline_at, model, provider,
                        paid_call, progress, result, outputs, created_at, started_at, finished_at)
       {numbers} SELECT 'job_' || :of || i, 'acc_' || :of,
                        CASE i % 2 WHEN 0 THEN 'generate_image' ELSE 'generate_speech' END,
                        '{{"prompt": "A lighthouse on a cliff at sunset"}}', :cost, 'succeeded', 1, {at}, 'm', 'stub',
                        false, 1.0, '{{"text": "what was said", "success": true}}', '{{}}', {at}, {at}, {at}
                   FROM n""",
    """INSERT INTO entry (account_id, kind, amount, balance_after, job_id, created_at)
       {numbers}, kinds(kind, share) AS (SELECT 'hold', 1 UNION ALL SELECT 'capture', 0)
                 SELECT 'acc_' || :of, kind, -:cost * share, :credits - :cost * i, 'job_' || :of || i, {at}
                   FROM n CROSS JOIN kinds ORDER BY i, share DESC""",
    "UPDATE account SET credits = :credits - :cost * :jobs WHERE id = 'acc_' || :of",
)


@contextmanager
def pages(folder: Path, server: Postgresql) -> Iterator[Suite]:
    """Starts a server on each database, and stops them at the end."""
    urls = {"SQLite": f"sqlite:///{folder / 'pages.sqlite3'}", "PostgreSQL": server.create("pages")}
    cases = []
    with ExitStack() as stack:
        for name, url in urls.items():
            past = asyncio.run(_make_past(url))
            running = stack.enter_context(serving("service", folder / f"pages_{name}", service_variables(url)))
            for path in PATHS:
                new, full = f"{path}, no jobs, {name}", f"{path}, {name}"
                cases.append(Case(_page(new, running, path, past.sessions[2]), connections_max=1))
                cases.append(Case(_page(full, running, path, past.sessions[0]), {"less": new}, connections_max=1))
            for path, mark in READS.items():
                fewer, many = f"{path}, {FEWER_JOBS:,} jobs, {name}", f"{path}, {name}"
                requests = [get_request(path, key) for key in past.keys]
                cases.append(Case(ServerTarget(fewer, running, requests[1:2], mark), connections_max=1))
                cases.append(Case(ServerTarget(many, running, requests[:1], mark), {"less": fewer}, connections_max=1))
        yield Suite("pages", cases, {f"pages, {name}": url for name, url in urls.items()}, [], share_of_time=0.25)


class Past(NamedTuple):
    """Three accounts, with 100,000 jobs, with 1,000, and with none: their keys, and the cookies of their sessions."""

    keys: list[str]
    sessions: list[str]


def _page(name: str, server: Server, path: str, session: str) -> ServerTarget:
    return ServerTarget(name, server, [page_request(path, session)], "</html>")


async def _make_past(url: str) -> Past:
    """Gives the first two accounts their jobs."""
    keys = await prepare(url, 3)
    database = Database(url)
    try:
        for number, jobs in enumerate((JOBS, FEWER_JOBS)):
            await _make_jobs(database, number, jobs)
        async with database.write() as session:
            cookies = [await sessions.begin(session, f"acc_{number}", utc_now()) for number in range(3)]
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("ANALYZE")
            await connection.commit()
        return Past(keys, cookies)
    finally:
        await database.close()


async def _make_jobs(database: Database, number: int, jobs: int) -> None:
    values = {"of": str(number), "jobs": jobs, "seconds": SECONDS_BETWEEN, "cost": COST, "credits": CREDITS}
    at = _AT["sqlite" if database.is_sqlite else "postgresql"]
    async with database.write() as session:
        for statement in _PAST:
            prepared = statement.format(numbers=_NUMBERS, at=at)
            await session.execute(text(prepared), {name: values[name] for name in values if f":{name}" in prepared})
