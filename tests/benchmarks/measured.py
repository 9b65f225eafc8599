"""One run of one target, and what all targets have in common."""

import statistics
from dataclasses import dataclass
from typing import Protocol


class BenchmarkError(Exception):
    """What was measured is worth nothing: something failed on the way. The message says what."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a run is: what ends within the first `ramp_seconds` is not counted."""

    ramp_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to. CPU times are unknown of pgbench: `cpu_ms` a call is the server's, `client_cpu` a share."""

    per_second: float
    p50_ms: float
    p99_ms: float
    calls: int
    cpu_ms: float | None = None
    client_cpu: float | None = None


class Target(Protocol):
    """Something that is put under load."""

    @property
    def name(self) -> str: ...

    def measure(self, connections: int, pace: Pace) -> Run:
        """Puts it under load once.

        Raises:
            BenchmarkError: an answer was not right.
        """


def run_of(
    name: str,
    latencies_ms: list[float],
    seconds: float,
    *,
    server_cpu_seconds: float | None = None,
    client_cpu_seconds: float | None = None,
) -> Run:
    """Raises BenchmarkError where too little was answered for a percentile."""
    calls = len(latencies_ms)
    if calls < 2:
        raise BenchmarkError(f"{name}: {calls} calls were answered within {seconds:.1f} s; measure longer (--seconds)")
    percentiles = statistics.quantiles(latencies_ms, n=100, method="inclusive")
    return Run(
        per_second=calls / seconds,
        p50_ms=percentiles[49],
        p99_ms=percentiles[98],
        calls=calls,
        cpu_ms=None if server_cpu_seconds is None else server_cpu_seconds / calls * 1000,
        client_cpu=None if client_cpu_seconds is None else client_cpu_seconds / seconds,
    )
