"""A ledger so large that to compute it anew takes longer than a statement may: here the limit is small instead."""

from pathlib import Path

import pytest
from sqlalchemy import update

from aiops.database import engine
from aiops.database.tables import Account
from aiops.ledger import verify
from tests.fixtures.command import Run
from tests.fixtures.service import running_service
from tests.fixtures.visitor import visitor

LIMIT = "1s"
LONG = ("SELECT 1 FROM pg_sleep(1.5) AS slept WHERE slept::text <> ''", "")


def take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "RULES", (LONG, *verify.RULES))


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    options = engine.POSTGRESQL_OPTIONS
    assert "statement_timeout=60s" in options
    monkeypatch.setattr(engine, "POSTGRESQL_OPTIONS", options.replace("=60s", f"={LIMIT}"))


def test_the_command_takes_the_time_it_needs(
    run: Run, postgresql_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_long(monkeypatch)
    result = run("ledger", "verify", database_url=postgresql_database_url)
    assert (result.code, result.out, result.err) == (0, "The ledger is in order.\n", "")


async def test_the_page_names_the_command(
    tmp_path: Path, postgresql_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_service(tmp_path, postgresql_database_url) as service:
        person = visitor(service)
        await person.sign_up("owner@example.com")
        async with service.runtime.database.write() as session:
            await session.execute(update(Account).values(is_administrator=True))
        with monkeypatch.context() as patched:
            take_long(patched)
            page = await person.get("/admin/ledger")
        assert page.status_code == 200
        assert "<code>aiops ledger verify</code>" in page.text
        assert "longer than a page may" in page.text
        assert "in order" not in page.text
        assert "in order" in (await person.get("/admin/ledger")).text
