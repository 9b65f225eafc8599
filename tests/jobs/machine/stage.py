"""Where the machine acts: a fresh database, a folder of files, the product's functions, and the model beside them."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant

from aiops.accounts.plans import FILE_LIMITS, Plans
from aiops.contract.models import Limits
from aiops.database import tables
from aiops.database.engine import Database
from aiops.storage.content_types import IMAGES, SPEECH
from aiops.storage.folder import FolderStore
from aiops.storage.signed_urls import SignedUrls
from tests.jobs.machine.audit import audit
from tests.jobs.machine.market import ApiKey, Job, Market

T = TypeVar("T")

START = datetime(2026, 5, 30, 12, 0, tzinfo=UTC)
PLANS: Plans = {
    "free": Limits(
        monthly_credits=14, requests_per_minute=4, jobs_at_once=1, jobs_queued=6, audio_minutes=1, **FILE_LIMITS
    ),
    "pro": Limits(
        monthly_credits=30, requests_per_minute=9, jobs_at_once=3, jobs_queued=4, audio_minutes=1, **FILE_LIMITS
    ),
}
PRICES = {"generate_image": 5, "generate_speech": 2}
SECOND = timedelta(seconds=1)
URLS = SignedUrls("https://aiops.test", b"signing key of the tests")
OUTPUTS = {"generate_image": ("image_url", IMAGES[0]), "generate_speech": ("audio_url", SPEECH[0])}
AGO = st.integers(0, 5)


class Stage(RuleBasedStateMachine):
    """Every run has a database of its own; `reached` counts the branches that all runs have met."""

    fresh_database: ClassVar[Callable[[], AbstractContextManager[str]]]
    reached: ClassVar[Counter[str]]

    keys: Bundle[ApiKey] = Bundle("keys")
    claims: Bundle[tables.Job] = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.cleanup = ExitStack()
        url = self.cleanup.enter_context(type(self).fresh_database())
        self.folder = Path(self.cleanup.enter_context(tempfile.TemporaryDirectory()))
        self.runner = self.cleanup.enter_context(asyncio.Runner())
        self.database, self.store = Database(url), FolderStore(self.folder / "files")
        self.cleanup.callback(lambda: self.run(self.database.close()))
        self.market = Market(PLANS, START)
        self.prices = dict(PRICES)
        self.made: list[ApiKey] = []
        self.spent: list[tables.Job] = []  # claims that were settled, handed back, or lost

    def teardown(self) -> None:
        self.cleanup.close()

    def run(self, act: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(act)

    def write(self, act: Callable[..., Awaitable[T]], *arguments: Any, **options: Any) -> T:
        """Runs an act that is a step of a transaction, as a transaction of its own."""

        async def in_transaction() -> T:
            async with self.database.write() as session:
                return await act(session, *arguments, **options)

        return self.run(in_transaction())

    def job(self, ago: int) -> Job:
        """A recent job: the last to be accepted, the one before it, …"""
        jobs = list(self.market.jobs.values())
        return jobs[-1 - ago % len(jobs)]

    def note(self, branch: str) -> None:
        type(self).reached[branch] += 1

    @invariant()
    def all_is_in_order(self) -> None:
        assert self.run(audit(self.database, self.store, self.market)) == []

    @property
    def now(self) -> datetime:
        return self.market.now
