"""Two versions on the left; what that means to the people who use the connector on the right."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from aiops_connect.changes import Severity, bump
from aiops_connect.diff import compare
from tests.fixtures.documents import app_of, document

TEXT = {"type": "string"}
ANSWER = {"type": "object", "properties": {"id": TEXT, "state": {"enum": ["on", "off"]}}, "required": ["id"]}
BODY = {
    "type": "object",
    "properties": {
        "name": {**TEXT, "maxLength": 9},
        "size": {"oneOf": [{"const": "s"}, {"const": "m"}], "default": "s"},
        "tags": {"type": "array", "items": TEXT},
        "inner": {"type": "object", "properties": {"a": TEXT}},
    },
    "required": ["name"],
}
EVENT = {"properties": {"id": TEXT}}


def version_one() -> dict[str, Any]:
    act = {
        "operationId": "act",
        "summary": "Act",
        "requestBody": {"content": {"application/json": {"schema": BODY}}},
        "responses": {"200": {"description": "It.", "content": {"application/json": {"schema": ANSWER}}}},
    }
    webhook = {"post": {"requestBody": {"content": {"application/json": {"schema": EVENT}}}, "responses": {}}}
    return copy.deepcopy(
        document(
            {
                "/act": {"post": act},
                "/other": {"get": {"operationId": "other", "responses": {"204": {"description": "It."}}}},
            },
            webhooks={"made": webhook, "lost": copy.deepcopy(webhook)},
            servers=[{"url": "https://a.example"}],
            security=[{"key": []}],
            components={"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        )
    )


def act(tree: Any) -> Any:
    return tree["paths"]["/act"]["post"]


def body(tree: Any) -> Any:
    return act(tree)["requestBody"]["content"]["application/json"]["schema"]


def answer(tree: Any) -> Any:
    return act(tree)["responses"]["200"]["content"]["application/json"]["schema"]


MAJOR, MINOR, PATCH = Severity.MAJOR, Severity.MINOR, Severity.PATCH
NAME, SIZE = "operation act, input name", "operation act, input size"
CHANGES: list[tuple[str, Callable[[Any], Any], list[tuple[Severity, str, str]]]] = [
    ("nothing", lambda tree: None, []),
    (
        "an operation is gone",
        lambda tree: tree["paths"].pop("/other"),
        [(MAJOR, "operation other", "It is gone; steps that use it fail.")],
    ),
    (
        "an operation is new",
        lambda tree: tree["paths"].update({"/new": {"get": {"operationId": "new", "responses": {}}}}),
        [(MINOR, "operation new", "It is new.")],
    ),
    (
        "an operation reads differently",
        lambda tree: act(tree).update(summary="Do"),
        [(PATCH, "operation act", "Its label or help reads differently.")],
    ),
    (
        "an operation is deprecated",
        lambda tree: act(tree).update(deprecated=True),
        [(MINOR, "operation act", "It is deprecated.")],
    ),
    (
        "a price",
        lambda tree: act(tree).update({"x-credits": 5}),
        [(MAJOR, "operation act", "It costs 5 credits in place of 0.")],
    ),
    (
        "another path",
        lambda tree: tree["paths"].update({"/act2": tree["paths"].pop("/act")}),
        [(PATCH, "operation act", "It is called in another way, by the connector itself.")],
    ),
    (
        "other credentials",
        lambda tree: act(tree).update(security=[]),
        [(MAJOR, "operation act", "It asks for other credentials or scopes.")],
    ),
    (
        "an input is gone",
        lambda tree: body(tree)["properties"].pop("size"),
        [(MAJOR, SIZE, "It is gone; what was entered is not sent.")],
    ),
    (
        "an input is new",
        lambda tree: body(tree)["properties"].update(new=TEXT),
        [(MINOR, "operation act, input new", "It is new.")],
    ),
    (
        "an input is new and required",
        lambda tree: (body(tree)["properties"].update(new=TEXT), body(tree)["required"].append("new")),
        [(MAJOR, "operation act, input new", "It is new, and required.")],
    ),
    (
        "a constant is new and required",
        lambda tree: (body(tree)["properties"].update(new={"const": 1}), body(tree)["required"].append("new")),
        [(MINOR, "operation act, input new", "It is new.")],
    ),
    (
        "an input is required",
        lambda tree: body(tree)["required"].append("size"),
        [(MAJOR, SIZE, "It is required now.")],
    ),
    (
        "an input is not required",
        lambda tree: body(tree)["required"].clear(),
        [(MINOR, NAME, "It is not required any more.")],
    ),
    (
        "another default",
        lambda tree: body(tree)["properties"]["size"].update(default="m"),
        [(MAJOR, SIZE, "Another value is taken where none is entered.")],
    ),
    (
        "an option is gone",
        lambda tree: body(tree)["properties"]["size"]["oneOf"].pop(),
        [(MAJOR, SIZE, "m cannot be chosen any more.")],
    ),
    (
        "an option is new",
        lambda tree: body(tree)["properties"]["size"]["oneOf"].append({"const": "l"}),
        [(MINOR, SIZE, "l can be chosen.")],
    ),
    (
        "a tighter limit",
        lambda tree: body(tree)["properties"]["name"].update(maxLength=5),
        [(MAJOR, NAME, "It has to be at most 5.")],
    ),
    (
        "a wider limit",
        lambda tree: body(tree)["properties"]["name"].update(maxLength=99),
        [(MINOR, NAME, "It has to be at most 99.")],
    ),
    (
        "no limit",
        lambda tree: body(tree)["properties"]["name"].pop("maxLength"),
        [(MINOR, NAME, "It has no limit of at most 9 any more.")],
    ),
    (
        "a pattern",
        lambda tree: body(tree)["properties"]["name"].update(pattern="^a"),
        [(MAJOR, NAME, "It has to follow another pattern.")],
    ),
    (
        "another type",
        lambda tree: body(tree)["properties"].update(tags=TEXT),
        [(MAJOR, "operation act, input tags", "It takes a text in place of a list.")],
    ),
    (
        "another type of items",
        lambda tree: body(tree)["properties"]["tags"].update(items={"type": "integer"}),
        [(MAJOR, "operation act, input tags, items", "It takes a whole number in place of a text.")],
    ),
    (
        "a member within is gone",
        lambda tree: body(tree)["properties"]["inner"]["properties"].update(
            b=body(tree)["properties"]["inner"]["properties"].pop("a")
        ),
        [
            (MAJOR, "operation act, input inner, input a", "It is gone; what was entered is not sent."),
            (MINOR, "operation act, input inner, input b", "It is new."),
        ],
    ),
    (
        "an output is gone",
        lambda tree: answer(tree)["properties"].pop("state"),
        [(MAJOR, "operation act, output state", "It is gone; steps that use it find nothing.")],
    ),
    (
        "an output is new",
        lambda tree: answer(tree)["properties"].update(new=TEXT),
        [(MINOR, "operation act, output new", "It is new.")],
    ),
    (
        "an output of another type",
        lambda tree: answer(tree)["properties"].update(id={"type": "integer"}),
        [(MAJOR, "operation act, output id", "It is a whole number in place of a text.")],
    ),
    (
        "an output can be null",
        lambda tree: answer(tree)["properties"].update(id={"type": ["string", "null"]}),
        [(MAJOR, "operation act, output id", "It can be null now.")],
    ),
    (
        "an output can be absent",
        lambda tree: answer(tree)["required"].clear(),
        [(MAJOR, "operation act, output id", "It can be absent now.")],
    ),
    (
        "an output can be more",
        lambda tree: answer(tree)["properties"]["state"]["enum"].append("broken"),
        [(MINOR, "operation act, output state", "It can be broken too.")],
    ),
    (
        "no answer",
        lambda tree: act(tree).update(responses={"204": {"description": "Done."}}),
        [(MAJOR, "operation act, answer", "It has no content any more.")],
    ),
    (
        "a trigger is gone",
        lambda tree: tree["webhooks"].pop("lost"),
        [(MAJOR, "trigger lost", "It is gone; what it started does not start.")],
    ),
    (
        "a trigger is new",
        lambda tree: tree["webhooks"].update(new=tree["webhooks"]["made"]),
        [(MINOR, "trigger new", "It is new.")],
    ),
    (
        "a payload loses a field",
        lambda tree: tree["webhooks"]["made"]["post"]["requestBody"]["content"].update(
            {"application/json": {"schema": {"properties": {"x": TEXT}}}}
        ),
        [
            (MAJOR, "trigger made, output id", "It is gone; steps that use it find nothing."),
            (MINOR, "trigger made, output x", "It is new."),
        ],
    ),
    (
        "another kind of connection",
        lambda tree: tree["components"]["securitySchemes"].update(key={"type": "http", "scheme": "basic"}),
        [(MAJOR, "connection key", "It works in another way; people have to connect again.")],
    ),
]


@pytest.mark.parametrize(("change", "expected"), [pytest.param(*row[1:], id=row[0]) for row in CHANGES])
def test_a_change_is_told_with_what_it_means(
    change: Callable[[Any], Any], expected: list[tuple[Severity, str, str]]
) -> None:
    tree = version_one()
    change(tree)
    changes = compare(app_of(version_one()), app_of(tree))
    assert [(one.severity, one.subject, one.message) for one in changes] == expected


def test_another_address_is_told() -> None:
    tree = version_one()
    tree["servers"] = [{"url": "https://b.example"}]
    changes = compare(app_of(version_one()), app_of(tree))
    assert (MINOR, "servers") in [(one.severity, one.subject) for one in changes]


def test_the_version_is_raised_by_the_gravest_change() -> None:
    tree = version_one()
    assert bump(compare(app_of(tree), app_of(tree))) is None
    act(tree)["summary"] = "Do"
    assert bump(compare(app_of(version_one()), app_of(tree))) is PATCH
    body(tree)["properties"]["new"] = TEXT
    assert bump(compare(app_of(version_one()), app_of(tree))) is MINOR
    del tree["paths"]["/other"]
    assert bump(compare(app_of(version_one()), app_of(tree))) is MAJOR
