"""The service, as a process, and somebody in Make who calls it."""

import asyncio
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiops.accounts.plans import load_plans
from tests.connectors.platforms.make.rendered import MakeAccount
from tests.connectors.platforms.make.runner.service import Service, running
from tests.fixtures.server import StubServer, make_customer, stub_server

_numbers = itertools.count()


@pytest.fixture(scope="session")
def hook() -> Iterator[Service]:
    """Where Make would be called; the service may call it."""
    with running() as service:
        yield service


@pytest.fixture(scope="session")
def _service() -> Iterator[Service]:
    with running() as service:
        yield service


@pytest.fixture
def service(_service: Service) -> Iterator[Service]:
    """An API that apps are run against: it answers what a test says, and takes nothing else."""
    _service.answers, _service.received, _service.mistakes = [], [], []
    yield _service
    _service.verify()


@pytest.fixture(scope="session")
def aiops_server(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, hook: Service
) -> Iterator[StubServer]:
    folder = tmp_path_factory.mktemp("make")
    path = shutil.copy(sqlite_template, folder / "aiops.sqlite3")
    hosts = hook.url.removeprefix("http://")
    with stub_server(folder, f"sqlite:///{path}", AIOPS_PRIVATE_HOSTS=hosts) as server:
        server.start()
        yield server


@pytest.fixture
def new_account(aiops_server: StubServer) -> Callable[..., MakeAccount]:
    """An account of the service, with a connection in Make; on the business plan unless said otherwise."""

    def make(plan: str = "business", **options: int) -> MakeAccount:
        email = f"somebody{next(_numbers)}@example.com"
        _, key = asyncio.run(make_customer(aiops_server.database_url, load_plans(None), email, plan=plan, **options))
        return MakeAccount(aiops_server.url, key)

    return make


@pytest.fixture
def account(new_account: Callable[..., MakeAccount]) -> MakeAccount:
    return new_account()
