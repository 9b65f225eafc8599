"""Pages of an account with 100,000 jobs, beside those of an account that has none."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import text

from aiops.accounts import sessions
from aiops.database.engine import Database
from aiops.runtime import utc_now
from tests.benchmarks.databases import CREDITS, Postgresql, prepare
from tests.benchmarks.servers import ServerTarget, page_request, service_variables, serving
from tests.benchmarks.suite import Case, Suite

JOBS = 100_000
COST = 5
SECONDS_BETWEEN = 25  # so that all are of the last 29 days
PATHS = ("/dashboard", "/jobs", "/transactions", "/api-keys", "/playground/generate_image", "/docs")

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :jobs)"
_AT = {
    "sqlite": "datetime('now', '-' || ((:jobs - i) * :seconds) || ' seconds')",
    "postgresql": "now() - (:jobs - i) * :seconds * interval '1 second'",
}
_PAST = (
    """INSERT INTO job (id, account_id, operation_id, request, credits, status, attempt, deadline_at, model, provider,
                        paid_call, progress, result, outputs, created_at, started_at, finished_at)
       {numbers} SELECT 'job_' || i, 'acc_0', CASE i % 2 WHEN 0 THEN 'generate_image' ELSE 'generate_speech' END,
                        '{{"prompt": "A lighthouse on a cliff at sunset"}}', :cost, 'succeeded', 1, {at}, 'm', 'stub',
                        false, 1.0, '{{"text": "what was said", "success": true}}', '{{}}', {at}, {at}, {at}
                   FROM n""",
    """INSERT INTO entry (account_id, kind, amount, balance_after, job_id, created_at)
       {numbers} SELECT 'acc_0', 'hold', -:cost, :credits - :cost * i, 'job_' || i, {at} FROM n ORDER BY i""",
    """INSERT INTO entry (account_id, kind, amount, balance_after, job_id, created_at)
       {numbers} SELECT 'acc_0', 'capture', 0, :credits - :cost * :jobs, 'job_' || i, {at} FROM n ORDER BY i""",
    "UPDATE account SET credits = :credits - :cost * :jobs WHERE id = 'acc_0'",
)


@contextmanager
def pages(folder: Path, server: Postgresql) -> Iterator[Suite]:
    """Starts a server on each database, and stops them at the end."""
    urls = {"SQLite": f"sqlite:///{folder / 'pages.sqlite3'}", "PostgreSQL": server.create("pages")}
    cases = []
    with ExitStack() as stack:
        for name, url in urls.items():
            busy, idle = asyncio.run(_make_past(url))
            running = stack.enter_context(serving("service", folder / f"pages_{name}", service_variables(url)))
            for path in PATHS:
                new, full = f"{path}, no jobs, {name}", f"{path}, {name}"
                cases.append(Case(ServerTarget(new, running, [page_request(path, idle)], "</html>"), connections_max=1))
                target = ServerTarget(full, running, [page_request(path, busy)], "</html>")
                cases.append(Case(target, {"no jobs": new}, connections_max=1))
        yield Suite("pages", cases, {f"pages, {name}": url for name, url in urls.items()}, [], share_of_time=0.25)


async def _make_past(url: str) -> tuple[str, str]:
    """Gives the first account its jobs; the cookies of the two who are signed in."""
    await prepare(url, 2)
    database = Database(url)
    values = {"jobs": JOBS, "seconds": SECONDS_BETWEEN, "cost": COST, "credits": CREDITS}
    at = _AT["sqlite" if database.is_sqlite else "postgresql"]
    try:
        async with database.write() as session:
            for statement in _PAST:
                prepared = statement.format(numbers=_NUMBERS, at=at)
                await session.execute(text(prepared), {name: values[name] for name in values if f":{name}" in prepared})
            busy, idle = [await sessions.begin(session, f"acc_{number}", utc_now()) for number in range(2)]
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("ANALYZE")
            await connection.commit()
        return busy, idle
    finally:
        await database.close()
