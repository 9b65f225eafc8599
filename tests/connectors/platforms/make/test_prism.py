"""Documents of other people, mocked by Prism, which refuses what a document does not allow: what the modules send is
accepted."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aiops_connect import ir
from aiops_connect.loading import load
from aiops_connect.openapi import parse
from aiops_connect.overlay import overlaid
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
OVERLAYS = Path(__file__).parents[3] / "fixtures" / "overlays"
# Documents that contradict themselves.
CONTRADICTORY = {
    "figma/put_webhook",  # requires `team_id` in the body, which has no such member
    "deepgram/post_v_1_speak",  # the default of `container` is in three shapes of a oneOf, so that it is in none
    "deepgram/post_v_2_speak",  # the same
}
# What a person enters who reads that one of several inputs is needed.
ENTERED = {"openai/create_vector_store_file_batch": {"file_ids": ["file-1"]}}


def connected(files: dict[str, Any], manifest: dict[str, Any], module: str) -> dict[str, str]:
    """What Make hands to a module of its connection: what was entered, and the token where it fetched one."""
    name = manifest["module"].get(module, {}).get("connection")
    if name is None:
        return {}
    parameters = files[manifest["connection"][name]["codeFiles"]["params"]]
    is_oauth = manifest["connection"][name]["connectionType"] == "oauth"
    entered_ = {one["name"]: "secret-value" for one in parameters}
    return entered_ | ({"accessToken": "secret-value"} if is_oauth else {})


def refusals(app: ir.App, folder: Path, prism: Prism) -> dict[str, Any]:
    """What Prism had against the requests of the modules, by the operation, and how many there were."""
    made = emitted(app)
    written(made, folder)
    files = contents(made)
    manifest = files["makecomapp.json"]["components"]
    taken = {"makeapicall"} | {name.casefold() for name in manifest["rpc"]}
    found: dict[str, Any] = {}
    for operation in app.operations:
        module = component_id(operation.id, taken)
        settings = Settings(InstantClock(), base_url=prism.url, limits=LIMITS)
        parameters = entered.parameters(operation) | ENTERED.get(f"{folder.name}/{operation.id}", {})
        inputs = Inputs(connection=connected(files, manifest, module), parameters=parameters)
        with suppress(MakeError, AppError):  # of the empty answer: what was asked is what counts
            run(load_app(folder), Target.parse(module), inputs, settings, Trace())
        requests, complaints = prism.complaints()
        if requests == 0 or complaints:
            found[operation.id] = (requests, complaints)
    return found


def read(path: Path) -> ir.App:
    """A document, with what an overlay adds to it."""
    tree, overlay = load(path), OVERLAYS / path.name
    app = parse(overlaid(tree, load(overlay), overlay.name) if overlay.is_file() else tree, path).app
    assert app is not None
    return app


@pytest.mark.timeout(900)
def test_what_modules_send_is_accepted(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    for path in documents():
        app = read(path)
        if not list(app.operations):
            continue
        folder = tmp_path / path.stem
        folder.mkdir()
        with mocked(path, folder) as prism:
            found |= {f"{path.stem}/{name}": one for name, one in refusals(app, folder, prism).items()}
    assert json.dumps({name: one for name, one in found.items() if name not in CONTRADICTORY}, indent=1) == "{}"
