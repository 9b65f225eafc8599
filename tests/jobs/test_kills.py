"""A server that is killed again and again while it sells: nothing is leaked, and nothing paid for is lost."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from aiops.accounts.plans import load_plans
from aiops.contract.document import Document
from aiops.database.engine import Database
from aiops.database.tables import OPEN_STATUSES, Account, Entry, File, Job
from aiops.ledger.verify import missing_files, verify
from aiops.runtime import utc_now
from aiops.storage.files import FileStore
from tests.fixtures.contract import ContractCheck
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE, until

KILLS = 20
CUSTOMERS = 6
OPENING_CREDITS = 1_000_000
SECONDS_BETWEEN_KILLS = (0.05, 0.6)


@pytest.mark.timeout(300)
async def test_a_server_that_is_killed_again_and_again(tmp_path: Path, database_url: str) -> None:
    plans = tmp_path / "plans.yaml"
    limits = "monthly_credits: 1, requests_per_minute: 100000, jobs_at_once: 50, jobs_queued: 1000, audio_minutes: 1"
    plans.write_text(f"free: {{{limits}}}\n")
    options = {
        "AIOPS_PLANS_FILE": str(plans),
        "AIOPS_LEASE_SECONDS": "1",
        "AIOPS_REAPER_SECONDS": "0.2",
        "STUB_DELAY_SECONDS": "0.03",
        "STUB_FAILURES": "0.2",
    }
    with stub_server(tmp_path, database_url, **options) as server:
        account_id, key = await make_customer(database_url, load_plans(plans), plan="free", credits=OPENING_CREDITS)
        await _sell_under_fire(server, key)
        database = Database(database_url)
        try:
            await until(lambda: _all_ended(database))
            assert await verify(database, utc_now(), grace_seconds=1) == []
            assert await missing_files(database, FileStore(tmp_path / "files"), utc_now()) == []
            await _check_account(database, account_id)
            await _check_outputs(database, server, key)
        finally:
            await database.close()


async def _sell_under_fire(server: StubServer, key: str) -> None:
    """Customers call without a pause while the server is killed; the last one to be started stays."""
    process = server.start()
    async with _customers(server, key):
        for _ in range(KILLS):
            await _is_up(server)
            await asyncio.sleep(random.uniform(*SECONDS_BETWEEN_KILLS))
            server.kill(process)
            process = server.start()
        await _is_up(server)


async def _is_up(server: StubServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        assert (await client.get("/health")).status_code == 200


@asynccontextmanager
async def _customers(server: StubServer, key: str) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_buy(server, key, number)) for number in range(CUSTOMERS)]
        yield
        for task in tasks:
            task.cancel()


async def _buy(server: StubServer, key: str, number: int) -> None:
    contract = ContractCheck(Document())
    headers = {"Authorization": f"Bearer {key}"}
    hooks: dict[str, list[Callable[..., Any]]] = {"response": [contract]}
    order = 0
    async with httpx.AsyncClient(base_url=server.url, headers=headers, event_hooks=hooks, timeout=30) as client:
        while True:
            order += 1
            try:
                await client.post(
                    IMAGE, json={"prompt": f"order {order}"}, headers={"Idempotency-Key": f"{number}-{order}"}
                )
            except httpx.TransportError:
                order -= random.randint(0, 1)  # the answer is lost: half of the customers' tools repeat the call


async def _all_ended(database: Database) -> bool:
    async with database.read() as session:
        is_open = select(func.count()).where(col(Job.status).in_(OPEN_STATUSES))
        return (await session.execute(is_open)).scalar_one() == 0


async def _check_account(database: Database, account_id: str) -> None:
    async with database.read() as session:
        account = (await session.execute(select(Account).where(col(Account.id) == account_id))).scalar_one()
        captured = select(func.count()).where(col(Entry.kind) == "capture")
        sold = (await session.execute(captured)).scalar_one()
    assert sold > KILLS, "the customers hardly got through: the test has shown little"
    assert (account.credits, account.held) == (OPENING_CREDITS - 5 * sold, 0)


async def _check_outputs(database: Database, server: StubServer, key: str) -> None:
    """Every captured job's output is fetched as a customer would, and is what was stored."""
    async with database.read() as session:
        files = {file.job_id: file for file in (await session.execute(select(File))).scalars()}
        succeeded = await session.execute(select(col(Job.id)).where(col(Job.status) == "succeeded"))
        assert set(succeeded.scalars()) == set(files)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
        cursor: str | None = ""
        while cursor is not None:
            page = (
                await client.get("/api/jobs", params={"limit": 100, **({"cursor": cursor} if cursor else {})})
            ).json()
            cursor = page["next_cursor"]
            for job in page["data"]:
                if job["status"] == "succeeded":
                    content = (await client.get(job["result"]["image_url"], headers={"Authorization": ""})).content
                    assert len(content) == files[job["id"]].size_bytes
                    assert hashlib.sha256(content).hexdigest() == files[job["id"]].sha256
