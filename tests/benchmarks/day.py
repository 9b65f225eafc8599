"""A day of traffic at a hundred times the load that was measured: `python -m tests.benchmarks.day`.

First each service of the embedded provider is called a few times, one call after the other: that is how long its work
takes, and a hundred times what one slot gets through of the mix is the day's mean. Then a day passes second by second:
calls come at random around a curve with one peak, and slots take them in order, as many as they get through. What comes
of it is said for several numbers of slots: how long the queue grows and how long a call waits.
"""

import asyncio
import json
import math
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from tests.benchmarks.databases import PLANS, prepare
from tests.benchmarks.servers import Server, serving

TIMES_THE_LOAD = 100
DAY_SECONDS = 86_400
PEAK = 2.5  # times the mean, in the afternoon
CALLS_MEASURED = 5
DEADLINE_SECONDS = 240
MIX: Mapping[str, float] = {"image_gen": 0.5, "tts": 0.3, "transcribe": 0.2}
SLOTS = (1.0, 2.0, 2.4, 2.6, 3.0)  # times what the mean load keeps busy
SENTENCE = "Good morning. Your parcel will arrive on Tuesday between nine and eleven."


@dataclass(frozen=True, slots=True)
class Day:
    """Waits are in seconds; `late` is the share of calls that would not have begun within the time of a job."""

    slots: int
    busy: float
    longest_queue: int
    wait_p50: float
    wait_p99: float
    wait_max: float
    late: float


def service_seconds(server: Server, key: str) -> dict[str, float]:
    """The median time of a call to each service."""
    speech = _call(server, key, "tts", {"text": SENTENCE})[1]
    bodies = {
        "image_gen": {"prompt": "A lighthouse on a cliff at sunset"},
        "tts": {"text": SENTENCE},
        "transcribe": {"audio_url": speech["audio_url"]},
    }
    return {
        name: statistics.median(_call(server, key, name, body)[0] for _ in range(CALLS_MEASURED))
        for name, body in bodies.items()
    }


def _call(server: Server, key: str, service: str, body: dict[str, str]) -> tuple[float, dict[str, Any]]:
    started = time.perf_counter()
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/api/services/{service}",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return time.perf_counter() - started, json.load(answer)


def arrivals_per_second(mean: float) -> numpy.ndarray:
    """The curve of a day: its mean is `mean`, its peak PEAK times that, its night what is left."""
    seconds = numpy.arange(DAY_SECONDS)
    shape = numpy.exp(_sharpness() * (numpy.cos(2 * math.pi * (seconds / DAY_SECONDS - 0.6)) - 1))
    curve: numpy.ndarray = shape / shape.mean() * mean
    return curve


def _sharpness() -> float:
    """How pointed the curve has to be for its peak: found by halving."""
    low, high = 0.01, 20.0
    angles = numpy.linspace(0, 2 * math.pi, 1000)
    for _ in range(50):
        middle = (low + high) / 2
        peak = 1 / numpy.exp(middle * (numpy.cos(angles) - 1)).mean()
        low, high = (middle, high) if peak < PEAK else (low, middle)
    return low


def simulate(mean_per_second: float, mean_seconds: float, slots: int, seed: int = 1) -> Day:
    """A second takes what has come, as far as the slots get through it: their work is short beside a second's queue."""
    random = numpy.random.default_rng(seed)
    arrived = random.poisson(arrivals_per_second(mean_per_second))
    capacity = random.poisson(slots / mean_seconds, DAY_SECONDS)
    queue, begun = 0, numpy.zeros(DAY_SECONDS, dtype=numpy.int64)
    queues = numpy.zeros(DAY_SECONDS, dtype=numpy.int64)
    for second in range(DAY_SECONDS):
        queue += int(arrived[second])
        begin = min(queue, int(capacity[second]))
        queue -= begin
        begun[second], queues[second] = begin, queue
    waits, weights = _waits(arrived, begun)
    return Day(
        slots=slots,
        busy=float(begun.sum()) * mean_seconds / DAY_SECONDS / slots,
        longest_queue=int(queues.max()),
        wait_p50=_quantile(waits, weights, 0.5),
        wait_p99=_quantile(waits, weights, 0.99),
        wait_max=float(waits.max()),
        late=float(weights[waits > DEADLINE_SECONDS].sum() / weights.sum()),
    )


def _waits(arrived: numpy.ndarray, begun: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """How long the last call of each second waits, first come first served, and for how many it stands."""
    served = numpy.cumsum(begun)
    begins = numpy.searchsorted(served, numpy.cumsum(arrived))
    waits: numpy.ndarray = begins - numpy.arange(DAY_SECONDS)
    return waits, arrived


def _quantile(values: numpy.ndarray, weights: numpy.ndarray, share: float) -> float:
    order = numpy.argsort(values)
    reached = numpy.searchsorted(numpy.cumsum(weights[order]), share * weights.sum())
    return float(values[order][reached])


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="aiops-bench-") as name:
        folder = Path(name)
        (folder / "plans.yaml").write_text(PLANS)
        url = f"sqlite:///{folder / 'aiops.sqlite3'}"
        keys = asyncio.run(prepare(url, 1))
        variables = {"AIOPS_DATABASE_URL": url, "AIOPS_PLANS_FILE": str(folder / "plans.yaml")}
        with serving("embedded", folder / "embedded", variables) as server:
            seconds = service_seconds(server, keys[0])
    mean_seconds = sum(share * seconds[name] for name, share in MIX.items())
    mean = TIMES_THE_LOAD / mean_seconds
    print("\nA call takes", ", ".join(f"{name} {one:.2f} s" for name, one in seconds.items()))
    print(f"of the mix {mean_seconds:.2f} s. A day at {TIMES_THE_LOAD} times that load: {mean:,.0f} calls a second in")
    print(f"the mean, {mean * PEAK:,.0f} at the peak, {mean * DAY_SECONDS / 1e6:.1f} million in all.")
    heads = f"{'longest queue':>15}{'wait p50 s':>12}{'p99 s':>9}{'max s':>9}{'late':>8}"
    print(f"\n{'slots':>8}{'x mean':>8}{'busy':>7}{heads}")
    for times in SLOTS:
        day = simulate(mean, mean_seconds, math.ceil(times * TIMES_THE_LOAD))
        line = f"{day.slots:8}{times:8.1f}{day.busy:7.0%}{day.longest_queue:15,}{day.wait_p50:12.0f}"
        print(line + f"{day.wait_p99:9,.0f}{day.wait_max:9,.0f}{day.late:8.1%}")


if __name__ == "__main__":
    main()
