"""Callers without HTTP, in a process of their own: `python -m tests.benchmarks.callers` reads an `Order` a line.

It answers each with a line of `Measured`. The callers share one event loop and one `Database`, as those of a server do,
and call the service's own functions.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlmodel import SQLModel

from aiops.accounts.authentication import Caller
from aiops.accounts.plans import FILE_LIMITS
from aiops.contract.models import Limits
from aiops.database.engine import Database
from aiops.identifiers import new_id
from aiops.jobs.submission import Submission, submit
from aiops.ledger import ledger
from aiops.runtime import utc_now
from tests.benchmarks.load import Measured

COST = 5
JOB_TIME = timedelta(days=1)
WORK: Mapping[str, Any] = {
    "operation_id": "generate_image",
    "request": {"prompt": "A lighthouse on a cliff at sunset", "aspect_ratio": "1:1", "style": "none"},
    "model": "black-forest-labs/FLUX.1-schnell",
}
UNLIMITED = Limits(
    monthly_credits=1,
    requests_per_minute=1_000_000,
    jobs_at_once=10_000,
    jobs_queued=100_000,
    audio_minutes=1,
    **FILE_LIMITS,
)
_QUEUE = insert(SQLModel.metadata.tables["job"])
# Every submission counts what its account has queued: what one run leaves there, the next would pay for.
_SETTLE = (
    """INSERT INTO entry (account_id, kind, amount, balance_after, job_id, created_at)
       SELECT job.account_id, 'capture', 0, account.credits, job.id, CURRENT_TIMESTAMP
         FROM job JOIN account ON account.id = job.account_id WHERE job.status = 'queued'""",
    "UPDATE account SET held = 0 WHERE held > 0",
    "UPDATE job SET status = 'succeeded', finished_at = CURRENT_TIMESTAMP WHERE status = 'queued'",
)


@dataclass(frozen=True, slots=True)
class Order:
    """`act` is `hold` or `submit`, by so many callers at a time, each time for any of the first `accounts` accounts."""

    act: str
    database_url: str
    accounts: int
    callers: int
    ramp_seconds: float
    seconds: float


async def hold(database: Database, account_id: str) -> None:
    """The transaction of a hold, with no more than the ledger asks for: the job that the hold is for."""
    now, job_id = utc_now(), new_id("job")
    job = {"id": job_id, "account_id": account_id, "credits": COST, "deadline_at": now + JOB_TIME, "created_at": now}
    async with database.write() as session:
        await session.execute(_QUEUE, {**job, **WORK})
        await ledger.hold(session, account_id, job_id, COST, now)


async def accept(database: Database, account_id: str) -> None:
    """All that the service does to accept a call, once it knows the caller."""
    now = utc_now()
    call = Submission(caller=Caller(account_id, UNLIMITED), cost=COST, deadline_at=now + JOB_TIME, **WORK)
    outcome = await submit(database, call, now)
    if outcome.error is not None:
        raise outcome.error


ACTS: Mapping[str, Callable[[Database, str], Awaitable[None]]] = {"hold": hold, "submit": accept}


async def follow(order: Order) -> Measured:
    database = Database(order.database_url)
    try:
        measured = await _measure(database, order)
        await _settle(database)
    finally:
        await database.close()
    return measured


async def _measure(database: Database, order: Order) -> Measured:
    act, latencies_ms = ACTS[order.act], list[float]()
    starts_at = time.perf_counter() + order.ramp_seconds
    ends_at = starts_at + order.seconds

    async def call_again_and_again() -> None:
        while (began_at := time.perf_counter()) < ends_at:
            await act(database, f"acc_{random.randrange(order.accounts)}")
            ended_at = time.perf_counter()
            if starts_at <= ended_at < ends_at:
                latencies_ms.append((ended_at - began_at) * 1000)

    async with asyncio.TaskGroup() as callers:
        for _ in range(order.callers):
            callers.create_task(call_again_and_again())
        await asyncio.sleep(order.ramp_seconds)
        cpu_seconds = time.process_time()
        await asyncio.sleep(order.seconds)
        cpu_seconds = time.process_time() - cpu_seconds
    return Measured(order.seconds, latencies_ms, server_cpu_seconds=cpu_seconds)


async def _settle(database: Database) -> None:
    async with database.write() as session:
        for statement in _SETTLE:
            await session.execute(text(statement))


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(asdict(asyncio.run(follow(Order(**json.loads(line)))))), flush=True)
