"""The same SQL without the service: a script by pgbench, over a socket to the same PostgreSQL."""

import math
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aiops.database.engine import POOL_OVERFLOW, POOL_SIZE
from tests.benchmarks.measured import BenchmarkError, Pace, Run, run_of

CALL = Path(__file__).with_name("call.sql")
HOLD = Path(__file__).with_name("hold.sql")
CONNECTIONS_MAX = POOL_SIZE + POOL_OVERFLOW


@dataclass(frozen=True, slots=True)
class PgbenchTarget:
    """A database with the accounts `acc_0` to `acc_N`, of which the first `accounts` are used.

    It has no more connections than the service's own pool, however many calls there are at once.
    """

    name: str
    program: Path
    script: Path
    database_url: str
    accounts: int

    def measure(self, connections: int, pace: Pace) -> Run:
        with tempfile.TemporaryDirectory(prefix="pgbench-") as folder:
            seconds = math.ceil(pace.ramp_seconds + pace.seconds)
            self._run(connections, ["--time", str(seconds), "--log", "--log-prefix", f"{folder}/log"])
            (log,) = Path(folder).iterdir()
            transactions = [_parse(line) for line in log.read_text().splitlines()]
        start = min(ended_at - milliseconds / 1000 for ended_at, milliseconds in transactions) + pace.ramp_seconds
        latencies = [milliseconds for ended_at, milliseconds in transactions if 0 <= ended_at - start < pace.seconds]
        return run_of(self.name, latencies, pace.seconds)

    def fill(self, calls: int) -> None:
        """Makes a past: `calls` calls that have been answered."""
        self._run(CONNECTIONS_MAX, ["--transactions", str(math.ceil(calls / CONNECTIONS_MAX))])

    def _run(self, connections: int, options: list[str]) -> None:
        command = [
            str(self.program),
            *("--file", str(self.script), "--protocol", "prepared", "--no-vacuum"),
            *("--client", str(min(connections, CONNECTIONS_MAX)), "--define", f"accounts={self.accounts}"),
            *options,
            self.database_url,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchmarkError(f"pgbench: {done.stderr[-2000:]}")


def _parse(line: str) -> tuple[float, float]:
    """When a transaction ended, in seconds since 1970, and how many milliseconds it took."""
    _client, _number, microseconds, _script, seconds, fraction = line.split()[:6]
    return int(seconds) + int(fraction) / 1_000_000, int(microseconds) / 1000
