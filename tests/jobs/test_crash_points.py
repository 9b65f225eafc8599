"""A server that is killed at each boundary between two steps of a job, one after the other.

Each job is first worked without a crash, and the boundaries that it passes are recorded; then it is crashed at every
one of them, over a fresh database, and the next server has to put it right.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx
import pytest

from aiops.accounts.plans import load_plans
from aiops.contract.document import api_document
from aiops.database.engine import Database
from aiops.database.tables import Job
from tests.conftest import DATABASES
from tests.fixtures import crash_points
from tests.fixtures.aftermath import Books, all_ended, check_books, read_books
from tests.fixtures.contract import ContractCheck
from tests.fixtures.forked import forked, has_died
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE, until

OPENING_CREDITS = 100
COST = 5
CRASHES_AT_ONCE = 4
DEATH_SECONDS = 30
LEASES = {"AIOPS_LEASE_SECONDS": "1", "AIOPS_REAPER_SECONDS": "0.2"}
# So short a lease lapses in a live server too, when the machine is busy: then nobody must be there to see it.
BEFORE_THE_CRASH = {"AIOPS_REAPER_SECONDS": "60"}
SECOND_SERVER = {"AIOPS_LEASE_SECONDS": "3"}
LAST_SERVER = {"AIOPS_LEASE_SECONDS": "30", "STUB_DELAY_SECONDS": "0"}
PLANS = load_plans(None)
CONTRACT = ContractCheck(api_document())


def committed(name: str) -> tuple[str, str]:
    return f"before {name} commits", f"after {name} commits"


ASKED, ANSWERED = "before the provider is asked", "after the provider has answered"
CLAIMED = committed("queue.claim")
ACCEPTED = (*committed("submission.submit"), *CLAIMED)
FAILED = committed("queue.fail")
SUCCEEDED = (
    "before the file is stored",
    "within the file",
    "before the file is renamed",
    "after the file is renamed",
    "after the file is stored",
    *committed("queue.succeed"),
)
TOLD = ("before the answer", "within the answer", "after the answer")
PAID = committed("queue.note_provider")
NOTED = committed("queue.note_request_id")
RENEWED = committed("queue.renew")
REAPED = committed("queue.reap")
RETURNED = committed("queue.hand_back")


@dataclass(frozen=True)
class Story:
    """A job's way: the boundaries it passes at least, in this order.

    Where it is `taken_up`, its first server is killed at that boundary, and the way is that of the second. Where it is
    `stopped`, its server is told to stop while the provider works. `crashes` are fewer than all boundaries.
    """

    id: str
    way: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    crashes: tuple[str, ...] = ()
    taken_up: str | None = None
    stopped: bool = False

    @property
    def settings(self) -> dict[str, str]:
        """Of the server whose way it is."""
        return BEFORE_THE_CRASH if self.taken_up is None else SECOND_SERVER


STORIES = {
    story.id: story
    for story in (
        Story("succeeds", (*ACCEPTED, ASKED, ANSWERED, *SUCCEEDED, *TOLD)),
        Story("fails", (*ACCEPTED, ASKED, ANSWERED, *FAILED, *TOLD), {"STUB_FAILURES": "1"}),
        Story("is paid", (*ACCEPTED, *PAID, ASKED, ANSWERED, *SUCCEEDED, *TOLD), {"STUB_PAID": "1"}),
        Story(
            "is paid under a request id",
            (*ACCEPTED, *PAID, ASKED, *NOTED, ANSWERED, *SUCCEEDED, *TOLD),
            {"STUB_PAID": "1", "STUB_REQUEST_ID": "request-1"},
        ),
        Story("is paid and fails", (*PAID, ASKED, ANSWERED, *FAILED, *TOLD), {"STUB_PAID": "1", "STUB_FAILURES": "1"}),
        Story("takes long", (*ACCEPTED, ASKED, *RENEWED, *SUCCEEDED, *TOLD), {"STUB_DELAY_SECONDS": "1"}, RENEWED),
        Story("is taken up", (*REAPED, *CLAIMED, ASKED, ANSWERED, *SUCCEEDED, *TOLD), taken_up=ANSWERED),
        Story("is given up", (*REAPED, *TOLD), {"STUB_PAID": "1"}, crashes=REAPED, taken_up=ANSWERED),
        Story("is handed back", (ASKED, *TOLD, *RETURNED), {"STUB_DELAY_SECONDS": "600"}, RETURNED, stopped=True),
    )
}


@dataclass(frozen=True)
class Shop:
    """A server over a database of its own, and its one customer."""

    server: StubServer
    database: Database
    key: str
    story: Story

    async def order(self) -> httpx.Response | None:
        """The answer to the customer's call; None where it is lost."""
        async with httpx.AsyncClient(
            base_url=self.server.url,
            headers={"Authorization": f"Bearer {self.key}", "Idempotency-Key": "order-1"},
            event_hooks={"response": [CONTRACT]},
            timeout=60,
        ) as client:
            try:
                return await client.post(IMAGE, json={"prompt": "a lighthouse"})
            except httpx.TransportError:
                return None

    async def sell(self, process: ForkServerProcess) -> httpx.Response | None:
        """One order, in the way of the story."""
        order = asyncio.create_task(self.order())
        if self.story.stopped:
            await until(self._is_at_work)
            process.terminate()
        return await order

    async def crash(self, boundary: str, settings: dict[str, str]) -> httpx.Response | None:
        """What the customer still hears of a server that dies at a boundary."""
        with forked(self.server, CRASH_AT=boundary, **settings) as process:
            answer = await self.sell(process)
            await has_died(process, DEATH_SECONDS)
            assert process.exitcode == -signal.SIGKILL
            return answer

    async def _is_at_work(self) -> bool:
        return self.server.calls > 0


