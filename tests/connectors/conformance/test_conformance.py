"""One document, three platforms: each offers the same operations, asks for the same, checks the same limits, takes the
same errors for the same, and names the same price."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aiops_connect import ir
from aiops_connect.discovery import discover
from aiops_connect.openapi import parse_file
from aiops_connect.writer import write
from tests.connectors.conformance import answers, make, n8n, zapier
from tests.connectors.conformance.differences import ALLOWED, Allowance, Difference, differences
from tests.connectors.conformance.table import Connector, Limits, Step, of_document
from tests.fixtures.publisher import PUBLISHER

ROOT = Path(__file__).parents[3]
OURS = "openapi/aiops.yaml"
DOCUMENTS = [
    OURS,
    "tests/golden/things.yaml",
    "tests/fixtures/every_construct.yaml",
    "tests/connectors/conformance/lists.yaml",
]
PLATFORMS = ["n8n", "zapier", "make"]


@cache
def app_of(document: str) -> ir.App:
    app = parse_file(ROOT / document).app
    assert app is not None
    return app


@cache
def connectors(document: str) -> dict[str, Connector]:
    """What is read back of the files of each platform."""
    app = app_of(document)
    asked = answers.of(app)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for platform in PLATFORMS:
            write(folder / platform, discover()[platform].emit(app, PUBLISHER).files)
        return {
            "n8n": n8n.read(folder / "n8n", asked),
            "zapier": zapier.read(folder / "zapier", app, asked),
            "make": make.read(folder / "make", app, asked),
        }


@cache
def judged(document: str, platform: str) -> list[tuple[Difference, list[Allowance]]]:
    """Each difference, with what allows it."""
    app = app_of(document)
    found = differences(platform, of_document(app), connectors(document)[platform])
    return [(one, [each for each in ALLOWED if each.covers(app, one)]) for one in found]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_platform_is_as_the_document(document: str, platform: str) -> None:
    assert [str(one) for one, allowed in judged(document, platform) if not allowed] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_operation_was_refused_on_each_platform(document: str) -> None:
    """So that no failure was left out of the comparison."""
    for platform, connector in connectors(document).items():
        assert connector.failures.keys() == connector.steps.keys(), platform
        assert all(set(answers.ANYWHERE) <= failures.keys() for failures in connector.failures.values())


def test_nothing_is_allowed_that_does_not_happen() -> None:
    used = {
        each.why
        for document in DOCUMENTS
        for platform in PLATFORMS
        for _, some in judged(document, platform)
        for each in some
    }
    assert [each.why for each in ALLOWED if each.why not in used] == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_services_are_as_agreed(platform: str) -> None:
    """By the contract itself, past all that reads it."""
    steps = connectors(OURS)[platform].steps
    assert {name: step.price for name, step in steps.items() if step.price is not None} == {
        "generate_image": 5,
        "generate_speech": 2,
        "transcribe_audio": 3,
    }
    assert required(steps["generate_image"]) == {"prompt"}
    assert required(steps["generate_speech"]) == {"text"}
    assert required(steps["transcribe_audio"]) == {"audio_url"}
    assert steps["generate_image"].inputs["aspect_ratio"].default == "1:1"
    assert steps["generate_image"].inputs["aspect_ratio"].choices == {"1:1", "16:9", "9:16", "4:3", "3:4"}
    assert steps["generate_speech"].inputs["voice"].default == "en-Carter_man"
    assert steps["generate_speech"].inputs["text"].limits.most == 500
    assert steps["transcribe_audio"].inputs["language"].default == "en"


def required(step: Step) -> set[str]:
    return {name for name, one in step.inputs.items() if one.required}


CHANGES = {
    "default": lambda one: replace(one, default="another"),
    "required": lambda one: replace(one, required=not one.required),
    "choices": lambda one: replace(one, choices=frozenset(("a", "b"))),
    "limits": lambda one: replace(one, limits=Limits(1, 2)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_differs_is_told(what: str) -> None:
    wanted = of_document(app_of(OURS))
    step = wanted.steps["generate_image"]
    changed = replace(step, inputs={**step.inputs, "style": CHANGES[what](step.inputs["style"])})
    found = replace(wanted, steps={**wanted.steps, "generate_image": changed})
    [one] = differences("make", wanted, found)
    assert (one.what, one.operation, one.where) == (what, "generate_image", "style")
