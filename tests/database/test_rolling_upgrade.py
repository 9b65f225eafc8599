"""Old and new code side by side: what a migration may do, and what code does on a database that is ahead or behind."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

from aiops.database.engine import Database, async_url
from aiops.database.migrate import MIGRATIONS, MigrationError, check_migrated, downgrade, upgrade
from tests.fixtures.service import running_service

# The code of 0.1.0 ran on this one; from here on, whoever upgrades need not stop.
LAST_WITH_A_STOP = "0005"
AHEAD = (
    "ALTER TABLE job ADD COLUMN mood VARCHAR",
    "ALTER TABLE account ADD COLUMN colour VARCHAR NOT NULL DEFAULT 'blue'",
    "ALTER TABLE entry ADD COLUMN remark VARCHAR NOT NULL DEFAULT ''",
    "ALTER TABLE file ADD COLUMN shelf BIGINT NOT NULL DEFAULT 0",
    "CREATE TABLE of_the_future (id VARCHAR PRIMARY KEY, account_id VARCHAR REFERENCES account (id))",
    "CREATE INDEX job_by_mood ON job (mood)",
    "UPDATE alembic_version SET version_num = '9999'",
)


def ask(url: str, question: Callable[[Connection], Any]) -> Any:
    parsed = async_url(url)
    engine = create_engine(parsed.set(drivername=parsed.drivername.removesuffix("+aiosqlite")))
    try:
        with engine.begin() as connection:
            return question(connection)
    finally:
        engine.dispose()


def run(url: str, *statements: str) -> None:
    ask(url, lambda connection: [connection.execute(text(statement)) for statement in statements])


def later_revisions() -> list[str]:
    """In the order in which they are run."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return [one.revision for one in scripts.iterate_revisions("head", LAST_WITH_A_STOP)][::-1]


def tables(connection: Connection) -> dict[str, Any]:
    found = inspect(connection)
    return {
        table: {
            "columns": {column["name"]: column for column in found.get_columns(table)},
            "rules": {
                "key": [found.get_pk_constraint(table)["constrained_columns"]],
                "unique": sorted(one["column_names"] for one in found.get_indexes(table) if one["unique"]),
                "also unique": sorted(one["column_names"] for one in found.get_unique_constraints(table)),
                "checks": sorted([one["sqltext"]] for one in found.get_check_constraints(table)),
                "references": sorted(one["constrained_columns"] for one in found.get_foreign_keys(table)),
            },
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def breaches(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What older code would stumble over."""
    found = [f"the table {table} is gone" for table in before.keys() - after.keys()]
    for table in before.keys() & after.keys():
        old, new = before[table]["columns"], after[table]["columns"]
        found += [f"{table}.{name} is gone" for name in old.keys() - new.keys()]
        found += [
            f"{table}.{name} cannot be left out"
            for name in new.keys() - old.keys()
            if not new[name]["nullable"] and new[name]["default"] is None
        ]
        for name in old.keys() & new.keys():
            if str(old[name]["type"]) != str(new[name]["type"]):
                found.append(f"{table}.{name} has another type")
            if old[name]["nullable"] and not new[name]["nullable"]:
                found.append(f"{table}.{name} cannot be null any more")
        left_out = {name for name in new.keys() - old.keys() if new[name]["nullable"]}
        if before[table]["rules"] != {kind: felt(rules, left_out) for kind, rules in after[table]["rules"].items()}:
            found.append(f"{table} has other rules")
    return found


def felt(rules: list[list[str]], left_out: set[str]) -> list[list[str]]:
    """The rules, by their columns, that code is bound by which leaves some columns out: nulls break no rule."""
    return [columns for columns in rules if not left_out.issuperset(columns)]


def test_every_migration_leaves_what_the_code_before_it_needs(database_url: str) -> None:
    downgrade(database_url, LAST_WITH_A_STOP)
    for revision in later_revisions():
        before = ask(database_url, tables)
        upgrade(database_url, revision)
        assert breaches(before, ask(database_url, tables)) == [], revision


@pytest.mark.parametrize(
    ("statement", "breach"),
    [
        ("ALTER TABLE job DROP COLUMN progress", "job.progress is gone"),
        ("ALTER TABLE job RENAME COLUMN reason TO why", "job.reason is gone"),
        ("DROP TABLE rate_window", "the table rate_window is gone"),
        ("CREATE UNIQUE INDEX one_each ON webhook (account_id)", "webhook has other rules"),
    ],
)
def test_a_migration_that_takes_something_away_is_found(database_url: str, statement: str, breach: str) -> None:
    before = ask(database_url, tables)
    run(database_url, statement)
    assert breach in breaches(before, ask(database_url, tables))


async def test_a_server_works_on_a_database_of_the_next_release(tmp_path: Path, database_url: str) -> None:
    run(database_url, *AHEAD)
    async with running_service(tmp_path, database_url) as service:
        ada = await service.customer()
        assert (await ada.image()).status_code == 200
        assert (await service.client().get("/ready")).status_code == 200


async def test_a_server_that_runs_is_not_disturbed_by_a_migration(tmp_path: Path, database_url: str) -> None:
    async with running_service(tmp_path, database_url) as service:
        ada = await service.customer()
        assert (await ada.image()).status_code == 200
        await asyncio.to_thread(run, database_url, *AHEAD)
        for _ in range(8):  # statements are prepared after a few
            assert (await ada.image()).status_code == 200
        assert (await service.client().get("/ready")).status_code == 200


async def test_a_database_that_is_too_new_is_told_with_what_to_do(database_url: str) -> None:
    run(database_url, *AHEAD, "UPDATE schema_compatibility SET oldest_code = '9998'")
    database = Database(database_url)
    with pytest.raises(MigrationError, match="too new for this version of aiops"):
        await check_migrated(database)
    await database.close()


async def test_a_server_whose_database_is_behind_does_not_start_and_is_not_ready(
    tmp_path: Path, database_url: str
) -> None:
    async with running_service(tmp_path, database_url) as service:
        await asyncio.to_thread(run, database_url, f"UPDATE alembic_version SET version_num = '{LAST_WITH_A_STOP}'")
        answer = await service.client().get("/ready")
        sentence = "The database is not at the version that this server needs."
        assert (answer.status_code, answer.json()) == (503, {"error": sentence, "code": "not_ready"})
        with pytest.raises(MigrationError, match="Run `aiops db upgrade`"):
            await check_migrated(service.runtime.database)
