"""What it costs to find the next job: a claim by the service's own function from queues of up to 100,000 jobs."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from aiops.accounts.plans import FILE_LIMITS, Plans
from aiops.contract.models import Limits
from aiops.database.engine import Database
from aiops.jobs import queue
from aiops.runtime import utc_now
from tests.benchmarks.callers import JOB_TIME
from tests.benchmarks.databases import Postgresql, prepare
from tests.benchmarks.measured import BenchmarkError, Pace, Run, run_of
from tests.benchmarks.suite import Case, Suite

FEW, MANY, ACCOUNTS = 100, 100_000, 1000
RUNNING = 40
AT_ONCE = 2  # of accounts at their limit
QUEUE = text(
    """INSERT INTO job (id, account_id, operation_id, request, credits, status, turn, attempt, deadline_at, paid_call,
                        outputs, created_at)
       VALUES (:id, :account_id, 'generate_image', '{}', 5, :status, :turn, 0, :until, FALSE, '{}', :at)"""
)


@dataclass(frozen=True, slots=True)
class Line:
    """`jobs` queued by `accounts` in turn; those of the first `at_limit` accounts may not be claimed, since as many as
    they may have are running. With `is_behind` those stand before all others, which only limits above ours make so."""

    jobs: int
    accounts: int
    at_limit: int = 0
    is_behind: bool = False


@dataclass(frozen=True, slots=True)
class ClaimTarget:
    """Claims that follow one another; each job is put back before the next is claimed, which is not measured."""

    name: str
    database_url: str
    plans: Plans

    def measure(self, connections: int, pace: Pace) -> Run:
        return asyncio.run(self._measure(pace))

    async def _measure(self, pace: Pace) -> Run:
        database = Database(self.database_url)
        latencies_ms: list[float] = []
        counted_from = time.monotonic() + pace.ramp_seconds
        try:
            while time.monotonic() < counted_from + pace.seconds:
                started = time.perf_counter()
                claim = await queue.claim(database, self.plans, "bench", 30, utc_now())
                if time.monotonic() > counted_from:
                    latencies_ms.append((time.perf_counter() - started) * 1000)
                if claim is None:
                    raise BenchmarkError(f"{self.name}: nothing was claimed")
                await _put_back(database, claim.job.id)
        finally:
            await database.close()
        return run_of(self.name, latencies_ms, sum(latencies_ms) / 1000)


async def _put_back(database: Database, job_id: str) -> None:
    async with database.write() as session:
        await session.execute(
            text("UPDATE job SET status = 'queued', attempt = 0, worker = NULL, lease_until = NULL WHERE id = :id"),
            {"id": job_id},
        )


async def _fill(database_url: str, line: Line) -> None:
    """The queue of a line, and the jobs that run."""
    await prepare(database_url, line.accounts)
    now = utc_now()
    common = {"until": now + JOB_TIME, "at": now}
    of = line.accounts
    turns = range(line.jobs) if line.is_behind else [one // of for one in range(line.jobs)]
    accounts = [one * of // line.jobs if line.is_behind else one % of for one in range(line.jobs)]
    queued = [(f"job_{one}", f"acc_{accounts[one]}", "queued", turns[one]) for one in range(line.jobs)]
    running = [(f"run_{one}", f"acc_{one // AT_ONCE}", "running", 0) for one in range(AT_ONCE * line.at_limit)]
    columns = ("id", "account_id", "status", "turn")
    jobs = [{**dict(zip(columns, job, strict=True)), **common} for job in queued + running]
    database = Database(database_url)
    async with database.write() as session:
        await session.execute(QUEUE, jobs)
    if not database.is_sqlite:
        async with database.write() as session:
            await session.execute(text("ANALYZE"))
    await database.close()


def _plans(line: Line) -> Plans:
    at_once = AT_ONCE if line.at_limit else 10_000
    limits = Limits(
        monthly_credits=1,
        requests_per_minute=1_000_000,
        jobs_at_once=at_once,
        jobs_queued=MANY,
        audio_minutes=1,
        **FILE_LIMITS,
    )
    return {"free": limits}


LINES = {
    f"{FEW} queued": Line(FEW, 1),
    f"{MANY:,} of one account": Line(MANY, 1),
    f"{MANY:,} of {ACCOUNTS:,} accounts": Line(MANY, ACCOUNTS),
    f"…, {RUNNING} of them at their limit": Line(MANY, ACCOUNTS, RUNNING),
    f"behind {MANY // 2:,} that may not run": Line(MANY, 2, 1, is_behind=True),
}


@contextmanager
def claims(folder: Path, server: Postgresql) -> Iterator[Suite]:
    """Fills a database for each kind of queue."""
    cases = []
    for kind in ("SQLite", "PostgreSQL"):
        few = f"{FEW} queued, {kind}"
        for number, (name, line) in enumerate(LINES.items()):
            url = (
                f"sqlite:///{folder / f'claims{number}.sqlite3'}"
                if kind == "SQLite"
                else server.create(f"claims{number}")
            )
            asyncio.run(_fill(url, line))
            target = ClaimTarget(f"{name}, {kind}", url, _plans(line))
            cases.append(Case(target, {"few": few}, connections_max=1))
    yield Suite("claims", cases, {}, [], share_of_time=0.5)
