"""What is to be known of a field beside its type."""

from dataclasses import replace
from typing import Any

import pytest

from aiops_connect import ir
from tests.fixtures.documents import document, field_of, operation_of, with_body

PLAIN = ir.Field("value", "value", "Value", ir.Text())
TEXT = {"type": "string"}
THING = {"type": "object", "properties": {"url": TEXT}}
ANSWER = {"description": "All.", "content": {"application/json": {"schema": {}}}}
FORM = {"properties": {"theFile": {**TEXT, "format": "binary"}}}
LIST = {
    "/things": {"get": {"operationId": "list_things", "responses": {"200": ANSWER}}},
    "/files": {
        "post": {
            "operationId": "upload",
            "requestBody": {"content": {"multipart/form-data": {"schema": FORM}}},
            "responses": {"201": {"description": "It.", "content": {"application/json": {"schema": THING}}}},
        }
    },
}

FIELDS: list[tuple[str, dict[str, Any], ir.Field]] = [
    ("plain", TEXT, PLAIN),
    ("title", {**TEXT, "title": "The value"}, replace(PLAIN, label="The value")),
    ("a title is one line", {**TEXT, "title": "The\n value"}, replace(PLAIN, label="The value")),
    ("a paragraph is no label", {**TEXT, "title": "word " * 30}, PLAIN),
    ("description", {**TEXT, "description": "Some\nhelp."}, replace(PLAIN, help="Some\nhelp.")),
    ("default", {**TEXT, "default": "a"}, replace(PLAIN, default="a")),
    ("null is a default", {**TEXT, "default": None}, replace(PLAIN, default=None)),
    ("examples", {**TEXT, "examples": ["a", "b"]}, replace(PLAIN, example="a")),
    ("example of 3.0", {**TEXT, "example": "a"}, replace(PLAIN, example="a")),
    ("deprecated", {**TEXT, "deprecated": True}, replace(PLAIN, deprecated=True)),
    ("secret", {**TEXT, "format": "password"}, replace(PLAIN, type=ir.Text("password"), is_secret=True)),
    ("advanced", {**TEXT, "x-connector-advanced": True}, replace(PLAIN, is_advanced=True)),
    ("credits left", {**TEXT, "x-connector-credits-left": True}, replace(PLAIN, is_credits_left=True)),
    ("link to a file", {**TEXT, "x-connector-file": True}, replace(PLAIN, type=ir.File(ir.FileForm.URL))),
    (
        "link to a file of a type",
        {**TEXT, "x-connector-file": {"mediaTypes": ["image/png"]}},
        replace(PLAIN, type=ir.File(ir.FileForm.URL, ("image/png",))),
    ),
    (
        "link that an upload makes",
        {**TEXT, "x-connector-file": {"operationId": "upload", "field": "theFile", "url": "/url"}},
        replace(PLAIN, type=ir.File(ir.FileForm.URL, upload=ir.Upload("upload", "the_file", "/url"))),
    ),
    (
        "options",
        {
            **TEXT,
            "x-connector-options": {"operationId": "list_things", "items": "/data", "value": "/id", "label": "/name"},
        },
        replace(PLAIN, options=ir.OptionsSource(ir.Call("list_things"), "/data", "/id", "/name")),
    ),
    (
        "options that are their own labels",
        {**TEXT, "x-connector-options": {"operationId": "list_things", "value": ""}},
        replace(PLAIN, options=ir.OptionsSource(ir.Call("list_things"), "", "", "")),
    ),
]


@pytest.mark.parametrize(("schema", "expected"), [pytest.param(*row[1:], id=row[0]) for row in FIELDS])
def test_a_property_becomes_a_field(schema: dict[str, Any], expected: ir.Field) -> None:
    tree = with_body({"type": "object", "properties": {"value": schema}}, path="/acts")
    tree["paths"] |= LIST
    assert operation_of(tree).input("value") == expected


def test_a_component_that_is_no_object_gives_its_title_and_help() -> None:
    size = {**TEXT, "title": "Size", "description": "How large."}
    field = field_of({"$ref": "#/components/schemas/Size"}, components={"schemas": {"Size": size}})
    assert field == replace(PLAIN, label="Size", help="How large.")


def test_an_object_is_not_called_after_its_component() -> None:
    pet = {"type": "object", "title": "A pet of the store", "properties": {}}
    assert field_of({"$ref": "#/components/schemas/Pet"}, components={"schemas": {"Pet": pet}}).label == "Value"


def test_what_stands_beside_a_reference_comes_first() -> None:
    size = {**TEXT, "title": "Size", "description": "How large.", "default": "m"}
    reference = {"$ref": "#/components/schemas/Size", "title": "Own", "description": "Own help."}
    field = field_of(reference, components={"schemas": {"Size": size}})
    assert field == replace(PLAIN, label="Own", help="Own help.", default="m")


def test_what_only_the_caller_sets_is_not_answered() -> None:
    schema = {"properties": {"id": TEXT, "secret": {**TEXT, "writeOnly": True}}}
    answer = {"description": "It.", "content": {"application/json": {"schema": schema}}}
    operation = operation_of(document({"/things": {"get": {"operationId": "act", "responses": {"200": answer}}}}))
    assert operation.answer is not None
    assert [field.id for field in operation.answer.fields] == ["id"]


def test_required_fields_are_asked_for_first_and_advanced_ones_last() -> None:
    properties = {
        "rare": {**TEXT, "x-connector-advanced": True},
        "old": {**TEXT, "deprecated": True},
        "usual": TEXT,
        "needed": TEXT,
    }
    operation = operation_of(with_body({"properties": properties, "required": ["needed"]}))
    assert [field.id for field in operation.inputs] == ["needed", "usual", "old", "rare"]
