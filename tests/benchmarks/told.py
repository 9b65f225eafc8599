"""How soon a job's end is known: from its settlement to the call that waits for it, and to its callback URL."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx

from aiops.runtime import utc_now
from tests.benchmarks.databases import Postgresql, prepare
from tests.benchmarks.measured import BenchmarkError, Pace, Run, run_of
from tests.benchmarks.servers import Server, service_variables, serving
from tests.benchmarks.suite import Case, Suite
from tests.fixtures.ports import free_port

CONNECTIONS_MAX = 8  # beyond, the deliveries to one host wait for each other, as they are meant to
ANSWER, EVENT = "to the call", "to the callback URL"
ELSEWHERE, UNTOLD = "another process", "that is not heard"
NOBODY = "postgresql://127.0.0.1:1/nobody"
OPTIONS = {
    ELSEWHERE: {"AIOPS_JOB_SLOTS": "0"},
    UNTOLD: {"AIOPS_JOB_SLOTS": "0", "AIOPS_LISTEN_URL": NOBODY},
}
RECEIVED = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
LATE_SECONDS = 30


@dataclass
class Told:
    """When jobs had ended, and when that was known, by their ids."""

    settled: dict[str, datetime] = field(default_factory=dict)
    known: dict[str, dict[str, datetime]] = field(default_factory=lambda: {ANSWER: {}, EVENT: {}})
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def event(self, body: bytes) -> None:
        job = json.loads(body)["data"]
        self.known[EVENT][job["id"]] = utc_now()
        self.settled[job["id"]] = datetime.fromisoformat(job["finished_at"])
        self.arrived.set()

    def latencies_ms(self, what: str) -> list[float]:
        return [(self.known[what][job] - at).total_seconds() * 1000 for job, at in self.settled.items()]


@dataclass(frozen=True, slots=True)
class ToldTarget:
    """A server that is called with a callback URL on `port`, by as many callers as there are connections."""

    name: str
    what: str
    server: Server
    keys: list[str]
    port: int

    def measure(self, connections: int, pace: Pace) -> Run:
        told = asyncio.run(self._call(connections, pace.ramp_seconds + pace.seconds))
        return run_of(self.name, told.latencies_ms(self.what), pace.ramp_seconds + pace.seconds)

    async def _call(self, connections: int, seconds: float) -> Told:
        told = Told()
        async with _receiving(told, self.port):
            ends_at = asyncio.get_running_loop().time() + seconds
            await asyncio.gather(*(self._call_until(ends_at, number, told) for number in range(connections)))
            await _all_told(told)
        return told

    async def _call_until(self, ends_at: float, number: int, told: Told) -> None:
        headers = {"Authorization": f"Bearer {self.keys[number % len(self.keys)]}"}
        body = {"prompt": "A lighthouse on a cliff at sunset", "callback_url": f"http://127.0.0.1:{self.port}/"}
        url = f"http://127.0.0.1:{self.server.port}"
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            while asyncio.get_running_loop().time() < ends_at:
                answer = await client.post("/api/services/image_gen", json=body)
                if answer.status_code != 200:
                    raise BenchmarkError(f"{self.name}: {answer.status_code} {answer.text[:300]}")
                told.known[ANSWER][answer.json()["job_id"]] = utc_now()


async def _all_told(told: Told) -> None:
    try:
        async with asyncio.timeout(LATE_SECONDS):
            while told.known[ANSWER].keys() - told.settled.keys():
                told.arrived.clear()
                await told.arrived.wait()
    except TimeoutError:
        raise BenchmarkError("some jobs' ends were not told") from None


@asynccontextmanager
async def _receiving(told: Told, port: int) -> AsyncIterator[None]:
    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
        told.event(await reader.readexactly(length))
        writer.write(RECEIVED)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(receive, "127.0.0.1", port):
        yield


@contextmanager
def told(folder: Path, server: Postgresql) -> Iterator[Suite]:
    """Starts a server on each database, and on PostgreSQL two more whose jobs are done in another process: one that is
    told of their ends, and one that has to look for them. Stops them at the end."""
    urls = {"SQLite": f"sqlite:///{folder / 'told.sqlite3'}", "PostgreSQL": server.create("told")}
    urls[ELSEWHERE], urls[UNTOLD] = server.create("told_elsewhere"), server.create("told_nothing")
    plans, port = folder / "plans.yaml", free_port()
    cases = []
    with ExitStack() as stack:
        for name, url in urls.items():
            keys = asyncio.run(prepare(url))
            variables = {"AIOPS_PLANS_FILE": str(plans), "AIOPS_PRIVATE_HOSTS": f"127.0.0.1:{port}"}
            options = {**service_variables(url), **variables, **OPTIONS.get(name, {})}
            if name in OPTIONS:
                stack.enter_context(serving("service", folder / f"worker_{name}", {**options, "AIOPS_JOB_SLOTS": "8"}))
            running = stack.enter_context(serving("service", folder / f"told_{name}", options))
            for what in (ANSWER, EVENT):
                target = ToldTarget(f"{what}, {name}", what, running, keys, port)
                cases.append(Case(target, connections_max=CONNECTIONS_MAX))
        yield Suite("ends told", cases, {f"told, {name}": url for name, url in urls.items()}, [])
