"""What every part of a running server shares. Made once a process, passed on explicitly."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiops.accounts.plans import Plans
from aiops.billing.gateway import Gateway
from aiops.billing.prices import Prices
from aiops.contract.document import Document
from aiops.database.engine import Database
from aiops.http.guarded import GuardedClient
from aiops.jobs.waiting import Waiters
from aiops.providers.embedded.inspector import Inspector
from aiops.providers.registry import ProviderRegistry
from aiops.settings import Settings
from aiops.storage.files import FileStore
from aiops.storage.signed_urls import SignedUrls
from aiops.uploads.places import Places


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Runtime:
    """`inspector` tells what an uploaded file is, `uploads` has the places for those that arrive. `clock` is the one
    source of time for windows, months, leases and links; `draining` is set once the process is to stop; `arrivals`
    counts the jobs that were queued here and that the worker has not looked for yet; `outgoing` is set where deliveries
    may have been written here. `payments` is None where nothing is sold."""

    settings: Settings
    document: Document
    plans: Plans
    database: Database
    store: FileStore
    urls: SignedUrls
    providers: ProviderRegistry
    guarded_client: GuardedClient
    prices: Prices = field(default_factory=Prices)
    payments: Gateway | None = None
    inspector: Inspector = field(default_factory=Inspector)
    uploads: Places = field(default_factory=Places)
    waiters: Waiters = field(default_factory=Waiters)
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    arrivals: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    outgoing: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Callable[[], datetime] = utc_now

    def job_ended(self, job_id: str) -> None:
        """Tells those in this process who wait for a job, and who sends word of it."""
        self.waiters.wake(job_id)
        self.outgoing.set()
