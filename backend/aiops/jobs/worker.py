"""Works jobs off: claims them, has their handlers do the work, and settles them. One a process."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from aiops.background import Background
from aiops.identifiers import new_id
from aiops.jobs import queue
from aiops.jobs.execution import JobContext, LeaseLostError
from aiops.jobs.presence import Presence
from aiops.jobs.queue import Claim, Failure, HandedBack, Success
from aiops.jobs.succession import wake_successors
from aiops.providers.base import ProviderFailedError, ProviderRejectedError, ProviderUnavailableError
from aiops.runtime import Runtime
from aiops.storage.files import StorageError

log = structlog.get_logger()

Handler = Callable[[Any, JobContext], Awaitable[BaseModel]]

IDLE_SECONDS = 5
DEAF_IDLE_SECONDS = 0.5  # where other processes cannot tell of theirs
RENEWALS_PER_LEASE = 3
STOP_SECONDS = 10
SETTLE_PAUSE_SECONDS = 1
OURSELVES = "aiops"  # who did the work, where no provider was asked
UNFORESEEN = "Something went wrong on our side."


class Worker:
    """`handlers` are the services' handlers with the model of their request, by operationId."""

    def __init__(self, runtime: Runtime, handlers: Mapping[str, tuple[type[BaseModel], Handler]]) -> None:
        self.runtime = runtime
        self.handlers = handlers
        self.presence = Presence(
            name=f"{socket.gethostname()}:{os.getpid()}:{new_id('wrk')[-6:]}",
            host=socket.gethostname(),
            services=runtime.settings.job_services,
            slots=runtime.settings.job_slots,
            started_at=runtime.clock(),
        )
        self._slots = asyncio.Semaphore(runtime.settings.job_slots)
        self._handlers: set[asyncio.Future[BaseModel]] = set()
        self._is_cut_off = False
        self._passed_over = 0
        self._jobs: set[asyncio.Task[None]] = set()
        self._background = Background(runtime.draining)

    def start(self) -> None:
        self._background.start(self._claim_next)

    def drain(self) -> None:
        """Claims nothing more; what is at work goes on."""
        self.runtime.draining.set()
        self.runtime.arrivals.elsewhere()  # wakes the loop that waits for one

    async def finish(self) -> None:
        """Waits, once it drains, until nothing is at work. A claim that is under way then is awaited first: its job is
        at work as well."""
        for tasks in (self._background.loops, self._jobs):
            if tasks:
                await asyncio.wait(tasks)

    def cut_off(self) -> None:
        """Cuts off the handlers, that of a job whose claim is under way too; their jobs are handed back."""
        self.drain()
        self._is_cut_off = True
        for handler in self._handlers:
            handler.cancel()

    async def stop(self) -> None:
        """Stops at once. No transaction is ever cut off, so that none is left open and none is in doubt."""
        self.cut_off()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self.finish()

    async def _claim_next(self) -> None:
        """One claim for each job that arrives here; for those of other processes as many as there are jobs."""
        await self._slots.acquire()
        claim = None
        try:
            is_here = await self.runtime.arrivals.next(self._idle_seconds)
            if not self.runtime.draining.is_set():
                claim = await self._claim()
        finally:
            if claim is None:
                self._slots.release()
        if claim is None:
            self._passed_over += is_here  # its account has as many running as it may
            return
        if not is_here:
            self.runtime.arrivals.elsewhere()  # where one was waiting, others may be
        task = asyncio.create_task(self._work(claim), name=claim.job.id)
        self._jobs.add(task)
        task.add_done_callback(self._done)

    @property
    def _idle_seconds(self) -> float:
        return IDLE_SECONDS if self.runtime.signals.is_hearing else DEAF_IDLE_SECONDS

    async def _claim(self) -> Claim | None:
        settings = self.runtime.settings
        return await queue.claim(
            self.runtime.database,
            self.runtime.plans,
            self.presence.name,
            settings.lease_seconds,
            self.runtime.clock(),
            services=settings.job_services,
        )

    def _done(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        self._slots.release()
        if self._passed_over:
            self._passed_over -= 1
            self.runtime.arrivals.here()
        elif not self.runtime.database.is_sqlite:
            self.runtime.arrivals.elsewhere()  # another process may have passed a job of the account over
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("job_not_settled", job_id=task.get_name(), exc_info=error)

    async def _work(self, claim: Claim) -> None:
        job = claim.job
        context = JobContext(self.runtime, job, claim.limits, model=job.model or job.operation_id)
        settled = asyncio.Event()
        with structlog.contextvars.bound_contextvars(job_id=job.id, request_id=job.request_id):
            handler = asyncio.ensure_future(self._handle(context))
            self._handlers.add(handler)
            if self._is_cut_off:
                handler.cancel()
            renewal = asyncio.create_task(self._keep_lease(context, handler, settled))
            try:
                await self._settle_surely(context, await self._outcome(context, handler))
            finally:
                settled.set()
                self._handlers.discard(handler)
                await renewal
                await asyncio.to_thread(context.download.unlink, missing_ok=True)

    async def _handle(self, context: JobContext) -> BaseModel:
        request_model, handler = self.handlers[context.job.operation_id]
        context.request = request_model.model_validate(context.job.request)
        return await handler(context.request, context)

    async def _outcome(self, context: JobContext, handler: asyncio.Future[BaseModel]) -> BaseModel | Failure | None:
        """The handler's result, or why there is none; None where it was cut off: the lease is lost, or we stop."""
        left = (context.job.deadline_at - self.runtime.clock()).total_seconds()
        try:
            async with asyncio.timeout(left) as limit:
                return await handler
        except (LeaseLostError, asyncio.CancelledError):
            return None
        except Exception as error:  # noqa: BLE001 - whatever a handler ends in, its job is settled
            return Failure("failed", queue.DEADLINE_REASON) if limit.expired() else _failure(error)

    async def _keep_lease(
        self, context: JobContext, handler: asyncio.Future[BaseModel], settled: asyncio.Event
    ) -> None:
        """Renews until the job is settled; cuts the handler off where the job is no longer ours."""
        lease_seconds = self.runtime.settings.lease_seconds
        while not await _is_set_within(settled, lease_seconds / RENEWALS_PER_LEASE):
            try:
                is_ours = await queue.renew(
                    self.runtime.database,
                    context.job,
                    lease_seconds,
                    self.runtime.clock(),
                    progress=context.progress,
                    provider=context.provider,
                )
            except Exception:
                log.exception("lease_not_renewed")  # tried again in a moment; the lease lasts that long
                continue
            if not is_ours:
                handler.cancel()
                return

    async def _settle_surely(self, context: JobContext, outcome: BaseModel | Failure | None) -> None:
        """Settles, again and again while the database is away: the work is done, and may have been paid for. After the
        time of a lease the reaper has the job."""
        give_up_at = time.monotonic() + self.runtime.settings.lease_seconds
        while True:
            try:
                await self._settle(context, outcome)
            except (SQLAlchemyError, OSError):
                log.exception("not_settled_yet")
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(SETTLE_PAUSE_SECONDS)
            else:
                return

    async def _settle(self, context: JobContext, outcome: BaseModel | Failure | None) -> None:
        database, job, now = self.runtime.database, context.job, self.runtime.clock()
        match outcome:
            case None:
                await self._hand_back(context)
            case Failure():
                is_settled = await queue.fail(database, job, replace(outcome, provider=context.provider), now)
                await self._discard(context)
                await self._note(context, "failed", is_settled=is_settled)
                # At its deadline, a call that waits for it may have ended it first.
                if is_settled or await queue.is_over(database, job):
                    await context.take_back()
            case _:
                is_settled = await queue.succeed(database, job, _success(context, outcome), now)
                if not is_settled:
                    await self._discard(context)
                await self._note(context, "succeeded", is_settled=is_settled)

    async def _hand_back(self, context: JobContext) -> None:
        came_to = await queue.hand_back(self.runtime.database, context.job, self.runtime.clock())
        await self._discard(context)
        match came_to:
            case HandedBack.QUEUED:
                self.runtime.job_arrived(context.job.operation_id)
            case HandedBack.ENDED:
                await self._note(context, "failed", is_settled=True)
                await context.take_back()
            case HandedBack.OVER:
                await context.take_back()
            case HandedBack.TAKEN:
                pass

    async def _note(self, context: JobContext, status: str, *, is_settled: bool) -> None:
        job = context.job
        if not is_settled:
            log.warning("lease_lost", attempt=job.attempt)
            return
        log.info("job_settled", service=job.operation_id, status=status, provider=context.provider)
        self.runtime.job_ended(job.id, job.operation_id, status)
        if self.runtime.settings.job_services:
            await wake_successors(self.runtime, job, looks_itself=True)

    async def _discard(self, context: JobContext) -> None:
        """Deletes what belongs to nobody now. Where the storage is away, the sweep does it a day later."""
        for stored, _ in context.stored.values():
            try:
                await self.runtime.store.delete(stored.id)
            except StorageError as error:
                log.warning("file_not_discarded", file_id=stored.id, reason=str(error))


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _failure(error: Exception) -> Failure:
    """What the caller is told of an error that ended a handler."""
    match error:
        case ProviderRejectedError():
            return Failure("unprocessable", error.reason)
        case ProviderUnavailableError() | ProviderFailedError():
            return Failure("failed", error.reason)
        case StorageError():
            log.error("storage_failed", reason=str(error))
            return Failure("failed", "The result could not be stored.")
        case _:
            log.error("handler_failed", exc_info=error)
            return Failure("failed", UNFORESEEN)


def _success(context: JobContext, result: BaseModel) -> Success:
    fields = result.model_dump(mode="json")
    outputs = {
        name: context.stored[value][0].id
        for name, value in fields.items()
        if isinstance(value, str) and value in context.stored
    }
    return Success(fields, context.model, context.provider or OURSELVES, outputs, context.files())
