"""Our app in Zapier's core, our backend in a process of its own, and a stand-in for Zapier's callback host."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

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

    def callback_url(self, run: str = "1") -> str:
        return f"http://{self.hooks.authority}/hooks/callback/{run}"

    async def live(self, step: str, inputs: dict[str, Any], run: str = "1") -> Outcome:
        """A step of a Zap that is on, up to where it waits."""
        return await self.app.run(PERFORM.format(step), inputs, callback_url=self.callback_url(run))

    async def called_back(self, run: str = "1") -> dict[str, Any]:
        """The body that the API called back with."""
        async with asyncio.timeout(UNTIL_SECONDS):
            while True:
                for head, body in zip(self.hooks.requests, self.hooks.bodies, strict=False):
                    if head.startswith(f"POST /hooks/callback/{run} ".encode()):
                        found: dict[str, Any] = json.loads(body)
                        return found
                await asyncio.sleep(0.02)

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
    shutil.copy(template, folder / "aiops.db")
    url = f"sqlite+aiosqlite:///{folder / 'aiops.db'}"
    async with serving(OK) as hooks:
        with stub_server(folder, url, AIOPS_PRIVATE_HOSTS=hooks.authority, **environment) as server:
            _, key = await make_customer(url, load_plans(None), plan="business", credits=CREDITS)
            server.start()
            async with (
                httpx.AsyncClient(
                    base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False
                ) as client,
                running_app(APP, {"api_key": key}, AIOPS_BASE_URL=server.url) as app,
            ):
                yield Zap(app, server, client, hooks, key)


@pytest.fixture
async def zap(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Zap]:
    async with zapping(tmp_path, sqlite_template) as found:
        yield found
