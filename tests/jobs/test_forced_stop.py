"""A server that is stopped by force while it works, and a caller that hangs up: nothing is lost or charged twice."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from aiops.accounts.plans import load_plans
from aiops.contract.document import api_document
from aiops.database.engine import Database
from aiops.ledger import ledger
from tests.fixtures.aftermath import Books, all_ended, check_books, read_books
from tests.fixtures.contract import ContractCheck
from tests.fixtures.forked import forked, has_died
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE, until

OPENING_CREDITS = 100
COST = 5
SLOW = {"AIOPS_LEASE_SECONDS": "1", "AIOPS_REAPER_SECONDS": "0.2", "STUB_DELAY_SECONDS": "600"}
STOP_SECONDS = 60
CONTRACT = ContractCheck(api_document())
TERMINATED, INTERRUPTED, KILLED = signal.SIGTERM, signal.SIGINT, signal.SIGKILL


class Shop:
    """A server over one database, and its one customer."""

    def __init__(self, server: StubServer, database: Database, key: str) -> None:
        self.server = server
        self.database = database
        self.key = key

    async def order(self, timeout_seconds: float = 60) -> httpx.Response | None:
        """The answer to the customer's call; None where it is lost."""
        async with httpx.AsyncClient(
            base_url=self.server.url,
            headers={"Authorization": f"Bearer {self.key}", "Idempotency-Key": "order-1"},
            event_hooks={"response": [CONTRACT]},
            timeout=timeout_seconds,
        ) as client:
            try:
                return await client.post(IMAGE, json={"prompt": "a lighthouse"})
            except httpx.TransportError:
                return None

    async def is_at_work(self) -> bool:
        return self.server.calls > 0

    async def order_anew(self) -> Books:
        """What the books say after the customer has called again, at a server that does the work."""
        with forked(self.server, STUB_DELAY_SECONDS="0", AIOPS_LEASE_SECONDS="30"):
            answer = await self.order()
            await all_ended(self.database, self.server)
            books = await check_books(self.database, self.server, self.key, OPENING_CREDITS)
        assert answer is not None
        assert answer.status_code == 200
        assert answer.json()["credits_remaining"] == OPENING_CREDITS - COST
        return books


@pytest.fixture
async def shop(tmp_path: Path, database_url: str) -> AsyncIterator[Shop]:
    plans = load_plans(None)
    with stub_server(tmp_path, database_url, **SLOW) as server:
        _, key = await make_customer(database_url, plans, plan="free", credits=OPENING_CREDITS)
        shop = Shop(server, Database(database_url), key)
        yield shop
        await shop.database.close()


@pytest.mark.parametrize(
    ("signals", "pause_seconds"),
    [
        ((TERMINATED, KILLED), 0.5),
        ((INTERRUPTED, INTERRUPTED), 0.2),
        pytest.param((TERMINATED, KILLED), 0, marks=pytest.mark.long),
        pytest.param((TERMINATED, KILLED), 1.1, marks=pytest.mark.long),  # when jobs are about to be handed back
        pytest.param((TERMINATED, TERMINATED), 0.2, marks=pytest.mark.long),
        pytest.param((TERMINATED, INTERRUPTED), 0.2, marks=pytest.mark.long),
    ],
)
async def test_a_job_whose_server_is_stopped_by_force(
    shop: Shop, signals: tuple[signal.Signals, ...], pause_seconds: float
) -> None:
    """It takes longer than the server would wait for: the next one does it, and it is charged once."""
    with forked(shop.server) as process:
        call = asyncio.create_task(shop.order())
        await until(shop.is_at_work)
        for number in signals:
            with contextlib.suppress(ProcessLookupError):  # it may have stopped by itself meanwhile
                os.kill(process.pid or 0, number)
            await asyncio.sleep(pause_seconds)
        await has_died(process, STOP_SECONDS)
        interrupted = await call
    assert interrupted is None or (interrupted.status_code, interrupted.json()["code"]) == (409, "job_running")
    books = await shop.order_anew()
    assert [job.status for job in books.jobs] == ["succeeded"]
    assert shop.server.calls == 2


async def test_a_call_that_is_cut_off_in_a_transaction(shop: Shop) -> None:
    """Nobody knows whether it has committed; the database is not left locked, and a repeat settles what it was."""
    with forked(shop.server) as process:
        async with httpx.AsyncClient(base_url=shop.server.url, timeout=30) as client:
            assert (await client.get("/health")).status_code == 200
        async with shop.database.write() as session:
            await ledger.lock_account(session, (await read_books(shop.database)).account.id)
            call = asyncio.create_task(shop.order())
            await asyncio.wait([call], timeout=1)
            for _ in range(2):
                os.kill(process.pid or 0, INTERRUPTED)
                await asyncio.sleep(0.2)
        await has_died(process, STOP_SECONDS)
        cut_off = await call
    assert cut_off is None or (cut_off.status_code, cut_off.json()["code"]) == (500, "internal_error")
    books = await shop.order_anew()
    assert len(books.captured) == len(books.jobs) == 1


async def test_a_job_whose_caller_hangs_up(shop: Shop) -> None:
    """The job goes on; who calls again under the same key gets its result."""
    shop.server.environment |= {"STUB_DELAY_SECONDS": "2", "AIOPS_LEASE_SECONDS": "30"}
    with forked(shop.server):
        assert await shop.order(timeout_seconds=0.5) is None
        books = await shop.order_anew()
    assert [job.status for job in books.jobs] == ["succeeded"]
    assert shop.server.calls == 1
