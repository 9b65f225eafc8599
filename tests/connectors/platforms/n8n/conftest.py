"""One n8n with our package in it, one service that it calls, and a customer of that service."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from aiops.accounts.plans import Plans, load_plans
from tests.fixtures.n8n import PACKAGE, Execution, Item, N8n, chain, node, packed, running_n8n
from tests.fixtures.ports import free_port
from tests.fixtures.server import StubServer, make_customer, stub_server

AIOPS = "n8n-nodes-aiops.aiops"
AWAY = "meta-llama/seamless-m4t-v2-large"
# Beside the largest plan: one whose credits are soon spent, and one that allows one call to a service a minute.
_SHARED = {"jobs_at_once": 10, "jobs_queued": 100, "audio_minutes": 10}
PLANS = {
    "free": {"monthly_credits": 7, "requests_per_minute": 300, **_SHARED},
    "slow": {"monthly_credits": 500, "requests_per_minute": 1, **_SHARED},
    "business": {"monthly_credits": 5000, "requests_per_minute": 300, **_SHARED},
}


@dataclass
class Bench:
    """n8n, the service, and a credential that leads from one to the other."""

    n8n: N8n
    server: StubServer
    plans: Plans
    key: str
    credential: dict[str, Any]

    def customer(self, plan: str) -> dict[str, Any]:
        """Another account, on this plan: the credential that leads to it."""
        email = f"{plan}-{uuid4().hex}@example.com"
        _, key = asyncio.run(make_customer(self.server.database_url, self.plans, email, plan=plan))
        return self.n8n.credential("aiopsApi", email, baseUrl=self.server.url, apiKey=key)

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
def plans_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "plans.yaml"
    path.write_text(json.dumps(PLANS))
    return path


@pytest.fixture(scope="session")
def server(
    port: int, plans_file: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StubServer]:
    with running_service(tmp_path_factory.mktemp("service"), sqlite_template, plans_file, port) as running:
        yield running


@contextmanager
def running_service(folder: Path, template: Path, plans: Path, port: int) -> Iterator[StubServer]:
    path = shutil.copy(template, folder / "aiops.sqlite3")
    settings = {"AIOPS_PRIVATE_HOSTS": f"127.0.0.1:{port}", "AIOPS_PLANS_FILE": str(plans), "STUB_WITHOUT": AWAY}
    with stub_server(folder, f"sqlite:///{path}", **settings) as running:
        running.start()
        yield running


@pytest.fixture(scope="session")
def n8n(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[N8n]:
    folder = tmp_path_factory.mktemp("n8n")
    with running_n8n(folder, port, packed(PACKAGE, folder)) as running:
        yield running


@pytest.fixture
def bench(n8n: N8n, server: StubServer, plans_file: Path, request: pytest.FixtureRequest) -> Bench:
    """With an account of its own, on the largest plan."""
    email = f"{request.node.name.translate(str.maketrans('[] ', '---'))}@example.com".replace("_", "-")
    plans = load_plans(plans_file)
    _, key = asyncio.run(make_customer(server.database_url, plans, email, plan="business"))
    credential = n8n.credential("aiopsApi", email, baseUrl=server.url, apiKey=key)
    return Bench(n8n, server, plans, key, credential)
