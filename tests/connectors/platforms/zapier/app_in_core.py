"""A rendered app, run by Zapier's own core as Zapier would run it."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[4]
APP = ROOT / "connectors" / "zapier"
NODE = ROOT / ".venv" / "bin" / "node"
LINE_BYTES_MAX = 64 * 1024 * 1024
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Stashed:
    """A file that was handed to Zapier."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Outcome:
    """What came of an event. `error` is the name of the class that tells Zapier what to do, if any."""

    results: Any = None
    status: str = ""
    error: str = ""
    message: str = ""
    stashed: tuple[Stashed, ...] = ()

    @property
    def told(self) -> dict[str, Any]:
        """What an error that carries JSON says."""
        found: dict[str, Any] = json.loads(self.message)
        return found


@dataclass
class App:
    process: asyncio.subprocess.Process
    auth: dict[str, str]

    async def run(self, method: str, inputs: dict[str, Any] | None = None, **bundle: Any) -> Outcome:
        """Executes a method, such as `creates.generate_image.operation.perform`."""
        callback_url = bundle.pop("callback_url", None)
        whole = {"authData": self.auth, "inputData": inputs or {}, **bundle}
        event = {"command": "execute", "method": method, "bundle": whole}
        return await self.send(event | ({"callback_url": callback_url} if callback_url is not None else {}))

    async def send(self, event: dict[str, Any]) -> Outcome:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(event).encode() + b"\n")
        await self.process.stdin.drain()
        line = await asyncio.wait_for(self.process.stdout.readline(), TIMEOUT_SECONDS)
        assert line, "The app ended."
        told = json.loads(line)
        told["stashed"] = tuple(
            Stashed(one["name"], one["type"], base64.b64decode(one["content"])) for one in told["stashed"]
        )
        return Outcome(**told)

    async def definition(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.send({"command": "definition"})).results
        return found


@asynccontextmanager
async def running_app(folder: Path, auth: dict[str, str], **environment: str) -> AsyncIterator[App]:
    process = await asyncio.create_subprocess_exec(
        NODE,
        Path(__file__).with_name("core.mjs"),
        folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "NODE_ENV": "production", **environment},
        limit=LINE_BYTES_MAX,
    )
    try:
        yield App(process, auth)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
