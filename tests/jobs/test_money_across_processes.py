"""What must hold when several server processes sell to one account at the same moment."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from aiops.accounts.plans import load_plans
from aiops.contract.document import api_document
from aiops.database.engine import Database
from aiops.ledger.verify import verify
from aiops.runtime import utc_now
from tests.fixtures.contract import ContractCheck
from tests.fixtures.forked import forked
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE, until

PROCESSES = 4
JOB_SLOTS = 8  # of each


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[StubServer]:
    plans = tmp_path / "plans.yaml"
    limits = "{monthly_credits: 1, requests_per_minute: 10000, jobs_at_once: 50, jobs_queued: 1000, audio_minutes: 1}"
    plans.write_text(f"free: {limits}\n")
    options = {"AIOPS_PLANS_FILE": str(plans), "STUB_DELAY_SECONDS": "0.01", "AIOPS_JOB_SLOTS": str(JOB_SLOTS)}
    with ExitStack() as stack:
        server = stack.enter_context(stub_server(tmp_path, database_url, **options))
        for _ in range(PROCESSES):
            stack.enter_context(forked(server))
        yield server


async def call(server: StubServer, key: str, bodies: list[dict[str, str]], **headers: str) -> list[httpx.Response]:
    """Sends all bodies at once, each over a connection of its own, so that every process gets some."""
    async with httpx.AsyncClient(
        base_url=server.url,
        headers={"Authorization": f"Bearer {key}", **headers},
        event_hooks={"response": [ContractCheck(api_document())]},
        limits=httpx.Limits(max_keepalive_connections=0, max_connections=None),
        timeout=120,
    ) as client:
        return await asyncio.gather(*(client.post(IMAGE, json=body) for body in bodies))


async def findings(server: StubServer) -> list[str]:
    database = Database(server.database_url)
    try:
        return await verify(database, utc_now(), 5)
    finally:
        await database.close()


async def make(server: StubServer, credits_: int) -> str:
    plans = load_plans(Path(server.environment["AIOPS_PLANS_FILE"]))
    _, key = await make_customer(server.database_url, plans, plan="free", credits=credits_)
    return key


@pytest.mark.parametrize(("balance", "calls"), [(52, 30), (4, 10), (100, 20)], ids=["some", "none", "all"])
async def test_no_more_is_sold_than_can_be_paid(server: StubServer, balance: int, calls: int) -> None:
    key = await make(server, balance)
    answers = await call(server, key, [{"prompt": str(number)} for number in range(calls)])
    paid = min(balance // 5, calls)
    assert Counter(answer.status_code for answer in answers) == Counter({200: paid, 402: calls - paid})
    for refused in (answer.json() for answer in answers if answer.status_code == 402):
        assert refused == {
            "error": "Insufficient credits",
            "code": "insufficient_credits",
            "credits": balance % 5 if paid else balance,
            "cost": 5,
        }
    assert server.calls == paid
    assert await findings(server) == []


async def test_a_call_that_is_repeated_a_hundred_times_at_once(server: StubServer) -> None:
    key = await make(server, 1000)
    answers = await call(server, key, [{"prompt": "a lighthouse"}] * 100, **{"Idempotency-Key": "order-1"})
    assert {answer.status_code for answer in answers} == {200}
    assert len({tuple(sorted(answer.json().items())) for answer in answers}) == 1
    assert Counter(answer.headers.get("idempotent-replayed") for answer in answers) == {None: 1, "true": 99}
    assert answers[0].json()["credits_remaining"] == 995
    assert server.calls == 1
    assert await findings(server) == []


async def test_the_processes_share_the_load(server: StubServer) -> None:
    """The tests above prove nothing unless more than one process takes part."""
    key = await make(server, 5000)
    with server.hold():
        calls = asyncio.create_task(call(server, key, [{"prompt": str(number)} for number in range(60)]))
        await until(lambda: are_more_than_one_has_slots_for(server))
    assert {answer.status_code for answer in await calls} == {200}
    assert len({process for _, process, _ in server.work}) > 1


async def are_more_than_one_has_slots_for(server: StubServer) -> bool:
    return server.calls > JOB_SLOTS
