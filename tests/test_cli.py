import asyncio
import contextlib
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiops.accounts import keys
from aiops.database.migrate import downgrade
from tests.fixtures.buckets import S3
from tests.fixtures.command import Result, Run, refused
from tests.fixtures.disk import room_for
from tests.fixtures.ports import free_port
from tests.fixtures.service import running_service
from tests.fixtures.visitor import PASSWORD, visitor


def printed_key(result: Result) -> str:
    assert result.code == 0, result.err
    found = re.fullmatch(r"API key: (aiops_sk_\w+)\n", result.out)
    assert found is not None
    assert len(found[1]) == keys.LENGTH
    return found[1]


def change(tmp_path: Path, *statements: str) -> None:
    """What nobody should do: changes the database past the program."""
    database = sqlite3.connect(tmp_path / "data" / "aiops.sqlite3")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def key_ids(run: Run) -> list[str]:
    return re.findall(r"^key_[0-9a-f]{24}", run("keys", "list", "ada@example.com").out, re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "credits_", "plan"),
    [
        pytest.param([], 25, "free", id="free unless said"),
        pytest.param(["--plan", "pro"], 500, "pro", id="plan"),
        pytest.param(["--credits", "7"], 7, "free", id="credits in place of the plan's"),
        pytest.param(["--plan", "business", "--credits", "0"], 0, "business", id="no credits"),
    ],
)
async def test_a_new_user_can_call_the_server_at_once(
    run: Run, tmp_path: Path, options: list[str], credits_: int, plan: str
) -> None:
    url = f"sqlite:///{tmp_path}/shared.sqlite3"
    settings = {"database_url": url}
    assert (await asyncio.to_thread(run, "db", "upgrade", **settings)).code == 0
    key = printed_key(await asyncio.to_thread(run, "users", "create", "ada@example.com", *options, **settings))
    async with running_service(tmp_path, url) as service:
        client = service.client(Authorization=f"Bearer {key}")
        account = (await client.get("/api/account")).json()
    assert (account["email"], account["plan"], account["credits"]) == ("ada@example.com", plan, credits_)


def test_the_first_account_is_an_administrators(run: Run, tmp_path: Path) -> None:
    for email in ("ada@example.com", "bob@example.com"):
        printed_key(run("users", "create", email))
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "aiops.sqlite3")) as database:
        found = database.execute("SELECT email, is_administrator FROM account ORDER BY email").fetchall()
    assert found == [("ada@example.com", 1), ("bob@example.com", 0)]


