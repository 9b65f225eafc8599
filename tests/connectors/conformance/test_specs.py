"""The same over documents of other people: each operation that a platform renders is as the document says."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from aiops_connect import ir
from aiops_connect.discovery import discover
from aiops_connect.openapi import parse_file
from aiops_connect.problem import Problem
from aiops_connect.writer import write
from tests.connectors.conformance import make, n8n, zapier
from tests.connectors.conformance.differences import ALLOWED, differences
from tests.connectors.conformance.table import Connector, of_document
from tests.connectors.openapi.test_specs import documents
from tests.fixtures.publisher import PUBLISHER

pytestmark = pytest.mark.specs

READERS: dict[str, Callable[[Path, ir.App], Connector]] = {
    "n8n": lambda folder, _app: n8n.read(folder, []),
    "zapier": lambda folder, app: zapier.read(folder, app, []),
    "make": lambda folder, app: make.read(folder, app, []),
}


def rendered(app: ir.App, platform: str, folder: Path) -> tuple[Connector, tuple[Problem, ...]]:
    """What is read back, and why some of it is missing."""
    made = discover()[platform].emit(app, PUBLISHER)
    write(folder, made.files)
    return READERS[platform](folder, app), made.problems


@pytest.mark.parametrize("platform", READERS)
def test_what_a_platform_renders_is_as_the_document(platform: str, tmp_path: Path) -> None:
    found: dict[str, list[str]] = {}
    for path in documents():
        app = parse_file(path).app
        assert app is not None
        connector, problems = rendered(app, platform, tmp_path / path.stem)
        told = {problem.pointer for problem in problems}
        found[path.name] = [
            str(one)
            for one in differences(platform, of_document(app), connector)
            if one.operation  # what events there are without a way to subscribe, differs by platform
            and not (one.what == "operation" and app.operation(one.operation).source in told)
            and not any(each.covers(app, one) for each in ALLOWED)
        ]
    assert json.dumps({name: some for name, some in found.items() if some}, indent=1) == "{}"