@asynccontextmanager
async def opened(folder: Path, database_url: str, story: Story) -> AsyncIterator[Shop]:
    folder.mkdir()
    with stub_server(folder, database_url, **LEASES, **story.environment) as server:
        _, key = await make_customer(database_url, PLANS, plan="free", credits=OPENING_CREDITS)
        shop = Shop(server, Database(database_url), key, story)
        try:
            if story.taken_up is not None:
                await shop.crash(story.taken_up, BEFORE_THE_CRASH)
            yield shop
        finally:
            await shop.database.close()


async def boundaries_of(shop: Shop) -> list[str]:
    """Those that a job passes where nothing goes wrong; not those of a renewal that only came because it was slow."""
    way = list(shop.story.way)

    async def is_over() -> bool:
        return set(way) <= set(crash_points.passed(shop.server.folder, process.pid))

    with forked(shop.server, CRASH_AT="nowhere", **shop.story.settings) as process:
        assert await shop.sell(process) is not None
        await until(is_over)
        passed = crash_points.passed(shop.server.folder, process.pid)
    assert [boundary for boundary in passed if boundary in way] == way
    return [boundary for boundary in passed if boundary in way or boundary not in RENEWED]


async def crash_and_recover(shop: Shop, boundary: str, *, repeats: bool) -> None:
    """Kills the server at a boundary, starts another, and holds what is left against the rules."""
    first = await shop.crash(boundary, shop.story.settings)
    left, calls = await read_books(shop.database), shop.server.calls
    with forked(shop.server, **LAST_SERVER):
        repeated = await shop.order() if repeats else None
        await all_ended(shop.database, shop.server)
        books = await check_books(shop.database, shop.server, shop.key, OPENING_CREDITS)
    assert len(books.captured) <= 1, "one order is paid for once"
    assert repeats == (repeated is not None)
    for answer in (first, repeated):
        if answer is not None:
            check_answer(answer, books)
    check_work(shop.story, left, books, calls, shop.server.calls)
    assert repeats or len(books.jobs) == len(left.jobs)


def check_answer(answer: httpx.Response, books: Books) -> None:
    """What a caller is told is what the ledger says."""
    body = answer.json()
    job = next(job for job in books.jobs if job.id == body["job_id"])
    match answer.status_code:
        case 200:
            assert (job.status, body["credits_charged"]) == ("succeeded", COST)
            assert body["credits_remaining"] == OPENING_CREDITS - COST
        case 500:
            assert (job.status, body["reason"], body["refunded"]) == ("failed", job.reason, True)
            assert body["credits"] == OPENING_CREDITS
        case status:
            assert (status, body["code"]) == (409, "job_running")


def check_work(story: Story, left: Books, books: Books, calls_before: int, calls: int) -> None:
    """Each job ends as it must, and the provider is asked as often as that needs."""
    outcome = "failed" if "STUB_FAILURES" in story.environment else "succeeded"
    for job, ended in zip(left.jobs, books.jobs, strict=False):
        assert job.id == ended.id
        if job.finished_at is not None:
            assert (ended.status, ended.reason) == (job.status, job.reason)
        else:
            assert ended.status == ("failed" if is_lost(job) else outcome)
            assert ("cannot safely be repeated" in (ended.reason or "")) == is_lost(job)
    new = books.jobs[len(left.jobs) :]
    assert {job.status for job in new} <= {outcome}
    assert calls == calls_before + len(new) + sum(1 for job in left.jobs if is_repeated(job))
    assert calls <= len(books.jobs) or "STUB_PAID" not in story.environment, "no job is paid for twice"


def is_lost(job: Job) -> bool:
    """Whether nobody knows if a provider has been paid for it."""
    return job.status == "running" and job.paid_call and job.provider_request_id is None


def is_repeated(job: Job) -> bool:
    """Whether the provider is asked anew, by the next server."""
    return job.status == "queued" or (job.status == "running" and not job.paid_call)


async def crash_at_each(
    story: Story, boundaries: Iterable[str], folder: Path, new_database: Callable[[], str], *, repeats: bool
) -> None:
    """A few at a time: most of it is waiting for leases."""
    lanes = asyncio.Semaphore(CRASHES_AT_ONCE)

    async def crash(name: str, boundary: str) -> None:
        async with lanes, opened(folder / name, new_database(), story) as shop:
            try:
                await crash_and_recover(shop, boundary, repeats=repeats)
            except Exception as error:
                error.add_note(f"The server was killed {boundary}. Its log:\n{shop.server.log}")
                raise

    async with asyncio.TaskGroup() as group:
        for number, boundary in enumerate(boundaries):
            group.create_task(crash(f"{number}", boundary))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("repeats", [True, False], ids=["caller repeats", "caller is gone"])
@pytest.mark.parametrize("story", STORIES.values(), ids=lambda story: story.id)
@pytest.mark.parametrize("kind", DATABASES)
async def test_a_job_that(
    kind: str, story: Story, repeats: bool, tmp_path: Path, new_database: Callable[[str], str]
) -> None:
    async with opened(tmp_path / "no crash", new_database(kind), story) as shop:
        passed = await boundaries_of(shop)
    await crash_at_each(story, story.crashes or passed, tmp_path, lambda: new_database(kind), repeats=repeats)


@pytest.mark.parametrize("kind", DATABASES)
async def test_the_boundaries_that_matter_most(kind: str, tmp_path: Path, new_database: Callable[[str], str]) -> None:
    """The short form: where credits are held, while the provider works, in the middle of the file, at the charge."""
    boundaries = ["after submission.submit commits", ASKED, "within the file", *committed("queue.succeed")]
    await crash_at_each(STORIES["succeeds"], boundaries, tmp_path, lambda: new_database(kind), repeats=True)
