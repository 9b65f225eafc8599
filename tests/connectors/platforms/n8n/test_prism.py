"""Each operation of documents of others, run by n8n, sends what a strict mock of the document takes."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from aiops_connect import ir, writer
from aiops_connect.openapi import parse_file
from aiops_connect.platforms.n8n import naming
from aiops_connect.platforms.n8n.credentials import Credential, credentials
from aiops_connect.platforms.n8n.emitter import EMITTER
from tests.fixtures.n8n import (
    PACKAGE,
    ROOT,
    N8n,
    chain,
    free_port,
    node,
    node_environment,
    packed,
    running_n8n,
)
from tests.fixtures.publisher import PUBLISHER
from tests.fixtures.samples import parameters

pytestmark = pytest.mark.n8n

PRISM = ROOT / "tests" / "prism" / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
START_SECONDS = 180
SAMPLE_SIZE = 3
FILE = {"data": {"data": "ZGF0YQ==", "mimeType": "image/png", "fileName": "picture.png"}}


def documents() -> list[Path]:
    """Those that have operations."""
    found = sorted(Path(os.environ["AIOPS_SPECS"]).glob("*.yaml"))
    return [path for path in found if list(app_of(path).operations)]


def steps(app: ir.App) -> list[tuple[naming.Steps, naming.Step]]:
    """A few of each document, spread over it; all where N8N_ALL_SPECS is set."""
    found = [(group, step) for group in naming.steps(app) for step in group.steps]
    return found if "N8N_ALL_SPECS" in os.environ else found[:: max(1, len(found) // SAMPLE_SIZE)]


@cache
def app_of(path: Path) -> ir.App:
    parsed = parse_file(path)
    assert parsed.app is not None
    return parsed.app


def name_of(path: Path) -> str:
    return f"spec-{path.stem}"


@pytest.fixture(scope="module")
def n8n(tmp_path_factory: pytest.TempPathFactory) -> Iterator[N8n]:
    """One server with the packages of all documents in it."""
    folder = tmp_path_factory.mktemp("prism")
    tarballs = []
    for path in documents():
        package = folder / path.stem
        publisher = replace(PUBLISHER, name=name_of(path))
        writer.write(package, EMITTER.emit(app_of(path), publisher).files)
        (package / "node_modules").symlink_to(PACKAGE / "node_modules")
        tarballs.append(packed(package, folder))
    with running_n8n(folder, free_port(), *tarballs) as running:
        yield running


@contextmanager
def mocked(document: Path, log: Path) -> Iterator[str]:
    """A server that refuses what the document does not allow."""
    port = free_port()
    command = ["node", str(PRISM), "mock", "--errors", "--host", "127.0.0.1", "--port", str(port), str(document)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=node_environment(), stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while b"is listening on" not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.mark.timeout(1800)
def test_what_is_sent_is_what_the_document_allows(n8n: N8n, tmp_path: Path) -> None:
    refused = {}
    for path in documents():
        app = app_of(path)
        name = name_of(path)
        with mocked(path, tmp_path / "log") as url:
            (first, *_) = credentials(app, "", name, [])
            credential = n8n.credential(first.name, name, **filled(first, url))
            for group, step in steps(app):
                values = {"resource": group.value, "operation": step.value, **parameters(step.operation)}
                values |= {"authentication": first.name, "output": "url"}
                one = node("Step", f"n8n-nodes-{name}.{naming.camel(name)}", values, credentials=credential)
                done = n8n.run(chain(one), [{"json": {}, "binary": FILE}])
                if done.error is not None and is_refused(done.error):
                    refused[f"{path.stem} {step.operation.id}"] = said(done.error)
    assert refused == {}


def said(error: dict[str, Any]) -> str:
    return f"{error['message']} {error.get('description', '')}"


def filled(one: Credential, url: str) -> dict[str, Any]:
    values: dict[str, Any] = {str(each["name"]): "something" for each in one.properties}
    return values | {"baseUrl": url}


def is_refused(error: dict[str, Any]) -> bool:
    """Whether Prism objects to the request, or nothing was sent. What the document answers is fine, and that an example
    of the document is no answer it allows is not ours."""
    details = error.get("context", {}).get("details", {})
    places = [one["location"][0] for one in details.get("validation", ())]
    if "httpCode" not in details:
        return True
    return "stoplight.io/prism" in str(details.get("type")) and set(places) != {"response"}


def test_the_mock_is_strict(tmp_path: Path) -> None:
    (petstore,) = [path for path in documents() if path.stem == "oai-petstore"]
    with mocked(petstore, tmp_path / "log") as url:
        assert httpx.post(f"{url}/pets", json={"id": "no number"}).status_code == 422
