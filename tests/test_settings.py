import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from aiops.database.engine import async_url
from aiops.settings import Settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AIOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_everything_has_a_default_below_the_data_folder(tmp_path: Path) -> None:
    settings = Settings()
    assert settings.database == f"sqlite:///{tmp_path}/data/aiops.sqlite3"
    assert settings.files_dir == tmp_path / "data" / "files"
    assert settings.is_embedded
    assert settings.public_url is None
    assert settings.private_hosts == frozenset()
    assert settings.file_hours >= 24
    assert list(tmp_path.iterdir()) == []


def test_the_data_folder_moves_all_that_is_derived_from_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIOPS_DATA_DIR", "elsewhere")
    settings = Settings()
    assert settings.database == f"sqlite:///{tmp_path}/elsewhere/aiops.sqlite3"
    assert settings.files_dir == tmp_path / "elsewhere" / "files"
    assert settings.signing_key == (tmp_path / "elsewhere" / "secret_key").read_bytes()


@pytest.mark.parametrize(
    ("name", "value", "read", "expected"),
    [
        ("AIOPS_DATABASE_URL", "postgresql://a@b/c", lambda it: it.database, "postgresql://a@b/c"),
        ("AIOPS_PUBLIC_URL", "https://aiops.example/", lambda it: it.public_url, "https://aiops.example"),
        ("AIOPS_PUBLIC_URL", "http://[::1]:8000", lambda it: it.public_url, "http://[::1]:8000"),
        ("AIOPS_PUBLIC_URL", "HTTPS://aiops.example/api/", lambda it: it.public_url, "HTTPS://aiops.example/api"),
        ("AIOPS_SECRET_KEY", "ein langer schlüssel", lambda it: it.signing_key, "ein langer schlüssel".encode()),
        ("AIOPS_PLANS_FILE", "plans.yaml", lambda it: it.plans_file, Path("plans.yaml")),
        ("AIOPS_PRIVATE_HOSTS", " a:1, b:2 ,", lambda it: it.private_hosts, frozenset({"a:1", "b:2"})),
        ("AIOPS_METRICS_TOKEN", "t", lambda it: it.metrics_token.get_secret_value(), "t"),
        ("AIOPS_FILE_HOURS", "24", lambda it: it.file_hours, 24),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("AIOPS_") else "",
)
def test_a_variable_sets_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: object, expected: object
) -> None:
    monkeypatch.setenv(name, value)
    assert callable(read)
    assert read(Settings()) == expected


@pytest.mark.parametrize("name", [f"AIOPS_{field.upper()}" for field in Settings.model_fields])
def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    unset = Settings()
    monkeypatch.setenv(name, "")
    assert Settings() == unset
    assert Settings().is_embedded
    assert len(Settings().signing_key) == 64


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AIOPS_FILE_HOURS", "23"),
        ("AIOPS_FILE_HOURS", "long"),
        ("AIOPS_JOB_SLOTS", "-1"),
        ("AIOPS_LEASE_SECONDS", "0"),
        ("AIOPS_LOG_FORMAT", "xml"),
        ("AIOPS_PRIVATE_HOSTS", "no-port"),
        ("AIOPS_STORAGE_URL", "files"),
        ("AIOPS_STORAGE_URL", "/var/files"),
        ("AIOPS_STORAGE_URL", "file://var/files"),
        ("AIOPS_STORAGE_URL", "file:///"),
        ("AIOPS_STORAGE_URL", "s3:///folder"),
        ("AIOPS_STORAGE_URL", "s3://key:secret@bucket"),
        ("AIOPS_STORAGE_URL", "s3://bucket:9000"),
        ("AIOPS_STORAGE_URL", "s3://bucket?region=x"),
        ("AIOPS_STORAGE_URL", "https://bucket.s3.amazonaws.com"),
        ("AIOPS_STORAGE_URL", "s3://[bucket"),
        ("AIOPS_PUBLIC_URL", "aiops.example"),
        ("AIOPS_PUBLIC_URL", "localhost:8000"),
        ("AIOPS_PUBLIC_URL", "ftp://aiops.example"),
        ("AIOPS_PUBLIC_URL", "https://"),
        ("AIOPS_PUBLIC_URL", "https://:8000"),
        ("AIOPS_PUBLIC_URL", "https://aiops.example:port"),
        ("AIOPS_PUBLIC_URL", "https://aiops.example/?from=mail"),
        ("AIOPS_PUBLIC_URL", "https://[aiops.example"),
        ("AIOPS_PUBLIC_URL", "https://aiops.example "),
        ("AIOPS_SMTP_URL", "http://mail.example"),
        ("AIOPS_SMTP_URL", "smtp://"),
        ("AIOPS_SMTP_URL", "smtp://mail.example:mail"),
        ("AIOPS_SMTP_URL", "smtp://mail.example:0"),
        ("AIOPS_SMTP_URL", "smtp://mail.example:65536"),
        ("AIOPS_SMTP_URL", "smtp://[mail.example"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refusal:
        Settings()
    assert [f"AIOPS_{error['loc'][0]}".upper() for error in refusal.value.errors()] == [name]


def test_secrets_are_not_printed() -> None:
    settings = Settings(secret_key="hush hush hush hush", metrics_token="hush hush")
    assert "hush" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_the_secret_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = Settings().signing_key, Settings().signing_key
    path = tmp_path / "data" / "secret_key"
    assert first == second == path.read_bytes()
    assert len(first) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["secret_key"]


def test_two_data_folders_have_two_secret_keys() -> None:
    assert Settings(data_dir=Path("a")).signing_key != Settings(data_dir=Path("b")).signing_key


def test_processes_that_start_together_agree_on_one_secret_key() -> None:
    code = "from aiops.settings import Settings; print(Settings().signing_key.decode())"
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    keys = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(keys) == 1


def test_an_empty_secret_key_file_is_refused(tmp_path: Path) -> None:
    """What a power cut could leave behind: with it anybody could sign links."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret_key").touch()
    with pytest.raises(ValueError, match="secret_key is empty"):
        _ = Settings().signing_key


def test_postgresql_needs_a_secret_key_of_its_own() -> None:
    settings = Settings(database_url="postgresql://host/aiops")
    assert not settings.is_embedded
    with pytest.raises(ValueError, match="Set AIOPS_SECRET_KEY"):
        _ = settings.signing_key


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:////data/aiops.sqlite3", "sqlite+aiosqlite"),
        ("postgresql://user:password@host/aiops", "postgresql+psycopg"),
        ("postgres://user:password@host/aiops", "postgresql+psycopg"),
        ("postgresql+asyncpg://host/aiops", "postgresql+psycopg"),
    ],
)
def test_a_database_url_is_given_our_driver(url: str, driver: str) -> None:
    assert async_url(url).drivername == driver


@pytest.mark.parametrize("url", ["nonsense", "", "mysql://host/aiops", "postgresql://host:port/aiops", "://"])
def test_a_url_of_no_database_of_ours_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(ValueError, match="AIOPS_DATABASE_URL") as refusal:
        async_url(url)
    assert "\n" not in str(refusal.value)
