"""Each operation of documents of others, run by n8n, sends what a strict mock of the document takes."""

import os
from collections.abc import Iterator
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
    N8n,
    chain,
    node,
    packed,
    running_n8n,
)
from tests.fixtures.ports import free_port
from tests.fixtures.prism import mocked
from tests.fixtures.publisher import PUBLISHER
from tests.fixtures.samples import parameters

pytestmark = pytest.mark.n8n

SAMPLE_SIZE = 3
# What a person enters who reads that one of several inputs is needed.
ENTERED = {"create_vector_store_file_batch": {"additionalFields": {"fileIds": ["file-1"]}}}
UNDESCRIBED = (
    "Request body must have required property 'team_id'"  # of one operation of figma, which has no such member
)
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


@pytest.mark.timeout(1800)
def test_what_is_sent_is_what_the_document_allows(n8n: N8n, tmp_path: Path) -> None:
    refused = {}
    for path in documents():
        app = app_of(path)
        name = name_of(path)
        with mocked(path, tmp_path) as prism:
            held = {
                one.name: n8n.credential(one.name, name, **filled(one, prism.url))
                for one in credentials(app, "", name, [])
            }
            prism.complaints()
            for group, step in steps(app):
                key = way_in(app, name, step.operation)
                values = {"resource": group.value, "operation": step.value, **parameters(step.operation)}
                values |= {"authentication": key, "output": "url", **ENTERED.get(step.operation.id, {})}
                one = node("Step", f"n8n-nodes-{name}.{naming.camel(name)}", values, credentials=held[key])
                done = n8n.run(chain(one), [{"json": {}, "binary": FILE}])
                requests, complaints = prism.complaints()
                if requests == 0 or set(complaints) - {UNDESCRIBED}:
                    refused[f"{path.stem} {step.operation.id}"] = (complaints, (done.error or {}).get("message"))
    assert refused == {}, "\n".join(f"{name}: {why}" for name, why in refused.items())


def way_in(app: ir.App, name: str, operation: ir.Operation) -> str:
    """The credential that opens an operation, as people choose it."""
    known = credentials(app, "", name, [])
    ways = dict(zip(app.connection.alternatives if app.connection is not None else (), known, strict=False))
    asked = [tuple(use.scheme for use in one.uses) for one in operation.security]
    return next((ways[one].name for one in asked if one in ways), known[0].name)


def filled(one: Credential, url: str) -> dict[str, Any]:
    values: dict[str, Any] = {str(each["name"]): each["default"] or "something" for each in one.properties}
    token = {"oauthTokenData": {"access_token": "something", "token_type": "bearer"}} if one.is_oauth else {}
    return values | {"baseUrl": url} | token


def test_the_mock_is_strict(tmp_path: Path) -> None:
    (petstore,) = [path for path in documents() if path.stem == "oai-petstore"]
    with mocked(petstore, tmp_path) as prism:
        httpx.post(f"{prism.url}/pets", json={"id": "no number"})
        assert prism.complaints()[1] != []
