"""The service, as a process, and somebody in Make who calls it."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiops.accounts.plans import load_plans
from tests.connectors.platforms.make.rendered import MakeAccount
from tests.fixtures.server import StubServer, make_customer, stub_server


@pytest.fixture(scope="session")
def aiops_server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubServer]:
    folder = tmp_path_factory.mktemp("make")
    path = shutil.copy(sqlite_template, folder / "aiops.sqlite3")
    with stub_server(folder, f"sqlite:///{path}") as server:
        server.start()
        yield server


@pytest.fixture
def new_account(aiops_server: StubServer) -> Callable[..., MakeAccount]:
    """An account of the service, with a connection in Make; on the business plan unless said otherwise."""
    number = iter(range(1_000_000))

    def make(plan: str = "business", **options: int) -> MakeAccount:
        email = f"somebody{id(number)}.{next(number)}@example.com"
        _, key = asyncio.run(make_customer(aiops_server.database_url, load_plans(None), email, plan=plan, **options))
        return MakeAccount(aiops_server.url, key)

    return make


@pytest.fixture
def account(new_account: Callable[..., MakeAccount]) -> MakeAccount:
    return new_account()
