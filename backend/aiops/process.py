"""What goes on in a process beside the calls it answers: work, upkeep, deliveries, and word from other processes.

`aiops serve` and `aiops worker` are made of the same parts; with `job_slots` of 0 a server leaves the work to others.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from aiops.background import Background
from aiops.database.migrate import check_migrated
from aiops.jobs.presence import BEAT_SECONDS, STOPPED, STOPPING, WORKING
from aiops.jobs.upkeep import Upkeep
from aiops.jobs.worker import Handler, Worker
from aiops.runtime import DELIVERY_DUE, JOB_ARRIVED, JOB_ENDED, Runtime
from aiops.webhooks.courier import Courier

log = structlog.get_logger()

LOOK_SECONDS = 5
DEAF_LOOK_SECONDS = 0.25  # where other processes cannot tell of the jobs that they end


class Process:
    """`handlers` are the services' handlers with the model of their request, by operationId. What is at work may go on
    for `finish_seconds` once the process is told to stop."""

    def __init__(
        self, runtime: Runtime, handlers: Mapping[str, tuple[type[BaseModel], Handler]], finish_seconds: float
    ) -> None:
        self.runtime = runtime
        self._finish_seconds = finish_seconds
        self._finish_by = float("-inf")
        self._worker = Worker(runtime, handlers)
        self._courier = Courier(runtime)
        self._upkeep = Upkeep(runtime)
        self._stopping = asyncio.Event()
        self._watching = Background(self._stopping)  # calls wait on while the process drains

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Starts every part, and stops them at the end; jobs that are still at work then are handed back.

        Raises:
            MigrationError: the database is not what this code needs.
        """
        await check_migrated(self.runtime.database)
        self._start()
        try:
            yield
        finally:
            await self._stop()

    def drain(self) -> None:
        """Begins nothing more; what is at work may go on for its time."""
        self._finish_by = asyncio.get_running_loop().time() + self._finish_seconds
        self._worker.drain()

    def hurry(self) -> None:
        """Gives what is at work no more time."""
        self._worker.cut_off()

    async def finish(self) -> None:
        """Waits for what is at work, where the process was told to stop, for what is left of its time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._finish_by):
                await self._worker.finish()

    def _start(self) -> None:
        hear = {
            JOB_ENDED: self.runtime.waiters.wake,
            JOB_ARRIVED: self._hear_of_job,
            DELIVERY_DUE: lambda _: self.runtime.outgoing.set(),
        }
        self.runtime.signals.start(hear, self._look_for_all)
        self._watching.start(self._watch)
        self._upkeep.start()
        if self.runtime.settings.works:
            self._worker.start()
            self._courier.start()
            self._watching.start(self._be_present)

    async def _stop(self) -> None:
        await self._worker.stop()
        await self._upkeep.stop()
        await self._courier.stop()
        self._stopping.set()
        self.runtime.waiters.look_soon()
        await self._watching.stop()
        await self._take_leave()
        await self.runtime.signals.stop()
        if self.runtime.payments is not None:
            await self.runtime.payments.close()
        await self.runtime.database.close()

    async def _watch(self) -> None:
        pause_seconds = LOOK_SECONDS if self.runtime.signals.is_hearing else DEAF_LOOK_SECONDS
        await self.runtime.waiters.watch(self.runtime.database, pause_seconds)

    async def _be_present(self) -> None:
        is_draining = self.runtime.draining.is_set()
        state = STOPPING if is_draining else WORKING
        await self._worker.presence.note(self.runtime.database, self.runtime.clock(), state)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                await (self._stopping if is_draining else self.runtime.draining).wait()

    async def _take_leave(self) -> None:
        if self.runtime.settings.works:
            try:
                await self._worker.presence.note(self.runtime.database, self.runtime.clock(), STOPPED)
            except (SQLAlchemyError, OSError) as error:
                log.warning("leave_not_taken", error=type(error).__name__)

    def _hear_of_job(self, operation_id: str) -> None:
        if self.runtime.settings.works_on(operation_id):
            self.runtime.arrivals.elsewhere()

    def _look_for_all(self) -> None:
        """After a time in which nothing was heard."""
        self.runtime.waiters.look_soon()
        self.runtime.arrivals.elsewhere()
        self.runtime.outgoing.set()
