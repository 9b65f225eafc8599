"""Our app in Zapier's core, our backend in a process of its own, and a stand-in for Zapier's callback host."""

import asyncio
import json
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aiops.accounts.plans import load_plans
from tests.connectors.platforms.zapier.app_in_core import APP, App, Outcome, running_app
from tests.fixtures.receiver import OK
from tests.fixtures.server import StubServer, make_customer, stub_server
from tests.fixtures.web import WebServer, serving

CREDITS = 1000
PERFORM = "creates.{}.operation.perform"
RESUME = "creates.{}.operation.performResume"
UNTIL_SECONDS = 20


@dataclass
class Zap:
    """What a person has: a connection, and an account that pays. `hooks` is where Zapier is called back."""

    app: App
    server: StubServer
    client: httpx.AsyncClient
    hooks: WebServer
    key: str
    mark: str

    def callback_url(self, run: str = "1") -> str:
        """Where Zapier is called back for one run."""
        return f"http://{self.hooks.authority}/hooks/callback/{self.mark}/{run}"

    async def live(self, step: str, inputs: dict[str, Any], run: str = "1") -> Outcome:
        """A step of a Zap that is on, up to where it waits."""
        return await self.app.run(PERFORM.format(step), inputs, callback_url=self.callback_url(run))

    async def called_back(self, run: str = "1") -> dict[str, Any]:
        """The body that the API called back with."""
        async with asyncio.timeout(UNTIL_SECONDS):
            while True:
                if self._place(run) is not None:
                    found: dict[str, Any] = json.loads(self.content(run))
                    return found
                await asyncio.sleep(0.02)

    def content(self, run: str) -> str:
        """What was called back with, as it was sent."""
        return self.hooks.bodies[self._known(run)].decode()

    def head(self, run: str) -> dict[str, str]:
        lines = self.hooks.requests[self._known(run)].decode().split("\r\n")[1:]
        return {name.lower(): value for name, found, value in (line.partition(": ") for line in lines) if found}

    def _known(self, run: str) -> int:
        place = self._place(run)
        assert place is not None
        return place

    def _place(self, run: str) -> int | None:
        start = f"POST /hooks/callback/{self.mark}/{run} ".encode()
        return next((place for place, head in enumerate(self.hooks.requests) if head.startswith(start)), None)

    async def resume(self, step: str, accepted: Outcome, told: dict[str, Any], inputs: dict[str, Any]) -> Outcome:
        return await self.app.run(
            RESUME.format(step),
            inputs,
            outputData=accepted.results,
            cleanedRequest={**told, "querystring": {}},
            rawRequest={"method": "POST", "headers": {}, "content": json.dumps(told)},
        )

    async def whole(self, step: str, inputs: dict[str, Any], run: str = "1") -> Outcome:
        accepted = await self.live(step, inputs, run)
        assert accepted.status == "CALLBACK", accepted
        return await self.resume(step, accepted, await self.called_back(run), inputs)

    async def credits(self) -> int:
        return int((await self.client.get("/api/account")).json()["credits"])

    async def charges(self) -> list[int]:
        listed = (await self.client.get("/api/credits/transactions")).json()["data"]
        return [one["amount"] for one in listed if one["type"] == "charge"]


@asynccontextmanager
async def zapping(folder: Path, template: Path, **environment: str) -> AsyncIterator[Zap]:
    """A connection of a new account to a server of its own."""
    url = f"sqlite:///{shutil.copy(template, folder / 'aiops.sqlite3')}"
    async with serving(OK) as hooks:
        with stub_server(folder, url, AIOPS_PRIVATE_HOSTS=hooks.authority, **environment) as server:
            server.start()
            async with running_app(APP, {}, AIOPS_BASE_URL=server.url) as app, connected(app, server, hooks) as zap:
                await app.definition()  # it is loaded then
                yield zap


@asynccontextmanager
async def connected(app: App, server: StubServer, hooks: WebServer, credits_: int = CREDITS) -> AsyncIterator[Zap]:
    """A new account, and a connection with its key."""
    mark = secrets.token_hex(4)
    _, key = await make_customer(
        server.database_url, load_plans(None), f"{mark}@example.com", plan="business", credits=credits_
    )
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60, trust_env=False) as client:
        yield Zap(replace(app, auth={"api_key": key}), server, client, hooks, key, mark)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Zap]:
    async with zapping(tmp_path_factory.mktemp("zapier"), sqlite_template) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def zap(shared: Zap) -> AsyncIterator[Zap]:
    """With an account of the test's own, on a server that the module shares."""
    async with connected(shared.app, shared.server, shared.hooks) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def poor_zap(shared: Zap) -> AsyncIterator[Zap]:
    """With an account that has spent all but one credit."""
    async with connected(shared.app, shared.server, shared.hooks, 1) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def lone_zap(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Zap]:
    """On a server of the test's own, which it may stop or move on."""
    async with zapping(tmp_path, sqlite_template) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def failing_zap(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Zap]:
    """On a server where all work fails."""
    async with zapping(tmp_path, sqlite_template, STUB_FAILURES="1") as found:
        yield found
