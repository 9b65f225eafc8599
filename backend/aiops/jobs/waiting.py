"""Waiting for a job to end. A request only waits: the job does not depend on it."""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select
from sqlmodel import col

from aiops.database.engine import Database
from aiops.database.tables import OPEN_STATUSES, Job

LOOKS_MAX = 100
ENDED_LATELY_MAX = 10_000


class Waiters:
    """Who waits for which job in this process.

    A worker of this process wakes them at once, one of another by a signal, which can come before the wait begins: what
    has ended lately is remembered. From time to time all are looked up, in one query.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._ended_lately: dict[str, None] = {}
        self._look_soon = asyncio.Event()
        self._given_up = False
        self._looks: Counter[str] = Counter()

    def looks_of(self, account_id: str) -> int:
        """How many calls of an account wait for a job that they only look up."""
        return self._looks[account_id]

    @contextmanager
    def looking(self, account_id: str) -> Iterator[bool]:
        """Whether one more call of an account may wait for a job that it only looks up, as a repeat of a call does too.
        Calls that submit a job wait for it, and of these an account has a limited number; others need none."""
        is_allowed = self.looks_of(account_id) < LOOKS_MAX
        self._looks[account_id] += is_allowed
        try:
            yield is_allowed
        finally:
            self._looks[account_id] -= is_allowed
            if not self._looks[account_id]:
                del self._looks[account_id]

    async def wait(self, database: Database, job_id: str, timeout_seconds: float, *, is_new: bool) -> bool:
        """Whether the job ended within the time, as far as is known here.

        One that `is_new` cannot have ended before this was called without being remembered.
        """
        ended = asyncio.Event()
        self._waiting[job_id].add(ended)
        try:
            if job_id in self._ended_lately:
                ended.set()
            elif not is_new:
                await self.look(database, [job_id])
            async with asyncio.timeout(timeout_seconds):
                if not self._given_up:
                    await ended.wait()
        except TimeoutError:
            return False
        else:
            return not self._given_up
        finally:
            self._waiting[job_id].discard(ended)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    def wake(self, job_id: str) -> None:
        """Tells those who wait for a job that it has ended."""
        self._ended_lately[job_id] = None
        if len(self._ended_lately) > ENDED_LATELY_MAX:
            del self._ended_lately[next(iter(self._ended_lately))]
        for ended in self._waiting.get(job_id, ()):
            ended.set()

    async def look(self, database: Database, job_ids: list[str]) -> None:
        """Wakes those whose job has ended, in whichever process."""
        async with database.read() as session:
            ended = await session.execute(
                select(col(Job.id)).where(col(Job.id).in_(job_ids), col(Job.status).not_in(OPEN_STATUSES))
            )
            for job_id in ended.scalars():
                self.wake(job_id)

    async def watch(self, database: Database, pause_seconds: float) -> None:
        """Looks for all that are waited for, then pauses, unless `look_soon` is called."""
        self._look_soon.clear()
        if self._waiting:
            await self.look(database, list(self._waiting))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_seconds):
                await self._look_soon.wait()

    def look_soon(self) -> None:
        """For when a job may have ended unheard."""
        self._look_soon.set()

    def give_up(self) -> None:
        """Ends every wait, for a process that is stopping; the jobs are not touched."""
        self._given_up = True
        for events in self._waiting.values():
            for ended in events:
                ended.set()
