"""What every part of a running server shares. Made once a process, passed on explicitly."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiops import metrics
from aiops.accounts.plans import Plans
from aiops.billing.gateway import Gateway
from aiops.billing.prices import Prices
from aiops.contract.document import Document
from aiops.database.engine import Database
from aiops.database.signals import Signals
from aiops.http.guarded import GuardedClient
from aiops.jobs.arrivals import Arrivals
from aiops.jobs.waiting import Waiters
from aiops.providers.embedded.inspector import Inspector
from aiops.providers.registry import ProviderRegistry
from aiops.settings import Settings
from aiops.storage.files import FileStore
from aiops.storage.shared_check import SharedCheck
from aiops.storage.signed_urls import SignedUrls
from aiops.uploads.places import Places

JOB_ARRIVED = "aiops_job_arrived"  # with its operationId
JOB_ENDED = "aiops_job_ended"  # with its id
DELIVERY_DUE = "aiops_delivery_due"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Runtime:
    """`inspector` tells what an uploaded file is, `uploads` has the places for those that arrive. `clock` is the one
    source of time for windows, months, leases and links; `draining` is set once the process is to stop; `arrivals`
    wakes the worker; `outgoing` is set where deliveries may have been written here; `signals` are what processes tell
    one another; `storage_check` is shared by those who ask whether the process is ready. `payments` is None where
    nothing is sold."""

    settings: Settings
    document: Document
    plans: Plans
    database: Database
    signals: Signals
    store: FileStore
    urls: SignedUrls
    providers: ProviderRegistry
    guarded_client: GuardedClient
    prices: Prices = field(default_factory=Prices)
    payments: Gateway | None = None
    inspector: Inspector = field(default_factory=Inspector)
    uploads: Places = field(default_factory=Places)
    storage_check: SharedCheck = field(default_factory=SharedCheck)
    waiters: Waiters = field(default_factory=Waiters)
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    arrivals: Arrivals = field(default_factory=Arrivals)
    outgoing: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Callable[[], datetime] = utc_now

    def job_arrived(self, operation_id: str) -> None:
        """Wakes the worker of this process, and those of others where it has no place for one more job."""
        is_ours = self.settings.works_on(operation_id)
        if not (is_ours and self.arrivals.are_awaited):
            self.signals.say(JOB_ARRIVED, operation_id)
        if is_ours:
            self.arrivals.here()

    def job_ended(self, job_id: str, service: str, status: str) -> None:
        """Counts the job, and tells those who wait for it, here and in other processes, and who sends word of it."""
        metrics.settled(service, status)
        self.waiters.wake(job_id)
        self.outgoing.set()
        self.signals.say(JOB_ENDED, job_id)
        if not self.settings.works:
            self.signals.say(DELIVERY_DUE)
