"""Works jobs off: claims them, has their handlers do the work, and settles them. One a process, beside the server."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from pydantic import BaseModel

from aiops import metrics
from aiops.identifiers import new_id
from aiops.jobs import queue
from aiops.jobs.execution import JobContext, LeaseLostError
from aiops.jobs.queue import Claim, Failure, Success
from aiops.providers.base import ProviderRejectedError, ProviderUnavailableError
from aiops.runtime import Runtime
from aiops.storage.files import StorageError
from aiops.storage.sweep import sweep

log = structlog.get_logger()

Handler = Callable[[Any, JobContext], Awaitable[BaseModel]]

IDLE_SECONDS = 0.5
RENEWALS_PER_LEASE = 3
SWEEP_SECONDS = 600
STOP_SECONDS = 5
OURSELVES = "aiops"  # who did the work, where no provider was asked
UNFORESEEN = "Something went wrong on our side."


class Worker:
    """`handlers` are the services' handlers with the model of their request, by operationId."""

    def __init__(self, runtime: Runtime, handlers: Mapping[str, tuple[type[BaseModel], Handler]]) -> None:
        self.runtime = runtime
        self.handlers = handlers
        self.name = f"{socket.gethostname()}:{os.getpid()}:{new_id('wrk')[-6:]}"
        self._slots = asyncio.Semaphore(runtime.settings.job_slots)
        self._passed_over = 0
        self._jobs: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        waiters = self.runtime.waiters
        for name, loop in (
            ("claim", self._claim_next),
            ("reap", self._reap),
            ("sweep", self._sweep),
        ):
            self._loops.append(asyncio.create_task(_for_ever(name, loop), name=f"worker-{name}"))
        self._loops.append(asyncio.create_task(_for_ever("watch", lambda: waiters.watch(self.runtime.database))))

    async def stop(self) -> None:
        """Stops at once; jobs that are not done yet are handed back."""
        tasks = [*self._loops, *self._jobs]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)

    async def _claim_next(self) -> None:
        """One claim for each job that arrives here, and from time to time one for those of other processes."""
        await self._slots.acquire()
        claim = None
        try:
            has_arrived = await self._arrival()
            claim = await queue.claim(
                self.runtime.database,
                self.runtime.plans,
                self.name,
                self.runtime.settings.lease_seconds,
                self.runtime.clock(),
            )
        finally:
            if claim is None:
                self._slots.release()
        if claim is None:
            self._passed_over += has_arrived  # its account has as many running as it may
            return
        if not has_arrived:
            self.runtime.arrivals.release()  # where one was waiting, others may be
        task = asyncio.create_task(self._work(claim), name=claim.job.id)
        self._jobs.add(task)
        task.add_done_callback(self._done)

    async def _arrival(self) -> bool:
        """Whether a job has arrived before it is time to look anyway."""
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                return await self.runtime.arrivals.acquire()
        except TimeoutError:
            return False

    def _done(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        self._slots.release()
        if self._passed_over:
            self._passed_over -= 1
            self.runtime.arrivals.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("job_not_settled", job_id=task.get_name(), exc_info=error)

    async def _work(self, claim: Claim) -> None:
        job = claim.job
        context = JobContext(self.runtime, job, claim.limits, model=job.model or job.operation_id)
        with structlog.contextvars.bound_contextvars(job_id=job.id, request_id=job.request_id):
            try:
                outcome = await self._perform(context)
                is_settled = await self._settle(context, outcome)
            except asyncio.CancelledError:
                await asyncio.shield(queue.hand_back(self.runtime.database, job))
                raise
            finally:
                await asyncio.to_thread(context.download.unlink, missing_ok=True)
            if not is_settled:
                log.warning("lease_lost", attempt=job.attempt)
                await self._discard(context)
        self.runtime.waiters.wake(job.id)

    async def _perform(self, context: JobContext) -> BaseModel | Failure | None:
        """The handler's result, or why there is none; None where the lease was lost."""
        job = context.job
        request_model, handler = self.handlers[job.operation_id]
        left = (job.deadline_at - self.runtime.clock()).total_seconds()
        work = asyncio.ensure_future(handler(request_model.model_validate(job.request), context))
        renewal = asyncio.create_task(self._keep_lease(context, work))
        try:
            async with asyncio.timeout(left):
                return await work
        except LeaseLostError:
            return None
        except asyncio.CancelledError:
            if renewal.done() and not renewal.cancelled():
                return None
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler ends in, its job is settled
            return _failure(error)
        finally:
            work.cancel()
            renewal.cancel()

    async def _keep_lease(self, context: JobContext, work: asyncio.Future[BaseModel]) -> None:
        """Renews until cancelled; stops the work where the job is no longer ours."""
        lease_seconds = self.runtime.settings.lease_seconds
        while True:
            await asyncio.sleep(lease_seconds / RENEWALS_PER_LEASE)
            now = self.runtime.clock()
            try:
                seen = {"progress": context.progress, "provider": context.provider}
                is_ours = await queue.renew(self.runtime.database, context.job, lease_seconds, now, **seen)
            except Exception:
                log.exception("lease_not_renewed")  # tried again in a moment; the lease lasts that long
                continue
            if not is_ours:
                work.cancel()
                return

    async def _settle(self, context: JobContext, outcome: BaseModel | Failure | None) -> bool:
        job, now = context.job, self.runtime.clock()
        if outcome is None:
            return False
        if isinstance(outcome, Failure):
            await self._discard(context)
            failure = replace(outcome, provider=context.provider)
            is_settled = await queue.fail(self.runtime.database, job, failure, now)
        else:
            is_settled = await queue.succeed(self.runtime.database, job, _success(context, outcome), now)
        if is_settled:
            status = "failed" if isinstance(outcome, Failure) else "succeeded"
            metrics.settled(job.operation_id, status)
            log.info("job_settled", service=job.operation_id, status=status, provider=context.provider)
        return is_settled

    async def _discard(self, context: JobContext) -> None:
        for stored, _ in context.stored.values():
            await asyncio.to_thread(self.runtime.store.delete, stored.id)

    async def _reap(self) -> None:
        for job_id in await queue.reap(self.runtime.database, self.runtime.clock()):
            log.warning("job_reaped", job_id=job_id)
            self.runtime.waiters.wake(job_id)
        await asyncio.sleep(self.runtime.settings.reaper_seconds)

    async def _sweep(self) -> None:
        deleted = await sweep(
            self.runtime.database, self.runtime.store, self.runtime.settings.downloads_dir, self.runtime.clock()
        )
        if deleted:
            log.info("files_swept", files=deleted)
        await asyncio.sleep(SWEEP_SECONDS)


def _failure(error: Exception) -> Failure:
    """What the caller is told of an error that ended a handler."""
    match error:
        case ProviderRejectedError():
            return Failure("unprocessable", error.reason)
        case ProviderUnavailableError():
            return Failure("failed", error.reason)
        case TimeoutError():
            return Failure("failed", queue.DEADLINE_REASON)
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


async def _for_ever(name: str, step: Callable[[], Awaitable[None]]) -> None:
    """Repeats a step; a failure, such as a database that is away, is logged and tried again."""
    while True:
        try:
            await step()
        except Exception:
            log.exception("worker_step_failed", step=name)
            await asyncio.sleep(IDLE_SECONDS)
