from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, TypeDecorator, create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

from aiops.database import tables
from aiops.database.engine import Database, async_url
from aiops.database.migrate import MIGRATIONS, MigrationError, check_migrated, downgrade, upgrade
from aiops.database.tables import Account, Entry, Job, Payment, RateWindow
from aiops.ledger.verify import verify

AT, FAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
BOUGHT: dict[str, Any] = {
    "id": "pi_1",
    "account_id": "acc_1",
    "kind": "pack",
    "description": "40 credits",
    "credits": 40,
    "currency": "usd",
    "created_at": AT,
}
EXAMPLES = {str: "x", int: 1, float: 1.0, bool: True, datetime: AT, dict: {"x": 1}, object: ["x"]}
STATUSES = {"queued": None, "running": None, "succeeded": "capture", "failed": "release", "cancelled": "release"}


def ask(url: str, question: Callable[[Connection], Any]) -> Any:
    parsed = async_url(url)
    engine = create_engine(parsed.set(drivername=parsed.drivername.removesuffix("+aiosqlite")))
    try:
        with engine.begin() as connection:
            return question(connection)
    finally:
        engine.dispose()


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, SQLModel.metadata))


def schema(connection: Connection) -> dict[str, Any]:
    """Tables, columns, indexes and constraints, as the database tells them."""
    found = inspect(connection)
    return {
        table: (
            sorted((one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(table)),
            sorted((one["name"], tuple(one["column_names"]), one["unique"]) for one in found.get_indexes(table)),
            sorted(str(one["name"]) for one in found.get_check_constraints(table)),
            sorted(tuple(one["constrained_columns"]) for one in found.get_foreign_keys(table)),
        )
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def test_the_migrated_schema_is_that_of_the_tables(database_url: str) -> None:
    assert ask(database_url, differences) == []
    migrated = ask(database_url, schema)
    downgrade(database_url, "base")
    ask(database_url, SQLModel.metadata.create_all)
    assert ask(database_url, schema) == migrated
    assert tables.Entry.__tablename__ in migrated


def test_migrations_go_down_and_up_again(database_url: str) -> None:
    before = ask(database_url, schema)
    downgrade(database_url, "base")
    assert ask(database_url, schema) == {}
    upgrade(database_url)
    assert ask(database_url, schema) == before


@pytest.fixture
def full_database_url(database_url: str) -> str:
    """A database with rows in each table: jobs in every status, entries of every kind."""
    ask(database_url, fill)
    return database_url


async def test_each_migration_keeps_every_row_when_it_is_undone_and_made_again(full_database_url: str) -> None:
    """What only a later revision knows, it makes anew; what the one before knew already stays as it was."""
    whole = ask(full_database_url, contents)
    for revision in ScriptDirectory(str(MIGRATIONS)).walk_revisions():
        if revision.down_revision is None:
            continue
        downgrade(full_database_url, str(revision.down_revision))
        older = ask(full_database_url, columns)
        upgrade(full_database_url)
        assert known_to(older, ask(full_database_url, contents)) == known_to(older, whole)
        assert await ledger_findings(full_database_url) == []
    assert await ledger_findings(full_database_url) == []


def test_a_full_database_goes_down_to_nothing_and_up_again(full_database_url: str) -> None:
    before = ask(full_database_url, schema)
    downgrade(full_database_url, "base")
    assert ask(full_database_url, everything_ours) == {"alembic_version"}
    upgrade(full_database_url)
    assert ask(full_database_url, schema) == before
    empty: dict[str, Any] = {table: [] for table in before}
    assert ask(full_database_url, contents) == {**empty, "schema_compatibility": [{"oldest_code": "0005"}]}


def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    before = ask(database_url, schema)
    upgrade(database_url)
    assert ask(database_url, schema) == before


async def test_a_database_that_is_not_migrated_is_told_with_what_to_do(database_url: str) -> None:
    downgrade(database_url, "base")
    database = Database(database_url)
    with pytest.raises(MigrationError, match="Run `aiops db upgrade`") as refusal:
        await check_migrated(database)
    assert "\n" not in str(refusal.value)
    upgrade(database_url)
    await check_migrated(database)
    await database.close()


def add_an_entry(connection: Connection) -> None:
    connection.execute(
        text(
            "INSERT INTO account (id, email, plan, is_administrator, credits, held, created_at)"
            " VALUES ('acc_1', 'ada@example.com', 'free', false, 5, 0, '2026-01-01 00:00:00')"
        )
    )
    connection.execute(
        text(
            "INSERT INTO entry (account_id, kind, amount, balance_after, period, created_at)"
            " VALUES ('acc_1', 'grant', 5, 5, '2026-01', '2026-01-01 00:00:00')"
        )
    )


def fill(connection: Connection) -> None:
    """An account that was granted, has bought, was corrected, and has a job in each status; and a row in each other
    table, whichever those are."""
    add(connection, Account(id="acc_1", email="ada@example.com", plan="free", credits=25, held=10, created_at=AT))
    add(connection, Payment(**BOUGHT, amount=40, amount_refunded=10, reversed=10, taken=10))
    steps: list[tuple[str, int, str | None]] = [("grant", 10, None), ("purchase", 40, None), ("adjustment", -10, None)]
    for status, settled in STATUSES.items():
        add(connection, job := make_job(status))
        steps += [("hold", -5, job.id), *([(settled, 5 if settled == "release" else 0, job.id)] if settled else [])]
    add(connection, RateWindow(subject="acc_1", policy="services", window=1, calls=1))
    balance = 0
    for kind, amount, job_id in steps:
        balance += amount
        entry = Entry(account_id="acc_1", kind=kind, amount=amount, balance_after=balance, job_id=job_id, created_at=AT)
        entry.payment_id = "pi_1" if kind in ("purchase", "adjustment") else None
        add(connection, entry)
    for table in SQLModel.metadata.sorted_tables:
        if connection.execute(table.select()).first() is None:
            connection.execute(table.insert(), {column.name: example(connection, column) for column in table.columns})


def example(connection: Connection, column: Column[Any]) -> Any:
    """A value that a column takes."""
    for key in column.foreign_keys:
        return connection.execute(select(key.column)).scalars().first()
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return EXAMPLES[kind.python_type]


def make_job(status: str) -> Job:
    return Job(
        id=f"job_{status}",
        account_id="acc_1",
        operation_id="generate_image",
        request={"prompt": "x"},
        credits=5,
        status=status,
        lease_until=FAR if status == "running" else None,
        deadline_at=FAR,
        created_at=AT,
    )


def add(connection: Connection, row: SQLModel) -> None:
    with Session(connection) as session:
        session.add(row)
        session.flush()
        session.expunge_all()


def contents(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, in an order of its own."""
    found = MetaData()
    found.reflect(connection)
    return {
        table.name: sorted((dict(row._mapping) for row in connection.execute(table.select())), key=repr)
        for table in found.sorted_tables
        if table.name != "alembic_version"
    }


def columns(connection: Connection) -> dict[str, list[str]]:
    found = inspect(connection)
    return {table: [one["name"] for one in found.get_columns(table)] for table in schema(connection)}


def known_to(older: dict[str, list[str]], rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What of these rows an older revision has a column for, by the same name."""
    return {
        table: sorted(({name: row[name] for name in names if name in row} for row in rows[table]), key=repr)
        for table, names in older.items()
    }


def everything_ours(connection: Connection) -> set[str]:
    """Whatever the database has by a name: tables, indexes, triggers, functions, types."""
    if connection.dialect.name == "sqlite":
        query = "SELECT tbl_name FROM sqlite_master"
    else:
        query = """SELECT coalesce(i.indrelid::regclass::text, c.relname) FROM pg_class c
                   LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace
                   UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
                   UNION SELECT typname FROM pg_type
                   WHERE typnamespace = 'public'::regnamespace AND typcategory <> 'A'"""
    return set(connection.execute(text(query)).scalars())


async def ledger_findings(url: str) -> list[str]:
    database = Database(url)
    try:
        return await verify(database, AT, grace_seconds=0)
    finally:
        await database.close()


def entries(connection: Connection) -> list[Any]:
    return list(connection.execute(text("SELECT * FROM entry")))


CHANGES = {
    "update": "UPDATE entry SET amount = 50",
    "update of a text": "UPDATE entry SET description = 'nothing to see here'",
    "update to the same": "UPDATE entry SET amount = amount",
    "delete": "DELETE FROM entry",
    "delete of one": "DELETE FROM entry WHERE account_id = 'acc_1'",
    "truncate": "TRUNCATE entry",
}


@pytest.mark.parametrize("after", ["first upgrade", "going down and up again"])
def test_entries_can_neither_be_changed_nor_deleted(database_url: str, after: str) -> None:
    if after != "first upgrade":
        downgrade(database_url, "base")
        upgrade(database_url)
    ask(database_url, add_an_entry)
    before = ask(database_url, entries)
    for name, statement in CHANGES.items():
        if name == "truncate" and database_url.startswith("sqlite"):
            continue  # SQLite has no such statement
        with pytest.raises(DBAPIError, match="ledger entries are append-only"):
            ask(database_url, lambda connection, statement=statement: connection.execute(text(statement)))  # type: ignore[misc]
    assert ask(database_url, entries) == before


SECOND = {
    "another grant in a month": "('acc_1', 'grant', 1, 6, NULL, '2026-01', '2026-01-01 00:00:00')",
    "a balance below zero": "('acc_1', 'adjustment', -9, -4, NULL, NULL, '2026-01-01 00:00:00')",
    "an account that there is not": "('acc_2', 'grant', 1, 1, NULL, NULL, '2026-01-01 00:00:00')",
    "a job that there is not": "('acc_1', 'hold', -1, 4, 'job_1', NULL, '2026-01-01 00:00:00')",
}


@pytest.mark.parametrize("values", SECOND.values(), ids=SECOND.keys())
async def test_the_database_refuses_an_entry_that_cannot_be(database_url: str, values: str) -> None:
    ask(database_url, add_an_entry)
    database = Database(database_url)
    columns = "account_id, kind, amount, balance_after, job_id, period, created_at"
    with pytest.raises(DBAPIError):
        await insert(database, f"INSERT INTO entry ({columns}) VALUES {values}")
    await database.close()
    assert len(ask(database_url, entries)) == 1


async def insert(database: Database, statement: str) -> None:
    async with database.write() as session:
        await session.execute(text(statement))
