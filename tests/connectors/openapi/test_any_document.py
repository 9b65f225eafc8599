"""Whatever a document holds, it is read, or problems say why not; and what is read is rendered."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from aiops_connect.diff import compare
from aiops_connect.discovery import discover
from aiops_connect.openapi import parse
from tests.fixtures.any_document import anything, documents
from tests.fixtures.publisher import PUBLISHER

EMITTERS = discover()
SETTINGS = settings(max_examples=150, suppress_health_check=list(HealthCheck))


@SETTINGS
@given(documents)
def test_a_document_is_read_and_rendered_or_its_problems_are_told(tree: Any) -> None:
    before = json.dumps(tree)
    parsed = parse(tree)
    assert json.dumps(tree) == before
    assert parsed == parse(tree)
    assert parsed.app is not None
    read = len(list(parsed.app.operations))
    assert read + parsed.excluded == parsed.operations or parsed.problems
    for emitter in EMITTERS.values():
        assert emitter.emit(parsed.app, PUBLISHER) == emitter.emit(parsed.app, PUBLISHER)
    assert compare(parsed.app, parsed.app) == []


@SETTINGS
@given(documents)
def test_the_same_in_swagger(tree: Any) -> None:
    tree = {**tree, "swagger": "2.0", "definitions": tree["components"]}
    del tree["openapi"]
    assert parse(tree) == parse(tree)


@SETTINGS
@given(anything)
def test_anything_at_all(tree: Any) -> None:
    parse(tree)
    parsed = parse({"openapi": "3.1.0", "info": tree, "paths": tree, "components": tree, "webhooks": tree})
    assert parsed.app is not None


@pytest.mark.parametrize("place", ["paths", "components", "info", "servers", "tags", "security", "webhooks"])
def test_null_where_something_is_expected(place: str) -> None:
    assert parse({"openapi": "3.1.0", place: None}).app is not None
