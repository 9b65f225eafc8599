"""The service's own functions under load, without HTTP."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from tests.benchmarks.callers import Order
from tests.benchmarks.load import Measured
from tests.benchmarks.measured import BenchmarkError, Pace, Run, run_of
from tests.benchmarks.servers import ROOT

Callers = subprocess.Popen[str]


@dataclass(frozen=True, slots=True)
class CallersTarget:
    """A function (`hold` or `submit`) and a database with the accounts `acc_0` to `acc_N` to call it for."""

    name: str
    callers: Callers
    act: str
    database_url: str
    accounts: int

    def measure(self, connections: int, pace: Pace) -> Run:
        order = Order(self.act, self.database_url, self.accounts, connections, pace.ramp_seconds, pace.seconds)
        assert self.callers.stdin is not None
        assert self.callers.stdout is not None
        print(json.dumps(asdict(order)), file=self.callers.stdin, flush=True)
        line = self.callers.stdout.readline()
        if not line:
            raise BenchmarkError(f"{self.name}: the callers have ended")
        measured = Measured(**json.loads(line))
        return run_of(
            self.name, measured.latencies_ms, measured.seconds, server_cpu_seconds=measured.server_cpu_seconds
        )


@contextmanager
def calling() -> Iterator[Callers]:
    """Starts the process of the callers. It ends with its input; of an error it tells by itself."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.callers"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
