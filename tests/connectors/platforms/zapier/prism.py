"""Prism, a strict mock of a document: what it says of each request that it gets."""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.connectors.platforms.zapier.app_in_core import NODE, ROOT

PRISM = ROOT / "tests" / "prism" / "node_modules" / ".bin" / "prism"
START_SECONDS = 120
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_VIOLATION = re.compile(r"\[VALIDATOR\]\s+✖\s+error\s+(Request .*|Invalid security.*)")
_UNMATCHED = re.compile(r"terminated with error: (\S+#(?:NO_(?:PATH|METHOD|SERVER)|INVALID_CONTENT_TYPE)\S* .*)")
# What a request cannot be blamed for.
_NO_COMPLAINTS = re.compile(
    "required property 'authorization'"  # a header parameter of this name is to be ignored (OpenAPI 3.1, 4.8.12.2)
    "|must match exactly one schema in oneOf"  # all that can be entered at once is more than one of several shapes
    "|Request body property \\w+ must be (array|object)$"  # in multipart, where Prism takes each part for a text
    "|NOT have fewer than 1 properties"  # no field is required, yet some have to be there: told by the API
)


@dataclass
class Prism:
    url: str
    log: Path
    read: int = 0

    def complaints(self) -> tuple[int, list[str]]:
        """How many requests came since this was asked last, and what was wrong with them."""
        text = _COLOUR.sub("", self.log.read_text(errors="replace"))
        new, self.read = text[self.read :], len(text)
        found = [*_VIOLATION.findall(new), *_UNMATCHED.findall(new)]
        return new.count("Request received"), [one for one in found if not _NO_COMPLAINTS.search(one)]


@asynccontextmanager
async def prism(document: Path, log: Path) -> AsyncIterator[Prism]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(NODE, PRISM, "mock", "--host", "127.0.0.1", "--port", str(port), "--errors", document),
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"], "NO_COLOR": "1"},
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                while "Prism is listening" not in log.read_text(errors="replace"):
                    assert process.returncode is None, log.read_text(errors="replace")
                    await asyncio.sleep(0.1)
            yield Prism(f"http://127.0.0.1:{port}", log)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
