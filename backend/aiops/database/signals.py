"""Word from process to process, over PostgreSQL's NOTIFY and LISTEN. It only hastens what is looked up anyway.

What is said is sent after the transaction it tells of, several at once, never inside it: a transaction that notifies
keeps all others that do from committing until it has reached the disk (decision 0028). SQLite has nothing of the kind:
there nothing is sent or heard.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping

import psycopg
import structlog
from psycopg.conninfo import make_conninfo
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import Text

from aiops.database.engine import CONNECTING, Database, async_url

log = structlog.get_logger()

WORDS_MAX = 1000  # what waits to be sent; beyond, the receivers look for themselves
ECHO_SECONDS = 5.0
DEAF_SECONDS = 2 * ECHO_SECONDS
RECONNECT_SECONDS = 0.5
_NOTIFY = text("SELECT pg_notify(channel, word) FROM unnest(:channels, :words) AS said (channel, word)").bindparams(
    bindparam("channels", type_=ARRAY(Text)), bindparam("words", type_=ARRAY(Text))
)

Hear = Callable[[str], None]


class Signals:
    """`listen_url` is where PostgreSQL is listened to: LISTEN needs a session of its own, which a pooler may not give.

    `is_hearing` as long as what is said arrives: it says something to itself from time to time, so that neither a
    connection that has silently died nor a pooler in between goes unnoticed.
    """

    def __init__(self, database: Database, listen_url: str | None = None) -> None:
        self._database = database
        self._address = async_url(listen_url) if listen_url else database.url
        self._said: dict[tuple[str, str], None] = {}
        self._has_said = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._heard_at = float("-inf")
        self._echo = f"aiops_echo_{secrets.token_hex(6)}"

    @property
    def is_hearing(self) -> bool:
        return asyncio.get_running_loop().time() - self._heard_at < DEAF_SECONDS

    def say(self, channel: str, word: str = "") -> None:
        """Tells all processes that listen, this one too, in a moment; the same word once."""
        if not self._database.is_sqlite and len(self._said) < WORDS_MAX:
            self._said[channel, word] = None
            self._has_said.set()

    def start(self, hear: Mapping[str, Hear], on_connect: Callable[[], None]) -> None:
        """Sends from now on, and calls `hear` by channel; `on_connect` when words may have been missed."""
        if not self._database.is_sqlite:
            listening = self._listen({**hear, self._echo: self._hear_echo}, on_connect)
            self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(listening)]

    async def stop(self) -> None:
        """What has been said before is sent, if the database is there."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._said:
            await self._send_said()

    async def _send(self) -> None:
        while True:
            await self._has_said.wait()
            await self._send_said()

    async def _send_said(self) -> None:
        self._has_said.clear()
        said, self._said = list(self._said), {}
        try:
            async with self._database.engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                channels, words = zip(*said, strict=True)
                await connection.execute(_NOTIFY, {"channels": list(channels), "words": list(words)})
        except asyncio.CancelledError:  # by `stop`, which sends what has not been; a word may come twice
            self._said = dict.fromkeys(said) | self._said
            raise
        except (SQLAlchemyError, OSError) as error:
            log.warning("signals_not_sent", signals=len(said), error=type(error).__name__)

    async def _listen(self, hear: Mapping[str, Hear], on_connect: Callable[[], None]) -> None:
        while True:
            try:
                await self._listen_once(hear, on_connect)
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("signals_lost", error=type(error).__name__)
            self._heard_at = float("-inf")
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_once(self, hear: Mapping[str, Hear], on_connect: Callable[[], None]) -> None:
        """Until the connection is lost, or nothing arrives of what is said here."""
        address = self._address.set(drivername="postgresql").render_as_string(hide_password=False)
        options = make_conninfo(address, application_name="aiops listens", **CONNECTING)
        connecting = psycopg.AsyncConnection.connect(options, autocommit=True)
        async with await connecting as connection:
            for channel in hear:
                await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
            connected_at = asyncio.get_running_loop().time()
            on_connect()
            while asyncio.get_running_loop().time() - max(self._heard_at, connected_at) < DEAF_SECONDS:
                self.say(self._echo)
                async for notice in connection.notifies(timeout=ECHO_SECONDS):
                    hear[notice.channel](notice.payload)
        log.warning("signals_not_heard", advice="LISTEN needs a session: set AIOPS_LISTEN_URL past a pooler.")

    def _hear_echo(self, _word: str) -> None:
        self._heard_at = asyncio.get_running_loop().time()
