"""A rolling upgrade: servers of the code before the newest migration, and of this code, side by side over it."""

import asyncio
import io
import os
import re
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import func, select
from sqlmodel import col

from aiops.database.engine import Database
from aiops.database.migrate import MIGRATIONS, downgrade
from aiops.database.tables import Job
from aiops.ledger.verify import missing_files, verify
from aiops.runtime import utc_now
from aiops.storage.folder import FolderStore
from tests.fixtures.ports import free_port
from tests.fixtures.service import SPEECH, until

ROOT = Path(__file__).parents[2]
NEWEST = ScriptDirectory(str(MIGRATIONS)).get_revision("head")
CALLERS = 3
PAUSE_SECONDS = 0.3  # so that they stay below what a plan allows in a minute
CALLS_MIN = 10  # between two steps
START_SECONDS = 90


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def migrations_at(commit: str) -> set[str]:
    folder = (MIGRATIONS / "versions").relative_to(ROOT)
    listed = git("ls-tree", "--name-only", commit, f"{folder}/").decode().split()
    return {Path(path).name for path in listed}


def code_before() -> str | None:
    """A commit that has all migrations but the newest, right before that came; None where git does not know."""
    assert NEWEST is not None
    arguments = ["log", "--first-parent", "-m", "--diff-filter=A", "--format=%P", "--", NEWEST.path]
    try:
        all_but_newest = migrations_at("HEAD") - {Path(NEWEST.path).name}
        parents = git(*arguments).decode().split()
        return next((commit for commit in parents if migrations_at(commit) == all_but_newest), None)
    except (OSError, subprocess.CalledProcessError):
        return None


BEFORE = code_before() or "NOT RUN: the history of this repository is not here"


@dataclass
class Deployment:
    """Servers by name, each in a process of its own; `addresses` are those that the proxy would pass calls to."""

    folder: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def aiops(self, name: str, code: Path, *arguments: str) -> subprocess.Popen[bytes]:
        """Runs a command of the code in a folder."""
        environment = {
            **self.environment,
            "PYTHONPATH": str(code / "backend"),
            "AIOPS_DATA_DIR": str(self.folder / name),
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-m", "aiops", *arguments]
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    async def start(self, name: str, code: Path) -> None:
        address = f"127.0.0.1:{free_port()}"
        self.processes[name] = self.aiops(name, code, "serve", "--port", address.rpartition(":")[2])
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:

            async def is_ready() -> bool:
                assert self.processes[name].poll() is None, self.log(name)
                try:
                    return (await client.get("/ready")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_ready, START_SECONDS)
        self.addresses[name] = address

    async def stop(self, name: str) -> None:
        """As whoever exchanges it does: no more calls, then the signal; calls that it has are answered."""
        del self.addresses[name]
        process = self.processes.pop(name)
        process.terminate()
        assert await asyncio.to_thread(process.wait, 40) in (0, -15), self.log(name)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@contextmanager
def deployment(folder: Path, database_url: str) -> Iterator[Deployment]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIOPS_")}
    running = Deployment(
        folder,
        {
            **inherited,
            "AIOPS_DATABASE_URL": database_url,
            "AIOPS_STORAGE_URL": f"file://{folder / 'files'}",
            "AIOPS_PUBLIC_URL": "http://aiops.test",
            "AIOPS_SECRET_KEY": "secret of the tests",
        },
    )
    try:
        yield running
    finally:
        for process in running.processes.values():
            process.kill()
            process.wait()


@asynccontextmanager
async def callers(running: Deployment, key: str) -> AsyncIterator[Counter[int]]:
    """Callers who never stop, at one server after the other; what they are answered, by status."""
    answers: Counter[int] = Counter()
    stopping = asyncio.Event()

    async def call(number: int) -> None:
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            while not stopping.is_set():
                addresses = list(running.addresses.values())
                address = addresses[(answers.total() + number) % len(addresses)]
                body = {"text": "Good morning."}
                answer = await client.post(f"http://{address}{SPEECH}", json=body, headers={"Connection": "close"})
                answers[answer.status_code] += 1
                assert answer.status_code == 200, answer.text
                await asyncio.sleep(PAUSE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for number in range(CALLERS):
            group.create_task(call(number))
        try:
            yield answers
        finally:
            stopping.set()


async def has_answered_more(answers: Counter[int]) -> None:
    enough = answers.total() + CALLS_MIN

    async def is_enough() -> bool:
        return answers.total() >= enough

    await until(is_enough)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("before", [BEFORE])
async def test_nothing_fails_while_servers_are_exchanged(
    before: str, tmp_path: Path, postgresql_database_url: str
) -> None:
    """Where the history is not there, the name of the test says so; the rules of migrations are held to elsewhere."""
    if code_before() is None:
        return
    assert NEWEST is not None
    with tarfile.open(fileobj=io.BytesIO(git("archive", before, "backend", "openapi"))) as archive:
        archive.extractall(old := tmp_path / "old", filter="data")
    downgrade(postgresql_database_url, str(NEWEST.down_revision))
    with deployment(tmp_path, postgresql_database_url) as running:
        await running.start("old1", old)
        await running.start("old2", old)
        (key,) = re.findall(r"^API key: (\S+)$", running.log("old1"), re.MULTILINE)
        async with callers(running, key) as answers:
            await has_answered_more(answers)
            migration = running.aiops("migration", ROOT, "db", "upgrade")
            assert await asyncio.to_thread(migration.wait, START_SECONDS) == 0, running.log("migration")
            await has_answered_more(answers)
            for number in (1, 2):
                await running.start(f"new{number}", ROOT)
                await has_answered_more(answers)
                await running.stop(f"old{number}")
                await has_answered_more(answers)
        assert list(answers) == [200]
        await check(postgresql_database_url, tmp_path / "files", answers[200])


async def check(database_url: str, files: Path, calls: int) -> None:
    database = Database(database_url)
    async with database.read() as session:
        by_status = select(col(Job.status), func.count()).group_by(col(Job.status))
        assert dict((await session.execute(by_status)).all()) == {"succeeded": calls}
    assert await verify(database, utc_now(), grace_seconds=0) == []
    assert await missing_files(database, FolderStore(files), utc_now()) == []
    await database.close()
    print(f"{calls} calls")
