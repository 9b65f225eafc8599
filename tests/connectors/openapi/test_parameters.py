"""Parameters on the left, fields on the right."""

from dataclasses import replace
from typing import Any

import pytest

from aiops_connect import ir
from tests.fixtures.documents import OK, document, operation_of, problems_of, with_operation

TEXT = {"type": "string"}
QUERY = ir.Field(
    "q", "q", "Q", ir.Text(), location=ir.Location.QUERY, encoding=ir.Encoding(ir.Style.FORM, explode=True)
)
SIMPLE = ir.Encoding(ir.Style.SIMPLE, explode=False)


def in_query(**members: Any) -> dict[str, Any]:
    return {"name": "q", "in": "query", "schema": TEXT, **members}


PARAMETERS: list[tuple[str, dict[str, Any], ir.Field]] = [
    ("query", in_query(), QUERY),
    ("header", in_query(**{"in": "header"}), replace(QUERY, location=ir.Location.HEADER, encoding=SIMPLE)),
    ("cookie", in_query(**{"in": "cookie"}), replace(QUERY, location=ir.Location.COOKIE)),
    ("required", in_query(required=True), replace(QUERY, required=True)),
    (
        "its own help",
        in_query(description="Own.", schema={**TEXT, "description": "Of it."}),
        replace(QUERY, help="Own."),
    ),
    ("help of the schema", in_query(schema={**TEXT, "description": "Of it."}), replace(QUERY, help="Of it.")),
    ("deprecated", in_query(deprecated=True), replace(QUERY, deprecated=True)),
    ("example", in_query(example="a"), replace(QUERY, example="a")),
    ("examples", in_query(examples={"one": {"value": "a"}}), replace(QUERY, example="a")),
    ("advanced", in_query(**{"x-connector-advanced": True}), replace(QUERY, is_advanced=True)),
    ("not exploded", in_query(explode=False), replace(QUERY, encoding=ir.Encoding(ir.Style.FORM, explode=False))),
    (
        "pipes",
        in_query(style="pipeDelimited", schema={"type": "array", "items": TEXT}),
        replace(QUERY, type=ir.Array(ir.Text()), encoding=ir.Encoding(ir.Style.PIPE_DELIMITED, explode=False)),
    ),
    (
        "deep object",
        in_query(style="deepObject", explode=True, schema={"properties": {"a": TEXT}}),
        replace(
            QUERY,
            type=ir.Group((ir.Field("a", "a", "A", ir.Text()),)),
            encoding=ir.Encoding(ir.Style.DEEP_OBJECT, explode=True),
        ),
    ),
    (
        "reserved characters",
        in_query(allowReserved=True),
        replace(QUERY, encoding=ir.Encoding(ir.Style.FORM, explode=True, allow_reserved=True)),
    ),
    (
        "JSON in a query",
        {"name": "q", "in": "query", "content": {"application/json": {"schema": {"type": "array", "items": TEXT}}}},
        replace(
            QUERY,
            type=ir.Array(ir.Text()),
            encoding=ir.Encoding(ir.Style.FORM, explode=True, content_type="application/json"),
        ),
    ),
]


@pytest.mark.parametrize(("parameter", "expected"), [pytest.param(*row[1:], id=row[0]) for row in PARAMETERS])
def test_a_parameter_becomes_a_field(parameter: dict[str, Any], expected: ir.Field) -> None:
    assert operation_of(with_operation({"parameters": [parameter]})).inputs == (expected,)


def test_parameters_of_a_path_are_those_of_each_of_its_operations() -> None:
    own = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 5}}
    shared = [{"name": "id", "in": "path", "required": True, "schema": TEXT}, {**own, "schema": {"type": "integer"}}]
    item = {"parameters": shared, "get": {"operationId": "act", "parameters": [own], "responses": OK}}
    fields = operation_of(document({"/things/{id}": item})).inputs
    assert [(field.id, field.location, field.type) for field in fields] == [
        ("id", ir.Location.PATH, ir.Text()),
        ("limit", ir.Location.QUERY, ir.Integer(maximum=5)),
    ]


def test_a_parameter_can_be_a_reference() -> None:
    components = {"parameters": {"Q": in_query()}}
    tree = with_operation({"parameters": [{"$ref": "#/components/parameters/Q"}]}, components=components)
    assert operation_of(tree).inputs == (QUERY,)


@pytest.mark.parametrize("name", ["Accept", "Content-Type", "Authorization"])
def test_headers_that_are_described_elsewhere_are_no_inputs(name: str) -> None:
    tree = with_operation({"parameters": [{"name": name, "in": "header", "schema": TEXT}]})
    assert operation_of(tree).inputs == ()


def test_fields_of_one_name_in_two_places_have_two_ids() -> None:
    body = {"content": {"application/json": {"schema": {"properties": {"id": TEXT}}}}}
    tree = with_operation({"parameters": [{"name": "id", "in": "query", "schema": TEXT}], "requestBody": body})
    assert [(field.id, field.name, field.location) for field in operation_of(tree).inputs] == [
        ("id", "id", ir.Location.QUERY),
        ("id_2", "id", ir.Location.BODY),
    ]


def test_a_part_of_a_path_that_nothing_describes_is_asked_for_and_told() -> None:
    tree = with_operation({}, path="/things/{id}")
    assert problems_of(tree) == [
        ("#/paths/~1things~1{id}/post", "The path has {id}, and no parameter says what it is. Add one.")
    ]
