"""Servers under load: one process each, on a loopback port of its own."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.bare import PATH
from tests.benchmarks.load import Load, Measured
from tests.benchmarks.measured import BenchmarkError, Pace, Run, run_of

ROOT = Path(__file__).parents[2]
BODY = '{"prompt": "A lighthouse on a cliff at sunset", "aspect_ratio": "16:9"}'
START_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers, in one process or several that share its port."""

    port: int
    pids: list[int]

    def memory_mb(self, field: str) -> float:
        """`VmRSS` is what its processes occupy now, `VmHWM` the most they ever did."""
        found = [
            re.findall(rf"^{field}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
            for pid in self.pids
        ]
        return sum(int(kilobytes) for (kilobytes,) in found) / 1024


@dataclass(frozen=True, slots=True)
class ServerTarget:
    """A server and what it is sent; each connection sends one of `requests`. A right answer has `status`, and `mark` in
    its body."""

    name: str
    server: Server
    requests: Sequence[str]
    mark: str = '"success":true'
    status: int = 200

    def measure(self, connections: int, pace: Pace) -> Run:
        load = Load(
            port=self.server.port,
            pids=self.server.pids,
            connections=connections,
            requests=list(self.requests),
            mark=self.mark,
            status=self.status,
            ramp_seconds=pace.ramp_seconds,
            seconds=pace.seconds,
        )
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.load"],
            cwd=ROOT,
            input=json.dumps(asdict(load)),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        measured = Measured(**json.loads(done.stdout))
        if measured.failure is not None:
            raise BenchmarkError(f"{self.name}: {measured.failure}")
        return run_of(
            self.name,
            measured.latencies_ms,
            measured.seconds,
            server_cpu_seconds=measured.server_cpu_seconds,
            client_cpu_seconds=measured.client_cpu_seconds,
        )


@contextmanager
def serving(
    module: str, folder: Path, variables: Mapping[str, str] | None = None, processes: int = 1
) -> Iterator[Server]:
    """Starts `bare` or `service`, with AIOPS_* variables and none of those of the caller, and stops it at the end."""
    folder.mkdir()
    running = []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIOPS_")}
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        own = {"AIOPS_DATA_DIR": str(folder), "AIOPS_PUBLIC_URL": f"http://127.0.0.1:{port}"}
        with (folder / "log").open("wb") as log:
            for _ in range(processes):
                process = subprocess.Popen(
                    [sys.executable, "-m", "tests.benchmarks.serve", module, str(listener.fileno())],
                    cwd=ROOT,
                    env={**environment, **own, **(variables or {})},
                    pass_fds=[listener.fileno()],
                    stdout=log,
                    stderr=log,
                )
                running.append(process)
    try:
        _await_answer(module, port, folder / "log")
        yield Server(port, [process.pid for process in running])
    finally:
        for process in running:
            process.terminate()
        for process in running:
            _await_end(process)


def _await_end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_answer(module: str, port: int, log: Path) -> None:
    """The socket listens before the server does, so one call is enough: it waits, or fails when the process ends."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/health")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise BenchmarkError(f"{module} did not start: {error}\n{log.read_text()[-2000:]}") from error
    finally:
        connection.close()


def service_variables(database_url: str) -> dict[str, str]:
    """What a server of the service is told beside what all servers are."""
    return {"AIOPS_DATABASE_URL": database_url, "AIOPS_SECRET_KEY": "secret of the benchmark"}


def page_request(path: str, session: str) -> str:
    """A page, for whoever is signed in under a cookie."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: aiops_session={session}\r\n\r\n"


def get_request(path: str, key: str) -> str:
    """A call that only reads."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n"


def call_request(key: str, *more: str) -> str:
    """A call to a service, with `more` headers."""
    lines = (
        f"POST {PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
        *more,
    )
    return "\r\n".join((*lines, "", BODY))
