"""Responses on the left, answers and errors on the right."""

from typing import Any

import pytest

from aiops_connect import ir
from tests.fixtures.documents import operation_of, with_operation

TEXT = {"type": "string"}
OBJECT = {"type": "object", "properties": {"a": {**TEXT, "example": "x"}, "n": {"type": "integer"}}}
GROUP = ir.Group((ir.Field("a", "a", "A", ir.Text(), example="x"), ir.Field("n", "n", "N", ir.Integer())))


def answer(content: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {"description": "It.", **({"content": content} if content is not None else {}), **members}


def in_json(schema: Any, **members: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema, **members}}


JSON = "application/json"
ANSWERS: list[tuple[str, dict[str, Any], tuple[ir.Answer, ...]]] = [
    ("nothing", {"204": answer()}, (ir.Answer("204", help="It."),)),
    (
        "JSON, with a sample of the examples of its fields",
        {"200": answer(in_json(OBJECT))},
        (ir.Answer("200", JSON, GROUP, {"a": "x", "n": 1}, "It."),),
    ),
    (
        "JSON with an example",
        {"200": answer(in_json(OBJECT, example={"a": "y"}))},
        (ir.Answer("200", JSON, GROUP, {"a": "y"}, "It."),),
    ),
    (
        "JSON with examples",
        {"200": answer(in_json(OBJECT, examples={"one": {"value": {"a": "y"}}}))},
        (ir.Answer("200", JSON, GROUP, {"a": "y"}, "It."),),
    ),
    (
        "a list",
        {"200": answer(in_json({"type": "array", "items": TEXT}))},
        (ir.Answer("200", JSON, ir.Array(ir.Text()), ["text"], "It."),),
    ),
    (
        "the usual success comes first",
        {"202": answer(), "200": answer(in_json(TEXT))},
        (ir.Answer("200", JSON, ir.Text(), "text", "It."), ir.Answer("202", help="It.")),
    ),
    ("a class of statuses", {"2xx": answer()}, (ir.Answer("2XX", help="It."),)),
    ("only the default", {"default": answer(in_json(TEXT))}, (ir.Answer("default", JSON, ir.Text(), "text", "It."),)),
    (
        "a file",
        {"200": answer({"image/png": {"schema": {"type": "string", "format": "binary"}}})},
        (ir.Answer("200", "image/png", ir.File(ir.FileForm.BYTES, ("image/png",)), help="It."),),
    ),
    (
        "a text",
        {"200": answer({"text/csv": {}})},
        (ir.Answer("200", "text/csv", ir.Text(is_multiline=True), help="It."),),
    ),
    (
        "JSON before a stream",
        {"200": answer({"text/event-stream": {}, **in_json(TEXT)})},
        (ir.Answer("200", JSON, ir.Text(), "text", "It."),),
    ),
]


@pytest.mark.parametrize(("responses", "expected"), [pytest.param(*row[1:], id=row[0]) for row in ANSWERS])
def test_a_success_becomes_an_answer(responses: dict[str, Any], expected: tuple[ir.Answer, ...]) -> None:
    assert operation_of(with_operation({"responses": responses})).answers == expected


def error(**properties: Any) -> dict[str, Any]:
    return answer(in_json({"type": "object", "properties": properties}))


NAMES = {"type": "array", "items": TEXT}
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}}}
ERRORS: list[tuple[str, dict[str, Any], ir.ApiError]] = [
    ("without a body", {"404": answer()}, ir.ApiError("404", "It.")),
    ("that passes", {"503": answer()}, ir.ApiError("503", "It.", is_retryable=True)),
    (
        "that says when it passes",
        {"409": answer(headers=RETRY_AFTER)},
        ir.ApiError("409", "It.", is_retryable=True, has_retry_after=True),
    ),
    ("for all others", {"default": answer()}, ir.ApiError("default", "It.")),
    ("with a sentence", {"400": error(message=TEXT)}, ir.ApiError("400", "It.", "/message")),
    (
        "with a sentence within",
        {"400": error(error={"properties": {"message": TEXT, "code": TEXT}})},
        ir.ApiError("400", "It.", "/error/message", "/error/code"),
    ),
    (
        "with codes",
        {"400": error(error=TEXT, code={"enum": ["a", "b"]})},
        ir.ApiError("400", "It.", "/error", "/code", (ir.ErrorCode("a"), ir.ErrorCode("b"))),
    ),
    (
        "that says which inputs are wrong",
        {
            "422": error(
                error=TEXT, details={"type": "array", "items": {"properties": {"field": TEXT, "message": TEXT}}}
            )
        },
        ir.ApiError("422", "It.", "/error", details=ir.ErrorDetails("/details", "/message", "/field")),
    ),
    (
        "that says by what path they are reached",
        {"422": error(detail={"type": "array", "items": {"properties": {"loc": NAMES, "msg": TEXT}}})},
        ir.ApiError("422", "It.", details=ir.ErrorDetails("/detail", "/msg", "/loc", is_path=True)),
    ),
    (
        "that says what is wrong, within",
        {"422": error(error={"properties": {"errors": {"type": "array", "items": {"properties": {"title": TEXT}}}}})},
        ir.ApiError("422", "It.", details=ir.ErrorDetails("/error/errors", "/title")),
    ),
    (
        "of several shapes",
        {
            "422": answer(
                in_json(
                    {
                        "oneOf": [
                            {"description": "First.", "properties": {"error": TEXT, "code": {"const": "a"}}},
                            {"description": "Second.", "properties": {"error": TEXT, "code": {"const": "b"}}},
                        ]
                    }
                )
            )
        },
        ir.ApiError("422", "It.", "/error", "/code", (ir.ErrorCode("a", "First."), ir.ErrorCode("b", "Second."))),
    ),
]


@pytest.mark.parametrize(("responses", "expected"), [pytest.param(*row[1:], id=row[0]) for row in ERRORS])
def test_a_failure_becomes_an_error(responses: dict[str, Any], expected: ir.ApiError) -> None:
    operation = operation_of(with_operation({"responses": {"204": answer(), **responses}}))
    assert operation.errors == (expected,)