async def test_a_link_to_set_a_password_is_printed_and_works_once(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.sqlite3"
    settings = {"database_url": url, "public_url": "https://aiops.example"}
    assert (await asyncio.to_thread(run, "db", "upgrade", **settings)).code == 0
    printed_key(await asyncio.to_thread(run, "users", "create", "ada@example.com", **settings))
    printed = await asyncio.to_thread(run, "users", "link", "Ada@example.com", **settings)
    link = printed.out.removeprefix("https://aiops.example").rstrip("\n")
    assert re.fullmatch(r"/reset-password\?token=[\w-]+", link)
    async with running_service(tmp_path, url) as service:
        ada = visitor(service)
        await ada.get(link)
        await ada.send("/reset-password", password=PASSWORD)
        assert ada.path == "/dashboard"
        assert (await ada.get(link)).status_code == 404


@contextlib.contextmanager
def greeting(start: str) -> Iterator[tuple[str, str]]:
    """The address of a server that runs, and the rest of the first line it prints that has this start."""
    port = str(free_port())
    command = [sys.executable, "-m", "aiops", "serve", "--port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{port}", next(one for one in server.stdout if one.startswith(start))[len(start) :]
        finally:
            server.terminate()


def test_the_printed_command_makes_a_link_to_the_server_that_printed_it(run: Run) -> None:
    printed_key(run("users", "create", "owner@example.com"))
    with greeting("A password for the dashboard: ") as (address, command):
        link = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60).stdout
    assert link.startswith(f"{address}/reset-password?token=")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(["users", "link", "bob@example.com"], "no account of bob@example.com", id="link for nobody"),
        pytest.param(["users", "create", "ADA@example.com"], "account of ada@example.com already", id="taken"),
        pytest.param(["users", "create", "ada"], "'ada' is not an e-mail address", id="no address"),
        pytest.param(["users", "create", "b@c.d", "--plan", "gold"], "The plans are: free, pro, business.", id="plan"),
        pytest.param(["keys", "create", "bob@example.com"], "no account of bob@example.com", id="key for nobody"),
        pytest.param(
            ["keys", "create", "ada@example.com", "--name", " "], "1 to 100 printable characters", id="key without name"
        ),
        pytest.param(["keys", "list", "bob@example.com"], "no account of bob@example.com", id="keys of nobody"),
        pytest.param(["keys", "revoke", "key_1"], "no key key_1 that could be revoked", id="unknown key"),
        pytest.param(
            ["credits", "grant", "bob@example.com", "5", "--reason", "x"], "no account of bob@", id="credits for nobody"
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run: Run, arguments: list[str], reason: str) -> None:
    printed_key(run("users", "create", "ada@example.com"))
    assert reason in refused(run(*arguments))
    assert run("ledger", "verify").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["users", "create", "ada@example.com", "--credits", "-1"],
        ["users", "create", "ada@example.com", "--credits", "9" * 30],
        ["credits", "grant", "ada@example.com", "0", "--reason", "x"],
        ["credits", "grant", "ada@example.com", "5"],
        ["keys", "create", "ada@example.com", "--days", "0"],
        ["keys", "create", "ada@example.com", "--days", "3000000"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_and_changes_nothing(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.code == 2
    assert "Usage" in result.err
    assert not (tmp_path / "data").exists()


def test_keys_are_made_listed_and_revoked(run: Run) -> None:
    printed_key(run("users", "create", "ada@example.com"))
    second = printed_key(run("keys", "create", "ada@example.com", "--name", "laptop", "--days", "30"))
    listed = run("keys", "list", "Ada@Example.com").out.splitlines()
    assert [line.rpartition("  ")[2] for line in listed] == ["first key", "laptop"]
    assert all("active" in line and "last used never" in line for line in listed)
    assert f"{second[:13]}…{second[-4:]}" in listed[1]
    assert second not in "".join(listed)
    revoked = key_ids(run)[1]
    assert run("keys", "revoke", revoked).out == f"{revoked} is revoked.\n"
    assert ["revoked" in line for line in run("keys", "list", "ada@example.com").out.splitlines()] == [False, True]
    refused(run("keys", "revoke", revoked))


def test_an_expired_key_is_listed_as_such(run: Run, tmp_path: Path) -> None:
    printed_key(run("users", "create", "ada@example.com"))
    change(tmp_path, "UPDATE api_key SET expires_at = '2020-01-01 00:00:00.000000'")
    assert "expired" in run("keys", "list", "ada@example.com").out


def test_granted_credits_are_added(run: Run) -> None:
    printed_key(run("users", "create", "ada@example.com", "--credits", "0"))
    for total in (40, 80):
        result = run("credits", "grant", "ada@example.com", "40", "--reason", "goodwill")
        assert result.out == f"ada@example.com has {total} credits.\n"
    assert run("ledger", "verify").code == 0


def test_a_ledger_in_order_is_said_to_be(run: Run) -> None:
    printed_key(run("users", "create", "ada@example.com"))
    result = run("ledger", "verify")
    assert (result.code, result.out) == (0, "The ledger is in order.\n")


@pytest.mark.parametrize(
    ("statements", "finding"),
    [
        pytest.param(
            ["UPDATE account SET credits = 1000"],
            r"account acc_\w+: credits are 1000, its entries sum to 25",
            id="credits out of nothing",
        ),
        pytest.param(
            ["UPDATE account SET held = 5"],
            r"account acc_\w+: 5 are held, its open jobs sum to 0",
            id="held for no job",
        ),
        pytest.param(
            ["DROP TRIGGER entry_no_update", "UPDATE entry SET amount = 24"],
            r"entry 1: balance_after is 25, the entries up to it sum to 24",
            id="an entry changed",
        ),
        pytest.param(
            ["DROP TRIGGER entry_no_delete", "DELETE FROM entry"],
            r"account acc_\w+: credits are 25, its entries sum to 0",
            id="an entry deleted",
        ),
    ],
)
def test_a_ledger_that_was_tampered_with_ends_in_1_and_says_where(
    run: Run, tmp_path: Path, statements: list[str], finding: str
) -> None:
    printed_key(run("users", "create", "ada@example.com"))
    change(tmp_path, *statements)
    result = run("ledger", "verify")
    assert result.code == 1
    assert re.search(f"^{finding}$", result.out, re.MULTILINE)
    assert "in order" not in result.out
    assert result.err == ""


def test_upgrading_makes_the_database_and_does_so_once(run: Run, tmp_path: Path) -> None:
    for _ in range(2):
        result = run("db", "upgrade")
        assert (result.code, result.out) == (0, "The database is up to date.\n")
    assert (tmp_path / "data" / "aiops.sqlite3").exists()


def test_the_embedded_database_is_upgraded_by_whatever_needs_it(run: Run, tmp_path: Path) -> None:
    run("db", "upgrade")
    downgrade(f"sqlite:///{tmp_path}/data/aiops.sqlite3", "base")
    printed_key(run("users", "create", "ada@example.com"))


COMMANDS = [["serve"], ["users", "create", "ada@example.com"], ["ledger", "verify"]]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_postgresql_is_not_migrated_behind_its_owners_back(
    run: Run, new_database: Callable[[str], str], arguments: list[str]
) -> None:
    url = new_database("postgresql")
    downgrade(url, "base")
    settings = {"database_url": url, "secret_key": "secret of the tests"}
    assert "Run `aiops db upgrade`." in refused(run(*arguments, **settings))


def test_postgresql_is_migrated_when_its_owner_says_so(run: Run, new_database: Callable[[str], str]) -> None:
    url = new_database("postgresql")
    downgrade(url, "base")
    assert run("db", "upgrade", database_url=url).out == "The database is up to date.\n"
    printed_key(run("users", "create", "ada@example.com"))


def test_serving_on_postgresql_needs_a_secret_key(run: Run, new_database: Callable[[str], str]) -> None:
    assert "Set AIOPS_SECRET_KEY" in refused(run("serve", database_url=new_database("postgresql")))


@pytest.mark.parametrize("arguments", [*COMMANDS, ["db", "upgrade"]], ids=" ".join)
def test_a_database_that_is_away_is_said_in_one_line(run: Run, arguments: list[str]) -> None:
    settings = {"database_url": "postgresql://ada:hush@127.0.0.1:1/aiops", "secret_key": "secret of the tests"}
    reason = refused(run(*arguments, **settings))
    assert "The database cannot be used: " in reason
    assert "hush" not in reason


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({"database_url": "nonsense"}, "AIOPS_DATABASE_URL is not a URL", id="no URL"),
        pytest.param({"database_url": "mysql://host/db"}, "AIOPS_DATABASE_URL must begin with", id="another database"),
        pytest.param({"data_dir": "/dev/null/data"}, "Not a directory: '/dev/null/data'", id="no folder"),
        pytest.param({"plans_file": "/dev/null/plans"}, "The plans file /dev/null/plans cannot be used", id="no plans"),
        pytest.param({"public_url": "example.com"}, "AIOPS_PUBLIC_URL: Write it as https://host", id="no scheme"),
        pytest.param({"storage_url": "ftp://host/x"}, "AIOPS_STORAGE_URL: Write it as s3://", id="ftp"),
        pytest.param(
            {"file_hours": "3"}, "AIOPS_FILE_HOURS: Input should be greater than or equal to 24", id="setting too small"
        ),
        pytest.param(
            {"file_hours": "x", "job_slots": "-1"},
            "AIOPS_FILE_HOURS: Input should be a valid integer, unable to parse string as an integer; "
            "AIOPS_JOB_SLOTS: Input should be greater than or equal to 0",
            id="two settings",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_said_in_one_line(run: Run, settings: dict[str, str], reason: str) -> None:
    assert reason in refused(run("users", "create", "ada@example.com", **settings))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("s3://nobody-has-made-it", "404 Not Found Check AIOPS_STORAGE_URL", id="no such bucket"),
        pytest.param(
            "file:///dev/null/files", "The folder /dev/null/files cannot be made: File exists", id="no folder"
        ),
    ],
)
def test_a_storage_that_cannot_be_used_is_said_in_one_line(
    run: Run, s3: S3, monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    said = refused(run("serve", storage_url=url))
    assert "The storage of files cannot be used: " in said
    assert reason in said


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket whose server refuses connections."""
    for name, value in (
        ("ACCESS_KEY_ID", "test"),
        ("SECRET_ACCESS_KEY", "hush"),
        ("ENDPOINT_URL", "http://127.0.0.1:1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    return "s3://bucket"


def test_a_storage_that_is_away_is_said_in_one_line(run: Run, away: str) -> None:
    said = refused(run("serve", storage_url=away))
    assert "The storage of files cannot be used: " in said
    assert "hush" not in said


# Has a thread that is not Python's own, which tells asyncio of a result, take for ever to come back from that: as one
# does on a machine that has no time for it.
LATE_THREAD = """
import threading, time
from asyncio.selector_events import BaseSelectorEventLoop

tell = BaseSelectorEventLoop._write_to_self

def tell_and_be_late(loop):
    tell(loop)
    while isinstance(threading.current_thread(), threading._DummyThread):
        time.sleep(0.001)

BaseSelectorEventLoop._write_to_self = tell_and_be_late
"""


def test_a_thread_of_the_storage_that_is_late_aborts_nothing(
    run: Run, away: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(LATE_THREAD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "The storage of files cannot be used: " in refused(run("serve", storage_url=away))


def test_a_database_is_backed_up_while_another_process_writes_it(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    run("users", "create", "ada@example.com")
    served = sqlite3.connect(tmp_path / "data" / "aiops.sqlite3", isolation_level=None)
    served.execute("BEGIN IMMEDIATE")
    served.execute("UPDATE account SET email = 'half done'")
    assert run("db", "backup", str(copy)).out == f"The database is copied to {copy}.\n"
    served.close()
    with contextlib.closing(sqlite3.connect(copy)) as restored:
        assert restored.execute("SELECT email, credits FROM account").fetchall() == [("ada@example.com", 25)]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"data", copy.name}


def test_a_backup_that_cannot_be_made_is_refused_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    assert "cannot be backed up" in refused(run("db", "backup", str(copy)))
    run("users", "create", "ada@example.com")
    with room_for(8192):
        assert "cannot be backed up" in refused(run("db", "backup", str(copy)))
    assert "No such file or directory" in refused(run("db", "backup", str(tmp_path / "nowhere" / "copy")))
    assert "pg_dump" in refused(run("db", "backup", str(copy), database_url="postgresql://localhost/aiops"))
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_a_backup_replaces_no_file(run: Run, tmp_path: Path) -> None:
    run("users", "create", "ada@example.com")
    copy = tmp_path / "copy.sqlite3"
    copy.write_text("the backup of yesterday")
    assert f"{copy} is there already." in refused(run("db", "backup", str(copy)))
    assert copy.read_text() == "the backup of yesterday"
