"""Word between processes over PostgreSQL, also where the connection is lost or a pooler is in between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg
import pytest

from aiops.database import signals
from aiops.database.engine import POOL_OVERFLOW, POOL_SIZE, Database
from aiops.database.signals import Signals
from tests.fixtures.proxy import proxied
from tests.fixtures.service import until


class Ear:
    """What was heard on the channel `news`, and how often there was a new connection."""

    def __init__(self, signals: Signals) -> None:
        self.signals = signals
        self.heard: list[str] = []
        self.connections = 0

    def connect(self) -> None:
        self.connections += 1

    async def hears(self, word: str) -> None:
        async def has_heard() -> bool:
            return word in self.heard

        await until(has_heard, 20)


@asynccontextmanager
async def listening(url: str, listen_url: str | None = None) -> AsyncIterator[Ear]:
    database = Database(url)
    ear = Ear(Signals(database, listen_url))
    ear.signals.start({"news": ear.heard.append}, ear.connect)
    try:
        yield ear
    finally:
        await ear.signals.stop()
        await database.close()


async def is_hearing(ear: Ear) -> bool:
    return ear.signals.is_hearing


async def test_what_is_said_is_heard_by_all_in_order(postgresql_database_url: str) -> None:
    async with listening(postgresql_database_url) as one, listening(postgresql_database_url) as other:
        for ear in (one, other):
            await until(lambda ear=ear: is_hearing(ear))  # type: ignore[misc]
        for number in range(300):
            one.signals.say("news", str(number))
        for ear in (one, other):
            await ear.hears("299")
            assert ear.heard == [str(number) for number in range(300)]


async def test_a_connection_that_is_cut_is_made_anew(postgresql_database_url: str) -> None:
    async with listening(postgresql_database_url) as ear:
        await until(lambda: is_hearing(ear))
        with psycopg.connect(postgresql_database_url, autocommit=True) as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aiops listens'"
            )

            async def is_connected_anew() -> bool:
                return ear.connections == 2

            await until(is_connected_anew)
        ear.signals.say("news", "still there")
        await ear.hears("still there")


async def test_a_connection_that_has_silently_died_is_noticed(
    postgresql_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing arrives over it any more, and nobody says so."""
    monkeypatch.setattr(signals, "ECHO_SECONDS", 0.1)
    monkeypatch.setattr(signals, "DEAF_SECONDS", 0.5)
    async with (
        proxied(postgresql_database_url) as (through_proxy, proxy),
        listening(postgresql_database_url, through_proxy) as ear,
    ):
        await until(lambda: is_hearing(ear))
        proxy.is_silent = True

        async def is_deaf() -> bool:
            return not ear.signals.is_hearing

        await until(is_deaf)
        proxy.is_silent = False
        await until(lambda: is_hearing(ear))
        ear.signals.say("news", "back again")
        await ear.hears("back again")


async def test_a_server_that_is_away_is_waited_for(postgresql_database_url: str) -> None:
    async with proxied(postgresql_database_url) as (through_proxy, proxy):
        proxy.is_away = True
        async with listening(postgresql_database_url, through_proxy) as ear:
            await asyncio.sleep(2 * signals.RECONNECT_SECONDS)
            assert not ear.signals.is_hearing
            proxy.come_back()
            await until(lambda: is_hearing(ear))


async def test_what_is_being_sent_at_the_stop_is_sent(postgresql_database_url: str) -> None:
    """As by a worker whose job ends because it stops, while all connections are at work."""
    database = Database(postgresql_database_url)
    async with listening(postgresql_database_url) as ear:
        await until(lambda: is_hearing(ear))
        leaving = Signals(database)
        leaving.start({}, lambda: None)
        async with AsyncExitStack() as at_work:
            for _ in range(POOL_SIZE + POOL_OVERFLOW):
                await at_work.enter_async_context(database.engine.connect())
            leaving.say("news", "the job has ended")
            await asyncio.sleep(0.1)  # in which sending begins
            stopping = asyncio.create_task(leaving.stop())
            await asyncio.sleep(0.1)
        await stopping
        await ear.hears("the job has ended")
    await database.close()


async def test_sqlite_has_nothing_of_the_kind(new_database: Callable[[str], str]) -> None:
    async with listening(new_database("sqlite")) as ear:
        ear.signals.say("news", "nobody hears")
        assert (ear.signals.is_hearing, ear.heard, ear.connections) == (False, [], 0)
