"""A server that is told to stop: every caller gets an answer, and nothing is lost or charged without one."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from aiops.accounts.plans import load_plans
from aiops.contract.document import api_document
from aiops.database.engine import Database
from aiops.database.tables import Account, Job
from aiops.ledger.verify import verify
from aiops.runtime import utc_now
from tests.fixtures.contract import ContractCheck
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE, until

CALLS = 12


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[StubServer]:
    with stub_server(tmp_path, database_url, STUB_DELAY_SECONDS="600") as server:
        yield server


async def test_callers_are_told_where_their_job_is(server: StubServer) -> None:
    _, key = await make_customer(server.database_url, load_plans(None), plan="business")
    process = server.start()
    database = Database(server.database_url)
    try:
        async with httpx.AsyncClient(
            base_url=server.url,
            headers={"Authorization": f"Bearer {key}"},
            event_hooks={"response": [ContractCheck(api_document())]},
            timeout=60,
        ) as client:
            calls = [asyncio.create_task(client.post(IMAGE, json={"prompt": str(one)})) for one in range(CALLS)]
            await until(lambda: _count(database, "running", 8))
            await until(lambda: _count(database, "queued", CALLS - 8))
            process.terminate()
            answers = await asyncio.gather(*calls)
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "job_running")}
        assert await asyncio.to_thread(process.wait, 30) in (0, -15)
        server.processes.remove(process)
        assert await _count(database, "queued", CALLS), "what was at work is handed back"
        assert {answer.json()["job_id"] for answer in answers} == await _ids(database)
        assert await verify(database, utc_now(), grace_seconds=0) == []
        async with database.read() as session:
            account = (await session.execute(select(Account))).scalar_one()
        assert (account.credits, account.held) == (5000 - 5 * CALLS, 5 * CALLS)
    finally:
        await database.close()


async def test_the_next_server_does_the_work(server: StubServer) -> None:
    """The first is stopped in the middle of the work; the answer waits under the Idempotency-Key."""
    _, key = await make_customer(server.database_url, load_plans(None), plan="business")
    order = {"Authorization": f"Bearer {key}", "Idempotency-Key": "order-1"}
    process = server.start()
    async with httpx.AsyncClient(base_url=server.url, headers=order, timeout=60) as client:
        call = asyncio.create_task(client.post(IMAGE, json={"prompt": "a lighthouse"}))
        await until(lambda: _is_called(server))
        process.terminate()
        interrupted = await call
        await asyncio.to_thread(process.wait, 30)
        server.processes.remove(process)
        server.environment["STUB_DELAY_SECONDS"] = "0"
        server.start()
        answer = await client.post(IMAGE, json={"prompt": "a lighthouse"})
    assert (interrupted.status_code, answer.status_code) == (409, 200)
    assert interrupted.json()["job_id"] == answer.json()["job_id"]
    assert answer.json()["credits_remaining"] == 4995


async def test_work_that_no_call_waits_for_may_be_finished(server: StubServer) -> None:
    _, key = await make_customer(server.database_url, load_plans(None), plan="business")
    server.environment |= {"STUB_DELAY_SECONDS": "0", "STUB_CONSTANTS": '{"aiops.app.FINISH_SECONDS": 60}'}
    process = server.start()
    database = Database(server.database_url)
    headers = {"Authorization": f"Bearer {key}", "Prefer": "respond-async"}
    try:
        with server.hold():
            async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
                accepted = await client.post(IMAGE, json={"prompt": "a lighthouse"})
            assert accepted.status_code == 202
            await until(lambda: _is_called(server))
            process.terminate()
            with pytest.raises(subprocess.TimeoutExpired):  # there is no call that it could wait for
                await asyncio.to_thread(process.wait, 2)
        assert await asyncio.to_thread(process.wait, 30) in (0, -15)
        server.processes.remove(process)
        async with database.read() as session:
            job = (await session.execute(select(Job))).scalar_one()
        assert (job.status, job.attempt) == ("succeeded", 1)
    finally:
        await database.close()


async def test_a_second_interrupt_hands_work_over_at_once(server: StubServer) -> None:
    _, key = await make_customer(server.database_url, load_plans(None), plan="business")
    server.environment["STUB_CONSTANTS"] = '{"aiops.app.FINISH_SECONDS": 600}'
    process = server.start()
    database = Database(server.database_url)
    headers = {"Authorization": f"Bearer {key}", "Prefer": "respond-async"}
    try:
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
            await client.post(IMAGE, json={"prompt": "a lighthouse"})
        await until(lambda: _is_called(server))
        process.send_signal(signal.SIGINT)
        process.terminate()  # one Ctrl-C is both, where there are several processes
        with pytest.raises(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, 2)
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, 30)
        server.processes.remove(process)
        assert await _count(database, "queued", 1)
    finally:
        await database.close()


async def _count(database: Database, status: str, jobs: int) -> bool:
    async with database.read() as session:
        counted = await session.execute(select(func.count()).where(col(Job.status) == status))
        return counted.scalar_one() == jobs


async def _ids(database: Database) -> set[str]:
    async with database.read() as session:
        return set((await session.execute(select(col(Job.id)))).scalars())


async def _is_called(server: StubServer) -> bool:
    return server.calls == 1
