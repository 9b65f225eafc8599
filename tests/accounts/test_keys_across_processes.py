"""A key is revoked in every process at once, and stored in clear in none of their files and tables."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from aiops.accounts import keys
from aiops.accounts.authentication import create_key, list_keys, revoke_key
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.runtime import utc_now
from tests.fixtures.forked import forked
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE

PROCESSES = 4


@pytest.fixture
def servers(tmp_path: Path, database_url: str) -> Iterator[list[StubServer]]:
    with ExitStack() as stack:
        servers = [stack.enter_context(stub_server(tmp_path, database_url)) for _ in range(PROCESSES)]
        for server in servers:
            stack.enter_context(forked(server))
        yield servers


async def statuses(clients: list[httpx.AsyncClient], key: str) -> list[int]:
    headers = {"Authorization": f"Bearer {key}"}
    return [(await client.post(IMAGE, json={"prompt": "a heron"}, headers=headers)).status_code for client in clients]


async def test_a_key_that_is_revoked_opens_nothing_in_any_process_and_is_kept_nowhere(
    servers: list[StubServer], database_url: str, tmp_path: Path
) -> None:
    account_id, used = await make_customer(database_url, load_plans(None), plan="business")
    database = Database(database_url)
    async with database.write() as session:
        day = timedelta(days=1)
        expired = await create_key(session, account_id, "for a day", utc_now(), utc_now() + day)
        unused = await create_key(session, account_id, "unused", utc_now())
        revoked = await create_key(session, account_id, "to be revoked", utc_now())
        revoked_id = next(row.id for row in await list_keys(session, account_id) if row.name == "to be revoked")
    none_kept = httpx.Limits(max_keepalive_connections=0)
    clients = [httpx.AsyncClient(base_url=server.url, timeout=60, limits=none_kept) for server in servers]
    for key in (used, expired, revoked):
        assert await statuses(clients, key) == [200] * PROCESSES
    async with database.write() as session:
        await revoke_key(session, revoked_id, utc_now())
    assert await statuses(clients, revoked) == [401] * PROCESSES
    servers[0].advance(day.total_seconds())
    unknown, malformed = keys.new_key(), used[:-1]
    for key in (expired, unknown, malformed):
        assert await statuses(clients, key) == [401] * PROCESSES
    assert await statuses(clients, used) == [200] * PROCESSES
    for client in clients:
        await client.aclose()
    await database.close()

    kept = {**files_below(tmp_path), **rows_of(database_url)}
    assert any(keys.digest(used).encode() in content for content in kept.values()), "the dump is empty"
    assert any(b"a heron" in content for content in kept.values())
    bodies = [key[len(keys.PREFIX) : -keys.CHECKSUM_LENGTH] for key in (used, expired, unused, revoked, unknown)]
    assert [place for place, content in kept.items() for body in bodies if body.encode() in content] == []


def files_below(folder: Path) -> dict[str, bytes]:
    """The database with its WAL, the log, and whatever else a server writes."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows_of(url: str) -> dict[str, bytes]:
    """Every row of every table of a PostgreSQL database, as text."""
    if not url.startswith("postgresql"):
        return {}
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {
            name: "\n".join(row for (row,) in connection.execute(f'SELECT t::text FROM "{name}" t')).encode()
            for (name,) in tables
        }
