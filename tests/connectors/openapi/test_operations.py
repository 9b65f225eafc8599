"""Operations: what they are called, where they belong, what they do."""

from typing import Any

import pytest

from aiops_connect import ir
from aiops_connect.openapi import parse
from tests.fixtures.documents import OK, app_of, document, operation_of, with_operation

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("operation_id", "expected"),
    [
        pytest.param("list_things", "list_things", id="snake case"),
        pytest.param("listThings", "list_things", id="camel case"),
        pytest.param("things.list-all", "things_list_all", id="points and dashes"),
        pytest.param("GetURLs2", "get_urls_2", id="acronym"),
        pytest.param(None, "get_things_by_id", id="none: method and path"),
        pytest.param("__proto__", "proto", id="a name with a meaning"),
        pytest.param("取得", "operation", id="no letter of ours"),
    ],
)
def test_the_id_is_in_snake_case(operation_id: str | None, expected: str) -> None:
    node: dict[str, Any] = {
        "responses": OK,
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
    }
    if operation_id is not None:
        node["operationId"] = operation_id
    assert [operation.id for operation in app_of(document({"/things/{id}": {"get": node}})).operations] == [expected]


def test_operations_that_share_an_operation_id_are_named_by_what_they_call() -> None:
    paths = {path: {"get": {"operationId": "list", "responses": OK}} for path in ("/cats", "/dogs")}
    assert [operation.id for operation in app_of(document(paths)).operations] == ["get_cats", "get_dogs"]


def test_a_summary_is_the_label() -> None:
    assert operation_of(with_operation({"summary": "Act now"})).label == "Act now"
    assert operation_of(with_operation({})).label == "Act"


LIST = {"200": {"description": "All.", "content": {"application/json": {"schema": {"type": "array"}}}}}


@pytest.mark.parametrize(
    ("method", "responses", "effect"),
    [
        ("get", OK, ir.Effect.READ),
        ("get", LIST, ir.Effect.LIST),
        ("head", OK, ir.Effect.READ),
        ("post", LIST, ir.Effect.CREATE),
        ("put", OK, ir.Effect.UPDATE),
        ("patch", OK, ir.Effect.UPDATE),
        ("delete", OK, ir.Effect.DELETE),
    ],
)
def test_the_effect_is_told_by_the_method(method: str, responses: Any, effect: ir.Effect) -> None:
    assert operation_of(with_operation({"responses": responses}, method=method)).effect is effect


def test_an_idempotency_key_is_known_by_its_name() -> None:
    header = {"name": "idempotency-key", "in": "header", "schema": TEXT}
    assert operation_of(with_operation({"parameters": [header]})).idempotency == "idempotency_key"


def test_what_a_call_costs() -> None:
    assert operation_of(with_operation({"x-credits": 5})).credits == 5
    assert operation_of(with_operation({})).credits is None


def test_resources_are_the_first_tags_in_the_order_of_the_document() -> None:
    paths = {
        "/a": {"get": {"operationId": "a", "tags": ["Late", "Early"], "responses": OK}},
        "/b": {"get": {"operationId": "b", "tags": ["Early"], "responses": OK}},
        "/user-groups/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
            "get": {"operationId": "c", "responses": OK},
        },
    }
    app = app_of(
        document(paths, tags=[{"name": "Early", "description": "First."}, {"name": "Unused"}, {"name": "Late"}])
    )
    assert [(one.id, one.label, one.help, [operation.id for operation in one.operations]) for one in app.resources] == [
        ("early", "Early", "First.", ["b"]),
        ("late", "Late", "", ["a"]),
        ("user_groups", "User groups", "", ["c"]),
    ]


@pytest.mark.parametrize("where", ["operation", "path"])
def test_what_is_excluded_is_counted_and_left_out(where: str) -> None:
    item: dict[str, Any] = {"get": {"operationId": "hidden", "responses": OK}}
    (item["get"] if where == "operation" else item)["x-connector-exclude"] = True
    parsed = parse(document({"/hidden": item, "/shown": {"get": {"operationId": "shown", "responses": OK}}}))
    assert (parsed.operations, parsed.excluded) == (2, 1)
    assert parsed.app is not None
    assert [operation.id for operation in parsed.app.operations] == ["shown"]


def test_what_is_excluded_but_called_by_the_connector_is_internal() -> None:
    listing = {"operationId": "list", "x-connector-exclude": True, "responses": LIST}
    field = {**TEXT, "x-connector-options": {"operationId": "list", "value": "/id"}}
    tree = with_operation({"parameters": [{"name": "q", "in": "query", "schema": field}]})
    tree["paths"]["/all"] = {"get": listing}
    app = app_of(tree)
    assert [operation.id for operation in app.operations] == ["act"]
    assert [operation.id for operation in app.internal] == ["list"]
    assert app.operation("list").effect is ir.Effect.LIST


def test_a_path_can_be_a_reference() -> None:
    tree = document({"/things": {"$ref": "#/components/pathItems/Things"}})
    tree["components"] = {"pathItems": {"Things": {"get": {"operationId": "act", "responses": OK}}}}
    assert operation_of(tree).path == "/things"
