"""Documents of other people, mocked by Prism, which refuses what a document does not allow: what the modules send is
accepted."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aiops_connect import ir
from aiops_connect.openapi import parse_file
from aiops_connect.platforms.make.naming import component_id
from aiops_connect.platforms.make.runner import InstantClock, Limits, MakeError, Settings, Target, Trace, load_app, run
from aiops_connect.platforms.make.runner.errors import AppError
from aiops_connect.platforms.make.runner.inputs import Inputs
from tests.connectors.openapi.test_specs import documents
from tests.connectors.platforms.make import entered
from tests.connectors.platforms.make.rendered import contents, emitted, written
from tests.fixtures.prism import Prism, mocked

pytestmark = pytest.mark.specs

LIMITS = Limits(timeout_seconds_max=60)
# It names no security, so the app has no connection, and what it asks for is not sent: docs/connectors-make-left.md.
WITHOUT_CONNECTION = "deepgram.yaml"
KNOWN = {
    "figma/put_webhook",  # asks for a field that it does not describe
    "figma/get_activity_logs",  # takes OAuth alone, and the app connects by a key
    "openai/create_vector_store_file_batch",  # either of two fields is required, by an anyOf of `required` alone
}


def refusals(app: ir.App, folder: Path, prism: Prism) -> dict[str, Any]:
    """What Prism had against the requests of the modules, by the operation, and how many there were."""
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
        settings = Settings(InstantClock(), base_url=prism.url, limits=LIMITS)
        inputs = Inputs(connection=connection, parameters=entered.parameters(operation))
        with suppress(MakeError, AppError):  # of the empty answer: what was asked is what counts
            run(load_app(folder), Target.parse(module), inputs, settings, Trace())
        requests, complaints = prism.complaints()
        if requests == 0 or complaints:
            found[operation.id] = (requests, complaints)
    return found


@pytest.mark.timeout(900)
def test_what_modules_send_is_accepted(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    for path in documents():
        app = parse_file(path).app
        assert app is not None
        if path.name == WITHOUT_CONNECTION or not list(app.operations):
            continue
        folder = tmp_path / path.stem
        folder.mkdir()
        with mocked(path, folder) as prism:
            found |= {f"{path.stem}/{name}": one for name, one in refusals(app, folder, prism).items()}
    assert json.dumps({name: one for name, one in found.items() if name not in KNOWN}, indent=1) == "{}"
