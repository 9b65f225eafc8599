from collections.abc import Callable
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from aiops.database import tables
from aiops.database.engine import Database, async_url
from aiops.database.migrate import MigrationError, check_migrated, downgrade, upgrade


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
