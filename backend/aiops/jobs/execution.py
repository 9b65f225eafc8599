"""What the handler of a service is given to work with: providers, the caller's material, and a place for its output."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from aiops import metrics
from aiops.contract.models import Limits
from aiops.database.tables import File, Job
from aiops.http.errors import UrlError
from aiops.jobs import queue
from aiops.providers.base import (
    Answer,
    Audio,
    Call,
    CancellingProvider,
    Media,
    Provider,
    ProviderError,
    ProviderFailedError,
    ProviderLimitError,
    ProviderRejectedError,
    ProviderUnavailableError,
)
from aiops.runtime import Runtime
from aiops.storage.content_types import ContentType
from aiops.storage.files import NoSuchFileError, StorageError, StoredFile

log = structlog.get_logger()

DOWNLOAD_BYTES_MAX = 200 * 1024 * 1024
DOWNLOAD_SECONDS = 60
NOTE_PAUSE_SECONDS = 1
SECONDS_PER_MINUTE = 60
NOBODY = "No provider serves this model here at the moment."

P = TypeVar("P")
R = TypeVar("R", bound=Answer)
T = TypeVar("T")


class LeaseLostError(Exception):
    """Another worker has the job, or it has ended: whatever is done here is discarded."""


@dataclass(slots=True)
class JobContext:
    """One job, as its handler sees it. `model` and `provider` are who did the work, as the answer names them."""

    runtime: Runtime
    job: Job
    limits: Limits
    model: str
    request: BaseModel | None = None
    provider: str | None = None
    progress: float | None = None
    provider_request_id: str | None = None
    stored: dict[str, tuple[StoredFile, datetime]] = field(default_factory=dict)

    async def run(
        self, capability: type[P], work: Callable[[P, Call], Awaitable[R]], check: Callable[[R], object]
    ) -> R:
        """Has the work done by the first provider that can, and checks the answer.

        Raises:
            ProviderUnavailableError: none could.
            ProviderFailedError: one has, or may have, been paid for nothing.
            ProviderRejectedError: the caller's material cannot be processed.
            LeaseLostError: the job is no longer ours.
        """
        failures: list[ProviderError] = []
        for provider in self._candidates():
            if not isinstance(provider, capability):
                raise TypeError(
                    f"The provider {provider.name} has a method of {capability.__name__} that does not fit."
                )
            try:
                with metrics.provider_time(provider.name, self.job.operation_id):
                    answer = await work(provider, await self._begin(provider))
                _check(answer, check)
            except (ProviderUnavailableError, ProviderFailedError) as error:
                log.warning("provider_failed", provider=provider.name, job_id=self.job.id, reason=error.reason)
                if isinstance(error, ProviderFailedError) and provider.paid:
                    raise
                failures.append(error)
            else:
                self.model = answer.model
                return answer
        raise _verdict(failures)

    async def take_back(self) -> None:
        """As the function of this name, of what this worker knows: the order's number may not be noted yet."""
        await take_back(self.runtime, self.job, self.provider, self.provider_request_id)

    async def store(self, media: Media, content_type: ContentType) -> str:
        """Keeps a generated file and returns the link to it.

        Raises:
            StorageError: it could not be kept.
        """
        stored = await self.runtime.store.put(media.data, content_type)
        expires_at = self.runtime.clock() + timedelta(hours=self.runtime.settings.file_hours)
        url = self.runtime.urls.sign(stored.id, expires_at)
        self.stored[url] = (stored, expires_at)
        return url

    async def fetch_audio(self, url: str) -> Audio:
        """The audio behind a link, ours or anybody's. Not fetched where a provider already works on it, and has it.

        Raises:
            ProviderRejectedError: it cannot be had.
        """
        seconds_max = self.limits.audio_minutes * SECONDS_PER_MINUTE
        if self.job.provider_request_id is not None:
            return Audio(self.download, seconds_max)
        file_id = self.runtime.urls.file_of(url, self.runtime.clock())
        self.download.parent.mkdir(parents=True, exist_ok=True)
        if file_id is not None:
            return Audio(await self._stored(file_id), seconds_max)
        try:
            await self.runtime.guarded_client.download(
                url, self.download, size_max_bytes=DOWNLOAD_BYTES_MAX, timeout_seconds=DOWNLOAD_SECONDS
            )
        except UrlError as error:
            raise ProviderRejectedError(error.reason) from error
        return Audio(self.download, seconds_max)

    async def _stored(self, file_id: str) -> Path:
        try:
            async with asyncio.timeout(DOWNLOAD_SECONDS):
                return await self.runtime.store.material(file_id, self.download)
        except NoSuchFileError as error:
            raise ProviderRejectedError("The file behind this link is no longer kept.") from error
        except (StorageError, TimeoutError) as error:
            log.warning("storage_failed", reason=str(error))
            raise ProviderUnavailableError("The file behind this link could not be read.") from error

    @property
    def download(self) -> Path:
        """Where the caller's material is kept while the job runs."""
        return self.runtime.settings.downloads_dir / f"{self.job.id}-{self.job.attempt}"

    def files(self) -> list[File]:
        """The rows of the stored files, to be written when the job is captured."""
        return [
            File(
                id=stored.id,
                account_id=self.job.account_id,
                job_id=self.job.id,
                name=f"{self.job.operation_id}-{self.job.id[-6:]}.{stored.id.rpartition('.')[2]}",
                content_type=stored.content_type,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                created_at=self.runtime.clock(),
                expires_at=expires_at,
            )
            for stored, expires_at in self.stored.values()
        ]

    def _candidates(self) -> list[Provider]:
        """Who is to be tried; only the one that already works on it, where an earlier attempt got that far."""
        if self.job.provider_request_id is not None:
            return _named(self.runtime, self.job.provider)
        operation_id = self.job.operation_id
        candidates = self.runtime.providers.candidates(operation_id, self.job.model or "")
        return [provider for provider in candidates if provider.unsupported(operation_id, self.request) is None]

    async def _begin(self, provider: Provider) -> Call:
        resumed = self.job.provider_request_id if provider.name == self.job.provider else None
        if resumed is None and (provider.paid or self.job.paid_call):
            noting = queue.note_provider(self.runtime.database, self.job, provider.name, paid=provider.paid)
            if not await _to_its_end(noting):
                raise LeaseLostError
            self.job.paid_call = provider.paid
        self.provider, self.provider_request_id = provider.name, resumed
        left = (self.job.deadline_at - self.runtime.clock()).total_seconds()
        return Call(deadline_seconds=left, started=self._started, progress=self._report, request_id=resumed)

    async def _started(self, request_id: str) -> None:
        self.provider_request_id = request_id
        if not await self._noted(request_id):
            raise LeaseLostError

    async def _noted(self, request_id: str) -> bool:
        """Notes, again and again while the database is away: the work is ordered, and a restart could not take up what
        has no number. The job's deadline cuts this off."""
        while True:
            try:
                return await _to_its_end(queue.note_request_id(self.runtime.database, self.job, request_id))
            except (SQLAlchemyError, OSError):
                log.exception("request_id_not_noted_yet", provider_request_id=request_id)
                await asyncio.sleep(NOTE_PAUSE_SECONDS)

    def _report(self, progress: float) -> None:
        self.progress = min(max(progress, 0.0), 1.0)


