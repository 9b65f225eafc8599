"""The load, in a process of its own: `python -m tests.benchmarks.load` reads a `Load` as JSON and prints `Measured`.

A client library would be slower than what it measures. Each connection is kept open and sends one prepared request
after the other; of an answer only the status, the length and one mark in the body are looked at.
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
DRAIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: each connection sends one of `requests`, again and again; an answer has `status`, and `mark` in its
    body. `pids` are the server's processes.

    What is answered within the first `ramp_seconds` is not counted, nor what is answered after `seconds` more.
    """

    port: int
    pids: list[int]
    connections: int
    requests: list[str]
    mark: str
    status: int
    ramp_seconds: float
    seconds: float


@dataclass(slots=True)
class Measured:
    """What came of it. CPU time is that of the time that counts; `failure` is the first answer that was not right."""

    seconds: float = 0
    latencies_ms: list[float] = field(default_factory=list)
    server_cpu_seconds: float = 0
    client_cpu_seconds: float = 0
    failure: str | None = None


class _Connection(asyncio.Protocol):
    """Sends its request again as soon as it is answered, until the run is over."""

    def __init__(self, run: "_Run", request: bytes) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._run = run
        self._request = request
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send(transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._received += data
        head, end, body = self._received.partition(HEAD_END)
        if not end or len(body) < _length(head):
            return
        self._run.answered(time.perf_counter() - self._sent_at)
        if not head.startswith(self._run.status) or self._run.mark not in body:
            self._run.fail((head.splitlines()[0] + b" " + body[:300]).decode())
        self._received = b""
        if self._run.is_over:
            self._transport.close()
        else:
            self._send(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._run.is_over:
            self._run.fail(f"the server closed a connection: {exc}")
        self.closed.set_result(None)

    def _send(self, transport: asyncio.Transport) -> None:
        self._sent_at = time.perf_counter()
        transport.write(self._request)


class _Run:
    """All connections together."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.mark = load.mark.encode()
        self.status = f"HTTP/1.1 {load.status} ".encode()
        self.measured = Measured()
        self.is_counting = False
        self.is_over = False

    def answered(self, latency_seconds: float) -> None:
        if self.is_counting:
            self.measured.latencies_ms.append(latency_seconds * 1000)

    def fail(self, failure: str) -> None:
        self.measured.failure = self.measured.failure or failure
        self.is_over = True

    async def run(self) -> Measured:
        load, measured = self.load, self.measured
        connections = await self._connect()
        await asyncio.sleep(load.ramp_seconds)
        started, server, client = time.perf_counter(), cpu_seconds(load.pids), time.process_time()
        self.is_counting = True
        await asyncio.sleep(load.seconds)
        self.is_counting = False
        measured.seconds = time.perf_counter() - started
        measured.server_cpu_seconds = cpu_seconds(load.pids) - server
        measured.client_cpu_seconds = time.process_time() - client
        self.is_over = True
        _, hanging = await asyncio.wait([one.closed for one in connections], timeout=DRAIN_SECONDS)
        if hanging:
            self.fail(f"{len(hanging)} calls were not answered within {DRAIN_SECONDS} s")
        return measured

    async def _connect(self) -> list[_Connection]:
        requests = [request.encode() for request in self.load.requests]
        return [await self._open(requests[number % len(requests)]) for number in range(self.load.connections)]

    async def _open(self, request: bytes) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: _Connection(self, request), "127.0.0.1", self.load.port)
        return connection


def _length(head: bytes) -> int:
    return int(head.lower().partition(LENGTH)[2].partition(b"\r")[0])


def cpu_seconds(pids: list[int]) -> float:
    """The CPU time that processes have used so far."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_Run(Load(**json.load(sys.stdin))).run()))))
