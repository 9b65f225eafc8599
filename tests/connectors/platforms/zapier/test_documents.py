"""Documents of other people's APIs: their apps are sound, and each action sends what its document asks for."""

import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aiops_connect import ir
from aiops_connect.loading import load
from aiops_connect.openapi import parse
from aiops_connect.platforms.zapier.emitter import EMITTER
from aiops_connect.platforms.zapier.steps import Steps, steps
from aiops_connect.publisher import Publisher, load_publisher
from aiops_connect.writer import write
from tests.connectors.platforms.zapier.app_in_core import APP, ROOT, App, Outcome, running_app
from tests.connectors.platforms.zapier.entries import entries
from tests.fixtures.prism import Prism, mocked
from tests.fixtures.web import ok, serving

OURS = ROOT / "openapi" / "aiops.yaml"
DOCUMENTS = sorted(Path(os.environ["AIOPS_SPECS"]).glob("*.yaml")) if "AIOPS_SPECS" in os.environ else []
_ONE_OF = "Request {} must match exactly one schema in oneOf"
# What Prism says of requests that are right, or of documents that contradict themselves; nothing else is passed over.
PASSED_OVER = {
    # The shapes overlap: an entry of one list stands in another too, or is the text or the number beside it.
    "creates.transcribe": {_ONE_OF.format(f"query parameter {name}") for name in ("model", "version")},
    "creates.post_v_1_speak": {_ONE_OF.format(f"query parameter {name}") for name in ("bit_rate", "sample_rate")},
    "creates.post_v_2_speak": {_ONE_OF.format(f"query parameter {name}") for name in ("bit_rate", "sample_rate")},
    # It is required, and described nowhere.
    "creates.put_webhook": {"Request body must have required property 'team_id'"},
    # No property is required, yet one has to be there; each is entered as JSON, which the person writes.
    "creates.post_variables": {"Request body must NOT have fewer than 1 properties"},
    # The document's example of a schema is a text.
    "creates.create_eval": {
        "Request body property data_source_config.item_schema must be object",
        "Request body property data_source_config.type must be equal to one of the allowed values: logs",
        "Request body property data_source_config.type must be equal to one of the allowed values: stored_completions",
        _ONE_OF.format("body property data_source_config"),
    },
    # Either is required, by an anyOf of `required` alone.
    "creates.create_vector_store_file_batch": {
        "Request body must have required property 'file_ids'",
        "Request body must have required property 'files'",
        "Request body must match a schema in anyOf",
    },
    # In forms and multipart Prism takes each value for a text, also those that are repeated and those of JSON.
    "creates.change_thing": {"Request body property tags must be array"},
    "creates.create_transcription": {
        f"Request body property {name} must be array"
        for name in (
            "include",
            "keywords",
            "known_speaker_names",
            "known_speaker_references",
            "languages",
            "timestamp_granularities",
        )
    },
    "creates.create_file": {"Request body property expires_after must be object"},
}
# A header parameter of this name is to be ignored (OpenAPI 3.1, section 4.8.12.2): it is for credentials, and is sent.
_AUTHORIZATION = re.compile("Request header must have required property 'authorization'")
CREDENTIALS = {"username": "ada", "password": "secret", "access_token": "secret"}


def named(path: Path) -> str:
    return path.stem


def read(document: Path) -> tuple[ir.App, Publisher]:
    parsed = parse(load(document), document)
    assert parsed.app is not None
    return parsed.app, load_publisher(ROOT / "connectors" / "publisher.yaml")


def rendered(document: Path, folder: Path, url: str) -> tuple[ir.App, Steps]:
    """The app of a document in a folder, with every server of the document at `url`."""
    app, publisher = read(document)
    write(folder, EMITTER.emit(app, publisher).files)
    servers = {server.address for one in (*app.operations, *app.internal) for server in one.servers}
    for path in folder.glob("*/*.json"):
        if path.parent.name in ("creates", "searches"):
            data = json.loads(path.read_text())
            if data["plan"]["call"].get("server") in servers:
                data["plan"]["call"]["server"] = url
                path.write_text(json.dumps(data))
    (folder / "node_modules").symlink_to(APP / "node_modules")
    return app, steps(app, publisher)


@asynccontextmanager
async def app_of(document: Path, folder: Path) -> AsyncIterator[tuple[App, Prism, ir.App, Steps]]:
    with mocked(document, folder) as mock:
        app, made = rendered(document, folder / "app", mock.url)
        fields = made.authentication.definition["fields"] if made.authentication is not None else []
        auth = CREDENTIALS | {one["key"]: one.get("default", "secret") for one in fields}
        async with running_app(folder / "app", auth, AIOPS_BASE_URL=mock.url) as running:
            yield running, mock, app, made


def operation_of(app: ir.App, plan: dict[str, Any]) -> ir.Operation:
    call = plan["call"]
    return next(one for one in app.operations if (one.method, one.path) == (call["method"], call["path"]))


async def hydrated(running: App, found: Outcome) -> Outcome:
    """What comes of a file that is fetched only when a later step wants it."""
    told = json.loads(found.results[0]["file"].split("|||")[1])
    return await running.run(told["method"], told["bundle"])


async def refused(document: Path, folder: Path, *, only_required: bool) -> dict[str, Any]:
    """The actions whose requests Prism does not accept, and why. Each is performed once."""
    if not list(read(document)[0].operations):
        return {}  # Prism has nothing to mock then
    async with serving(ok(b"content", "Content-Type: text/plain")) as host, app_of(document, folder) as found:
        running, mock, app, made = found
        wrong = {}
        for kind in ("creates", "searches"):
            actions = made.creates if kind == "creates" else made.searches
            for action in actions:
                operation = operation_of(app, action.plan)
                entered = entries(
                    operation,
                    action.plan["call"]["inputs"],
                    f"http://{host.authority}/a.txt",
                    only_required=only_required,
                )
                outcome = await running.run(f"{kind}.{action.key}.operation.perform", entered)
                if action.plan["call"]["answer"] == "file" and kind == "searches":
                    outcome = await hydrated(running, outcome)
                requests, complaints = mock.complaints(_AUTHORIZATION)
                known = PASSED_OVER.get(f"{kind}.{action.key}", set())
                if requests == 0 or not set(complaints) <= known:
                    wrong[f"{kind}.{action.key}"] = (requests, complaints[:4], outcome.error, outcome.message[:300])
        return wrong


@pytest.mark.specs
@pytest.mark.timeout(900)
@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
@pytest.mark.parametrize("only_required", [True, False], ids=["required", "all"])
async def test_each_action_sends_what_its_document_asks_for(
    document: Path, only_required: bool, tmp_path: Path
) -> None:
    wrong = await refused(document, tmp_path, only_required=only_required)
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())


@pytest.mark.specs
@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
async def test_every_operation_is_a_step_and_the_definition_is_sound(document: Path, tmp_path: Path) -> None:
    app, made = rendered(document, tmp_path, "http://127.0.0.1:1")
    told = {problem.pointer for problem in made.problems}
    left_out = [one for one in app.operations if one.source in told]
    assert len(made.creates) + len(made.searches) + len(left_out) == len(list(app.operations))
    async with running_app(tmp_path, {}) as running:
        assert (await running.send({"command": "validate"})).results == []
