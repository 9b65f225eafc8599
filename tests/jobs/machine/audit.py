"""Holds a database and its folder of files against the invariants of the ledger, and against the model of `market`."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from aiops.database import tables
from aiops.database.engine import Database
from aiops.jobs.listing import TRANSACTION_TYPES
from aiops.ledger.verify import missing_files, verify
from aiops.storage.folder import FolderStore
from tests.jobs.machine.market import ATTEMPTS_MAX, REAPER_PERIOD, Market, Move

SETTLED_BY = {"queued": [], "running": [], "succeeded": ["capture"], "failed": ["release"], "cancelled": ["release"]}


@dataclass(frozen=True)
class Records:
    """All rows, read in one transaction."""

    accounts: list[tables.Account]
    entries: list[tables.Entry]
    jobs: list[tables.Job]
    files: list[tables.File]
    keys: list[tables.IdempotencyKey]


async def audit(database: Database, store: FolderStore, market: Market) -> list[str]:
    """What is off, a sentence each; empty where all is well."""
    records = await _read(database)
    findings = await verify(database, market.now, REAPER_PERIOD.seconds)
    overdue = {f"job {job.id}: still {job.status}, although its lease or its time ran out" for job in market.overdue()}
    return [
        *_sums(records),
        *_settlements(records),
        *_limits(records, market),
        *_outputs(records, store),
        *_differences(records, store, market),
        *_differ("verify", set(findings), overdue),
        *await missing_files(database, store, market.now),
    ]


async def _read(database: Database) -> Records:
    async with database.read() as session:
        return Records(
            list((await session.execute(select(tables.Account))).scalars()),
            list((await session.execute(select(tables.Entry).order_by(col(tables.Entry.id)))).scalars()),
            list((await session.execute(select(tables.Job))).scalars()),
            list((await session.execute(select(tables.File))).scalars()),
            list((await session.execute(select(tables.IdempotencyKey))).scalars()),
        )


def _sums(records: Records) -> Iterator[str]:
    """Credits are the sum of the amounts, of all and of those that are shown; what is held, of the open holds."""
    settled = {entry.job_id for entry in records.entries if entry.kind in ("capture", "release")}
    for account in records.accounts:
        entries = [entry for entry in records.entries if entry.account_id == account.id]
        yield from _differ("credits", account.credits, sum(entry.amount for entry in entries))
        yield from _differ(
            "shown", account.credits, sum(entry.amount for entry in entries if entry.kind in TRANSACTION_TYPES)
        )
        held = -sum(entry.amount for entry in entries if entry.kind == "hold" and entry.job_id not in settled)
        yield from _differ("held", account.held, held)
        if account.credits < 0 or account.held < 0:
            yield f"below zero: {account}"


def _settlements(records: Records) -> Iterator[str]:
    """A job has one hold, and one of capture and release once it has ended."""
    for job in records.jobs:
        entries = [entry for entry in records.entries if entry.job_id == job.id]
        yield from _differ("holds", [entry.amount for entry in entries if entry.kind == "hold"], [-job.credits])
        kinds = [entry.kind for entry in entries if entry.kind != "hold"]
        yield from _differ(f"settlement of a {job.status} job", kinds, SETTLED_BY[job.status])


def _limits(records: Records, market: Market) -> Iterator[str]:
    running = Counter(job.account_id for job in records.jobs if job.status == "running")
    for account in records.accounts:
        if running[account.id] > market.plans[account.plan].jobs_at_once:
            yield f"{running[account.id]} jobs of an account on the plan {account.plan} are running"
    for job in records.jobs:
        if job.attempt > ATTEMPTS_MAX:
            yield f"attempt {job.attempt}"


def _outputs(records: Records, store: FolderStore) -> Iterator[str]:
    """What is recorded is of a job that has succeeded, and it lies there as it was recorded."""
    succeeded = {job.id for job in records.jobs if job.status == "succeeded"}
    for file in records.files:
        if file.job_id not in succeeded:
            yield f"the file {file.id} is of a job that has not succeeded"
        path = store.find(file.id)
        data = path.read_bytes() if path else b""
        recorded = (file.size_bytes, file.sha256)
        yield from _differ("content", (len(data), hashlib.sha256(data).hexdigest()), recorded)


def _differences(records: Records, store: FolderStore, market: Market) -> Iterator[str]:
    """Where the rows and the folder are not as the model has them."""
    yield from _differ(
        "accounts",
        {one.id: (one.credits, one.held, one.plan, one.granted_period) for one in records.accounts},
        {one.id: (one.credits, one.held, one.plan, one.month) for one in market.accounts.values()},
    )
    for account in market.accounts.values():
        moves = [_move(entry) for entry in records.entries if entry.account_id == account.id]
        yield from _differ("entries", moves, account.moves)
    yield from _differ(
        "jobs",
        {job.id: _job(job, job.credits, job.provider_request_id) for job in records.jobs},
        {job.id: _job(job, job.price, job.request_id) for job in market.jobs.values()},
    )
    yield from _differ(
        "files",
        {file.id: (file.job_id, file.expires_at) for file in records.files},
        {id_: (one.job_id, one.expires_at) for id_, one in market.contents.items() if one.job_id},
    )
    kept = {path.name: path.read_bytes() for path in store.folder.glob("*/*")}
    yield from _differ("folder", kept, {id_: content.data for id_, content in market.contents.items()})
    yield from _differ(
        "keys",
        {(key.account_id, key.key): (key.job_id, key.claimed_at) for key in records.keys},
        {(one.id, key): of for one in market.accounts.values() for key, of in one.keys.items()},
    )


def _move(entry: tables.Entry) -> Move:
    return Move(entry.kind, entry.amount, entry.balance_after, entry.job_id)


def _job(job: Any, price: int, request_id: str | None) -> tuple[Any, ...]:
    claimed = (job.attempt, job.lease_until)
    return job.account_id, job.status, price, request_id, claimed, job.failure, job.reason or ""


def _differ(what: str, found: Any, expected: Any) -> Iterable[str]:
    if found == expected:
        return []
    if isinstance(found, dict):
        keys = [key for key in {**found, **expected} if found.get(key) != expected.get(key)]
        return [f"{what}: {found.get(key)!r} instead of {expected.get(key)!r}" for key in keys]
    return [f"{what}: {found!r} instead of {expected!r}"]