async def take_back(runtime: Runtime, job: Job, provider_name: str | None, provider_request_id: str | None) -> None:
    """Tells the provider that nobody waits for its work any more, where it can be told: the job has ended."""
    if provider_request_id is None:
        return
    for provider in _named(runtime, provider_name):
        if isinstance(provider, CancellingProvider):
            await provider.cancel(job.operation_id, job.model or "", provider_request_id)


def _named(runtime: Runtime, name: str | None) -> list[Provider]:
    """The provider of this name, where it is still configured; also if it takes no new work at the moment."""
    return [provider for provider in runtime.providers.named if provider.name == name]


async def _to_its_end(transaction: Coroutine[Any, Any, T]) -> T:
    """Has whoever cuts us off wait for a transaction, which would else be in doubt, and its note of an order lost."""
    task = asyncio.ensure_future(transaction)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


def _verdict(failures: list[ProviderError]) -> ProviderError:
    """What comes of a job that no provider has taken: it is the material's fault where none has said anything else."""
    others = [error for error in failures if not isinstance(error, ProviderLimitError)]
    if failures and not others:
        return ProviderRejectedError(failures[-1].reason)
    return ProviderUnavailableError(others[-1].reason if others else NOBODY)


def _check(answer: R, check: Callable[[R], object]) -> None:
    """Raises ProviderFailedError for an answer that is none: the provider has done its work, and is paid for it."""
    try:
        check(answer)
    except ProviderUnavailableError as error:
        raise ProviderFailedError(error.reason) from error
