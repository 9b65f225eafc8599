"""Overlays: a document on the left, actions, and what comes of them on the right."""

from typing import Any

import pytest

from aiops_connect.overlay import OverlayError, overlaid
from tests.fixtures.documents import operation_of, with_operation

TREE = {"a": {"b": 1, "c": [1, 2]}, "list": [{"n": 1}, {"n": 2}, {"n": 3}], "text": "x"}


def overlay(*actions: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"overlay": "1.0.0", "info": {"title": "O", "version": "1"}, "actions": list(actions), **members}


ACTIONS: list[tuple[str, list[dict[str, Any]], Any]] = [
    ("update", [{"target": "$.a", "update": {"b": 2, "d": 3}}], {**TREE, "a": {"b": 2, "c": [1, 2], "d": 3}}),
    ("update at depth", [{"target": "$", "update": {"a": {"b": 2}}}], {**TREE, "a": {"b": 2, "c": [1, 2]}}),
    ("join lists", [{"target": "$.a", "update": {"c": [3]}}], {**TREE, "a": {"b": 1, "c": [1, 2, 3]}}),
    ("add to a list", [{"target": "$.a.c", "update": 3}], {**TREE, "a": {"b": 1, "c": [1, 2, 3]}}),
    ("replace a text", [{"target": "$.text", "update": "y"}], {**TREE, "text": "y"}),
    ("remove a member", [{"target": "$.a.b", "remove": True}], {**TREE, "a": {"c": [1, 2]}}),
    ("remove from a list", [{"target": "$.list[?@.n < 3]", "remove": True}], {**TREE, "list": [{"n": 3}]}),
    ("remove everywhere", [{"target": "$..n", "remove": True}], {**TREE, "list": [{}, {}, {}]}),
    (
        "copy",
        [{"target": "$.list[0]", "copy": "$.a"}],
        {**TREE, "list": [{"n": 1, "b": 1, "c": [1, 2]}, {"n": 2}, {"n": 3}]},
    ),
    (
        "one after the other",
        [{"target": "$.a", "update": {"new": {}}}, {"target": "$.a.new", "update": {"x": 1}}],
        {**TREE, "a": {"b": 1, "c": [1, 2], "new": {"x": 1}}},
    ),
]


@pytest.mark.parametrize(("actions", "expected"), [pytest.param(*row[1:], id=row[0]) for row in ACTIONS])
def test_actions_change_a_copy(actions: list[dict[str, Any]], expected: Any) -> None:
    before = repr(TREE)
    assert overlaid(TREE, overlay(*actions), "o.yaml") == expected
    assert repr(TREE) == before


FAILURES: list[tuple[str, Any, list[tuple[str, str]]]] = [
    (
        "no overlay",
        {"openapi": "3.1.0"},
        [("#/overlay", "This is no OpenAPI Overlay. It has to say `overlay: 1.0.0`.")],
    ),
    (
        "another version",
        {"overlay": "2.0.0"},
        [("#/overlay", "This is no OpenAPI Overlay. It has to say `overlay: 1.0.0`.")],
    ),
    ("no actions", overlay(), [("#/actions", "It has to be a list of at least one action.")]),
    (
        "an unknown member",
        overlay({"target": "$", "update": {}}, action=[]),
        [("#/action", "An overlay has no such member.")],
    ),
    ("no target", overlay({"update": {}}), [("#/actions/0", "An action has to be an object with a target.")]),
    (
        "nothing to do",
        overlay({"target": "$"}),
        [("#/actions/0", "An action has one of update, copy and `remove: true`.")],
    ),
    (
        "two things to do",
        overlay({"target": "$.a", "update": {}, "remove": True}),
        [("#/actions/0", "An action has one of update, copy and `remove: true`.")],
    ),
    (
        "nothing selected",
        overlay({"target": "$.a", "update": {}}, {"target": "$.no", "remove": True}),
        [("#/actions/1", "The target selects nothing. Mend it, or remove the action.")],
    ),
    (
        "the whole",
        overlay({"target": "$", "remove": True}),
        [("#/actions/0", "The document itself cannot be removed.")],
    ),
    (
        "an object by a text",
        overlay({"target": "$.a", "update": "x"}),
        [("#/actions/0", "An object is updated by an object.")],
    ),
    (
        "a copy of several",
        overlay({"target": "$.a", "copy": "$.list[*]"}),
        [("#/actions/0", "What is copied has to be one value; it selects 3.")],
    ),
]


@pytest.mark.parametrize(("tree", "expected"), [pytest.param(*row[1:], id=row[0]) for row in FAILURES])
def test_an_overlay_that_cannot_be_applied_is_told(tree: Any, expected: list[tuple[str, str]]) -> None:
    with pytest.raises(OverlayError) as failure:
        overlaid(TREE, tree, "o.yaml")
    assert [(one.pointer, one.message) for one in failure.value.problems] == [
        (f"o.yaml{pointer}", message) for pointer, message in expected
    ]


def test_a_query_that_is_none_is_told() -> None:
    with pytest.raises(OverlayError, match="It is no JSONPath"):
        overlaid(TREE, overlay({"target": "$[", "update": {}}), "o.yaml")


def test_an_overlay_gives_labels_and_words_to_the_document_of_somebody_else() -> None:
    tree = with_operation({"parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}]})
    changes = overlay(
        {"target": "$.paths['/things'].post", "update": {"summary": "Act", "x-credits": 3}},
        {"target": "$.paths..parameters[?@.name == 'q']", "update": {"x-connector-advanced": True}},
    )
    operation = operation_of(overlaid(tree, changes, "o.yaml"))
    assert (operation.label, operation.credits, operation.input("q").is_advanced) == ("Act", 3, True)
