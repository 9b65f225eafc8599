"""Documents of other people, in the folder that AIOPS_SPECS names: no operation of theirs is lost."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiops_connect import ir
from aiops_connect.discovery import discover
from aiops_connect.loading import load
from aiops_connect.openapi import Parsed, parse_file
from aiops_connect.pointers import escape
from tests.fixtures.publisher import PUBLISHER

pytestmark = pytest.mark.specs

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def specs() -> Path:
    """The folder. Its absence is a failure: nothing would have been tested."""
    folder = Path(os.environ.get("AIOPS_SPECS", ""))
    if "AIOPS_SPECS" not in os.environ or not folder.is_dir():
        pytest.fail("Set AIOPS_SPECS to a folder of OpenAPI documents.", pytrace=False)
    return folder


def documents() -> Iterator[Path]:
    found = sorted(path for path in specs().iterdir() if path.suffix in (".yaml", ".json"))
    assert len(found) >= 10
    yield from found


@pytest.fixture(scope="module")
def parsed() -> dict[str, Parsed]:
    return {path.name: parse_file(path) for path in documents()}


def described(path: Path) -> set[tuple[str, str]]:
    """The operations of a document as method and path, told by a walk of our own."""
    paths = load(path).get("paths") or {}
    return {(method.upper(), name) for name, item in paths.items() for method in item if method in METHODS}


def test_every_operation_is_read_or_a_problem_says_why(parsed: dict[str, Parsed]) -> None:
    lost: dict[str, set[str]] = {}
    for path in documents():
        result = parsed[path.name]
        assert result.app is not None
        expected = described(path)
        assert result.operations == len(expected)
        read = {(operation.method, operation.path) for operation in result.app.operations}
        pointers = {problem.pointer for problem in result.problems}
        missing = {
            f"{method} {name}"
            for method, name in expected - read
            if not any(one.startswith(f"#/paths/{escape(name)}/{method.lower()}") for one in pointers)
        }
        lost |= {path.name: missing} if missing else {}
    assert lost == {}


def test_each_operation_has_what_a_platform_needs(parsed: dict[str, Parsed]) -> None:
    for result in parsed.values():
        assert result.app is not None
        ids = [operation.id for operation in result.app.operations]
        assert len(ids) == len(set(ids))
        for operation in result.app.operations:
            inputs = [field.id for field in operation.inputs]
            assert len(inputs) == len(set(inputs))
            assert operation.label
            assert all(field.label for field in operation.inputs)
            assert all((field.encoding is None) == is_json(operation, field) for field in operation.inputs)


def is_json(operation: ir.Operation, field: ir.Field) -> bool:
    whole = operation.body is not None and operation.body.is_whole
    json_body = operation.body is not None and operation.body.format is ir.BodyFormat.JSON
    return field.location is ir.Location.BODY and (json_body or whole)


def test_every_webhook_is_a_trigger(parsed: dict[str, Parsed]) -> None:
    for path in documents():
        app = parsed[path.name].app
        assert app is not None
        assert {event.value for trigger in app.triggers for event in trigger.events} == set(
            load(path).get("webhooks") or {}
        )


def test_every_platform_takes_every_document_and_gives_the_same_each_time(parsed: dict[str, Parsed]) -> None:
    for path in documents():
        again = parse_file(path)
        first = parsed[path.name]
        assert again == first
        assert first.app is not None
        assert again.app is not None
        for emitter in discover().values():
            assert emitter.emit(first.app, PUBLISHER) == emitter.emit(again.app, PUBLISHER)


def test_none_of_these_documents_has_a_problem(parsed: dict[str, Parsed]) -> None:
    """All they hold can be rendered, if only as JSON; a problem is something that we have come to misread."""
    assert {name: result.problems for name, result in parsed.items() if result.problems} == {}
