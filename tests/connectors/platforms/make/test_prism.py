"""Documents of other people, mocked by Prism, which refuses what a document does not allow: what the modules send is
accepted."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from aiops_connect import ir
from aiops_connect.openapi import parse_file
from aiops_connect.platforms.make.naming import component_id
from aiops_connect.platforms.make.runner import InstantClock, Limits, MakeError, Settings, Target, Trace, load_app, run
from aiops_connect.platforms.make.runner.inputs import Inputs
from tests.connectors.openapi.test_specs import documents
from tests.connectors.platforms.make import entered
from tests.connectors.platforms.make.rendered import contents, emitted, written

pytestmark = pytest.mark.specs

ROOT = Path(__file__).parents[4]
PRISM = ROOT / "tests" / "prism" / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
# Not shown yet: docs/connectors-make-left.md says why.
LEFT = ("deepgram.yaml", "figma.yaml", "openai.yaml")
START_SECONDS = 60
NO_ANSWER = "NO_RESPONSE_RESPONSE_DEFINED"
LIMITS = Limits(timeout_seconds_max=5)


@contextmanager
def prism(document: Path, folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    node = ROOT / ".venv" / "bin" / "node"
    with (folder / "prism.log").open("wb") as log:
        command = [str(node), str(PRISM), "mock", "--port", str(port), str(document)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def refusals(app: ir.App, folder: Path, url: str) -> dict[str, Any]:
    """What Prism had against the requests of the modules, by the operation."""
    made = emitted(app)
    written(made, folder)
    files = contents(made)
    manifest = files["makecomapp.json"]["components"]
    connection = {
        one["name"]: "secret-value"
        for kind in manifest["connection"].values()
        for one in files[kind["codeFiles"]["params"]]
    }
    taken = {"makeapicall"} | {name.casefold() for name in manifest["rpc"]}
    found: dict[str, Any] = {}
    for operation in app.operations:
        module = component_id(operation.id, taken)
        trace = Trace()
        settings = Settings(InstantClock(), base_url=url, limits=LIMITS)
        inputs = Inputs(connection=connection, parameters=entered.parameters(operation))
        with suppress(MakeError):
            run(load_app(folder), Target.parse(module), inputs, settings, trace)
        assert trace.exchanges, operation.id
        for exchange in trace.exchanges:
            if exchange.response is None or _is_refusal(exchange.response):
                found[operation.id] = (exchange.request, exchange.response)
    return found


def _is_refusal(response: dict[str, Any]) -> bool:
    """Prism answers what it accepts with a success, where the document has one; what it does not accept with an error,
    its own or the document's."""
    return int(response["status"]) >= 400 and NO_ANSWER not in str(response["body"])


@pytest.mark.timeout(900)
def test_what_modules_send_is_accepted(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    for path in documents():
        if path.name in LEFT:
            continue
        app = parse_file(path).app
        assert app is not None
        folder = tmp_path / path.stem
        folder.mkdir()
        with prism(path, folder) as url:
            found |= {f"{path.stem}/{name}": one for name, one in refusals(app, folder, url).items()}
    assert json.dumps(found, indent=1, default=str) == "{}"
