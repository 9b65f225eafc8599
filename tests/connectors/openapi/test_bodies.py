"""Request bodies on the left; what is sent, and the fields of it, on the right."""

from dataclasses import replace
from typing import Any

import pytest

from aiops_connect import ir
from tests.fixtures.documents import operation_of, with_operation

TEXT = {"type": "string"}
BINARY = {"type": "string", "format": "binary"}
OBJECT = {"type": "object", "properties": {"a": TEXT}}
A = ir.Field("a", "a", "A", ir.Text())
WHOLE = ir.Field("body", "body", "Body", ir.Array(ir.Text()))
FORM_STYLE = ir.Encoding(ir.Style.FORM, explode=True)
JSON_BODY = ir.Body("application/json", ir.BodyFormat.JSON)
FORM = ir.Body("application/x-www-form-urlencoded", ir.BodyFormat.FORM)
MULTIPART = ir.Body("multipart/form-data", ir.BodyFormat.MULTIPART)
FILE = ir.Field("body", "body", "File", ir.File(ir.FileForm.BYTES))


def form(*properties: tuple[str, Any], **encoding: Any) -> dict[str, Any]:
    return {"schema": {"type": "object", "properties": dict(properties)}, "encoding": encoding}


BODIES: list[tuple[str, dict[str, Any], ir.Body, tuple[ir.Field, ...]]] = [
    ("JSON object", {"application/json": {"schema": OBJECT}}, JSON_BODY, (A,)),
    (
        "another kind of JSON",
        {"application/vnd.api+json": {"schema": OBJECT}},
        replace(JSON_BODY, media_type="application/vnd.api+json"),
        (A,),
    ),
    (
        "JSON object with other members",
        {"application/json": {"schema": {**OBJECT, "additionalProperties": {"type": "integer"}}}},
        replace(JSON_BODY, additional=ir.Integer()),
        (A,),
    ),
    (
        "JSON list",
        {"application/json": {"schema": {"type": "array", "items": TEXT}}},
        replace(JSON_BODY, is_whole=True),
        (WHOLE,),
    ),
    (
        "JSON without a schema",
        {"application/json": {}},
        replace(JSON_BODY, is_whole=True),
        (replace(WHOLE, type=ir.AnyJson()),),
    ),
    (
        "the example of the body is that of its fields",
        {"application/json": {"schema": OBJECT, "example": {"a": "x"}}},
        JSON_BODY,
        (replace(A, example="x"),),
    ),
    ("JSON before others", {"text/plain": {}, "application/json": {"schema": OBJECT}}, JSON_BODY, (A,)),
    (
        "a form with a file before JSON",
        {"application/json": {"schema": OBJECT}, "multipart/form-data": form(("f", BINARY))},
        MULTIPART,
        (ir.Field("f", "f", "F", ir.File(ir.FileForm.BYTES), encoding=FORM_STYLE),),
    ),
    (
        "form",
        {"application/x-www-form-urlencoded": form(("a", TEXT))},
        FORM,
        (replace(A, encoding=FORM_STYLE),),
    ),
    (
        "form with a style",
        {"application/x-www-form-urlencoded": form(("a", TEXT), a={"style": "spaceDelimited"})},
        FORM,
        (replace(A, encoding=ir.Encoding(ir.Style.SPACE_DELIMITED, explode=False)),),
    ),
    (
        "parts of a multipart form",
        {
            "multipart/form-data": form(
                ("a", TEXT), ("file", BINARY), ("meta", OBJECT), file={"contentType": "image/png, image/jpeg"}
            )
        },
        MULTIPART,
        (
            replace(A, encoding=FORM_STYLE),
            ir.Field(
                "file", "file", "File", ir.File(ir.FileForm.BYTES, ("image/png", "image/jpeg")), encoding=FORM_STYLE
            ),
            ir.Field(
                "meta", "meta", "Meta", ir.Group((A,)), encoding=replace(FORM_STYLE, content_type="application/json")
            ),
        ),
    ),
    (
        "files of a multipart form",
        {"multipart/form-data": form(("files", {"type": "array", "items": BINARY}))},
        MULTIPART,
        (ir.Field("files", "files", "Files", ir.Array(ir.File(ir.FileForm.BYTES)), encoding=FORM_STYLE),),
    ),
    (
        "bytes",
        {"application/octet-stream": {"schema": BINARY}},
        ir.Body("application/octet-stream", ir.BodyFormat.BYTES, is_whole=True),
        (FILE,),
    ),
    (
        "bytes of a type",
        {"image/png": {}},
        ir.Body("image/png", ir.BodyFormat.BYTES, is_whole=True),
        (replace(FILE, type=ir.File(ir.FileForm.BYTES, ("image/png",))),),
    ),
    (
        "text",
        {"text/plain": {"schema": TEXT}},
        ir.Body("text/plain", ir.BodyFormat.TEXT, is_whole=True),
        (ir.Field("body", "body", "Text", ir.Text(is_multiline=True)),),
    ),
]


@pytest.mark.parametrize(("content", "body", "fields"), [pytest.param(*row[1:], id=row[0]) for row in BODIES])
def test_a_body_becomes_fields(content: dict[str, Any], body: ir.Body, fields: tuple[ir.Field, ...]) -> None:
    operation = operation_of(with_operation({"requestBody": {"content": content}}))
    assert (operation.body, operation.inputs) == (body, fields)


def test_a_body_that_has_to_be_sent_is_a_field_that_has_to_be_set() -> None:
    content = {"application/json": {"schema": {"type": "array", "items": TEXT}}}
    operation = operation_of(with_operation({"requestBody": {"required": True, "content": content}}))
    assert operation.body == replace(JSON_BODY, required=True, is_whole=True)
    assert operation.inputs == (replace(WHOLE, required=True),)
