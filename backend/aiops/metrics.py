"""Prometheus metrics. What the database knows (queue, holds) is read at the scrape; the rest is counted on the way."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlmodel import col

from aiops.database.engine import Database
from aiops.database.tables import OPEN_STATUSES, Job

PROVIDER_BUCKETS_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 240)

_registry = CollectorRegistry()
_requests = Counter("aiops_requests", "Requests answered.", ("operation", "status"), registry=_registry)
_jobs = Counter("aiops_jobs_settled", "Jobs that ended.", ("service", "status"), registry=_registry)
_deliveries = Counter("aiops_deliveries", "Attempts to deliver an event.", ("type", "success"), registry=_registry)
_provider = Histogram(
    "aiops_provider_seconds",
    "Time spent in a provider.",
    ("provider", "service"),
    buckets=PROVIDER_BUCKETS_SECONDS,
    registry=_registry,
)


def answered(operation: str, status: int) -> None:
    _requests.labels(operation, str(status)).inc()


def settled(service: str, status: str) -> None:
    _jobs.labels(service, status).inc()


def delivered(event_type: str, *, is_success: bool) -> None:
    _deliveries.labels(event_type, str(is_success).lower()).inc()


@contextmanager
def provider_time(provider: str, service: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        _provider.labels(provider, service).observe(time.perf_counter() - started)


@dataclass(frozen=True, slots=True, eq=False)  # a registry keeps its collectors by hash
class _OpenJobs(Collector):
    by_status: dict[str, int]
    oldest_seconds: float

    def collect(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("aiops_jobs", "Open jobs.", labels=["status"])
        for status in OPEN_STATUSES:
            jobs.add_metric([status], self.by_status.get(status, 0))
        yield jobs
        yield GaugeMetricFamily("aiops_open_holds", "Holds that are not settled.", sum(self.by_status.values()))
        yield GaugeMetricFamily("aiops_oldest_hold_seconds", "Age of the oldest open hold.", self.oldest_seconds)


async def exposition(database: Database, now: datetime) -> bytes:
    """All metrics in Prometheus' text format 0.0.4."""
    async with database.read() as session:
        is_open = col(Job.status).in_(OPEN_STATUSES)
        by_status = select(col(Job.status), func.count()).where(is_open).group_by(col(Job.status))
        counts: dict[str, int] = dict((await session.execute(by_status)).all())
        oldest = (await session.execute(select(func.min(col(Job.created_at))).where(is_open))).scalar_one()
    age_seconds = (now - oldest).total_seconds() if oldest is not None else 0.0
    return generate_latest(_counted()) + generate_latest(_only(_OpenJobs(counts, age_seconds)))


def _counted() -> CollectorRegistry:
    """What was counted here or, where `serve` runs several processes, in all of them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return _registry
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _only(collector: Collector) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(collector)
    return registry
