"""One n8n with our package in it, one service that it calls, and a customer of that service."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from aiops.accounts.plans import load_plans
from tests.fixtures.n8n import PACKAGE, Execution, Item, N8n, chain, free_port, node, packed, running_n8n
from tests.fixtures.server import StubServer, make_customer, stub_server

AIOPS = "n8n-nodes-aiops.aiops"


@dataclass
class Bench:
    """n8n, the service, and a credential that leads from one to the other."""

    n8n: N8n
    server: StubServer
    key: str
    credential: dict[str, Any]

    def step(self, resource: str, operation: str, name: str = "Step", settings: Any = None, **values: Any) -> Item:
        parameters = {"resource": resource, "operation": operation, **values}
        return node(name, AIOPS, parameters, credentials=self.credential, **(settings or {}))

    def do(self, resource: str, operation: str, *pinned: Item, settings: Any = None, **values: Any) -> Execution:
        """Runs one step on some items."""
        workflow = chain(self.step(resource, operation, settings=settings, **values))
        return self.n8n.run(workflow, pinned or ({"json": {}},))

    def api(self, method: str, path: str, **options: Any) -> Any:
        url = path if path.startswith("http") else self.server.url + path
        answer = httpx.request(method, url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    @property
    def credits(self) -> int:
        number: int = self.api("GET", "/api/account")["credits"]
        return number


@pytest.fixture(scope="session")
def port() -> int:
    """Where n8n will be: the service is told that it may send there."""
    return free_port()


@pytest.fixture(scope="session")
def server(port: int, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubServer]:
    folder = tmp_path_factory.mktemp("service")
    path = shutil.copy(sqlite_template, folder / "aiops.sqlite3")
    hosts = f"127.0.0.1:{port}"
    with stub_server(folder, f"sqlite:///{path}", AIOPS_PRIVATE_HOSTS=hosts) as running:
        running.start()
        yield running


@pytest.fixture(scope="session")
def n8n(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[N8n]:
    folder = tmp_path_factory.mktemp("n8n")
    with running_n8n(folder, port, packed(PACKAGE, folder)) as running:
        yield running


@pytest.fixture
def bench(n8n: N8n, server: StubServer, request: pytest.FixtureRequest) -> Bench:
    """With an account of its own, on the largest plan."""
    email = f"{request.node.name.translate(str.maketrans('[]', '--'))}@example.com".replace("_", "-")
    _, key = asyncio.run(make_customer(server.database_url, load_plans(None), email, plan="business"))
    credential = n8n.credential("aiopsApi", email, baseUrl=server.url, apiKey=key)
    return Bench(n8n, server, key, credential)
