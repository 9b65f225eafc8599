"""What cannot be rendered, and what is said of it."""

from typing import Any

import pytest

from aiops_connect.openapi import parse
from tests.fixtures.documents import OK, document, problems_of, with_body, with_operation

ACT = "#/paths/~1things/post"
VALUE = f"{ACT}/requestBody/content/application~1json/schema/properties/value"
TEXT = {"type": "string"}


def with_value(schema: Any) -> dict[str, Any]:
    return with_body({"type": "object", "properties": {"value": schema}})


def with_parameter(**members: Any) -> dict[str, Any]:
    return with_operation({"parameters": [{"name": "q", "in": "query", "schema": TEXT, **members}]})


def with_scheme(scheme: Any) -> dict[str, Any]:
    return with_operation({}, components={"securitySchemes": {"s": scheme}})


DOCUMENTS: list[tuple[str, Any, list[tuple[str, str]]]] = [
    ("no object", [], [("#", "This is no OpenAPI document. It has to be an object with the member openapi.")]),
    ("no version", {}, [("#", "This is no OpenAPI document. It has to say its version in the member openapi.")]),
    (
        "another version",
        {"openapi": "4.0.0"},
        [("#/openapi", "Version 4.0.0 cannot be read. Write the document in OpenAPI 3.1 or 3.0, or Swagger 2.0.")],
    ),
    ("paths are no object", {**document(), "paths": []}, [("#/paths", "It has to be an object.")]),
    ("an operation is no object", document({"/a": {"get": 5}}), [("#/paths/~1a/get", "It has to be an object.")]),
    ("a summary is no text", with_operation({"summary": 5}), [(f"{ACT}/summary", "It has to be a text.")]),
    ("tags are no list", with_operation({"tags": "a"}), [(f"{ACT}/tags", "It has to be a list.")]),
    (
        "deprecated is no flag",
        with_operation({"deprecated": "no"}),
        [(f"{ACT}/deprecated", "It has to be true or false.")],
    ),
    (
        "a response is no object",
        with_operation({"responses": {"200": 5}}),
        [(f"{ACT}/responses/200", "It has to be an object.")],
    ),
    (
        "a server's variable",
        {**document(), "servers": [{"url": "https://{a}.example"}]},
        [("#/servers/0/url", "The address has {a}, and no variable says what it is. Add one.")],
    ),
]
SCHEMAS: list[tuple[str, Any, list[tuple[str, str]]]] = [
    ("no schema", with_value(5), [(VALUE, "A schema has to be an object.")]),
    ("false", with_value(False), [(VALUE, "Nothing is allowed here. Remove it, or allow something.")]),
    (
        "an unknown type",
        with_value({"type": "text"}),
        [
            (
                f"{VALUE}/type",
                "A type is one of array, boolean, integer, null, number, object, string. Name one of them.",
            )
        ],
    ),
    (
        "types that exclude one another",
        with_value({"allOf": [{"type": "string"}, {"type": "integer"}]}),
        [(f"{VALUE}/allOf/1/type", "Schemas that hold together name types that no value has at once. Let them agree.")],
    ),
    (
        "a limit is no number",
        with_value({"type": "string", "maxLength": "5"}),
        [(f"{VALUE}/maxLength", "It has to be a number.")],
    ),
    (
        "required is no list",
        with_value({"properties": {}, "required": "a"}),
        [(f"{VALUE}/required", "It has to be a list.")],
    ),
]
REQUESTS: list[tuple[str, Any, list[tuple[str, str]]]] = [
    (
        "a parameter travels nowhere",
        with_parameter(**{"in": "matrix"}),
        [(f"{ACT}/parameters/0/in", "A parameter travels in path, query, header or cookie. Name one of them.")],
    ),
    ("a parameter without a name", with_parameter(name=""), [(f"{ACT}/parameters/0", "A parameter needs a name.")]),
    (
        "a parameter without a schema",
        with_operation({"parameters": [{"name": "q", "in": "query"}]}),
        [(f"{ACT}/parameters/0", "A parameter needs a schema. Add one.")],
    ),
    (
        "a style that does not fit",
        with_parameter(style="matrix"),
        [
            (
                f"{ACT}/parameters/0/style",
                "In query the style is one of deepObject, form, pipeDelimited, spaceDelimited. Take one of them.",
            )
        ],
    ),
    (
        "a parameter that the path lacks",
        with_parameter(**{"in": "path"}),
        [(f"{ACT}/parameters/0/name", "The path has no {q}. Add it there, or send the parameter elsewhere.")],
    ),
    (
        "XML",
        with_operation({"requestBody": {"content": {"application/xml": {"schema": {"properties": {"a": TEXT}}}}}}),
        [
            (
                f"{ACT}/requestBody/content/application~1xml",
                "A body of application/xml cannot be made of fields. Offer JSON, or exclude the operation.",
            )
        ],
    ),
    (
        "a form that is no object",
        with_operation({"requestBody": {"content": {"multipart/form-data": {"schema": {"type": "array"}}}}}),
        [
            (
                f"{ACT}/requestBody/content/multipart~1form-data",
                "A form has to be an object with properties. Describe it as one, or exclude the operation.",
            )
        ],
    ),
]
SECURITY: list[tuple[str, Any, list[tuple[str, str]]]] = [
    (
        "an unknown scheme",
        with_scheme({"type": "magic"}),
        [
            (
                "#/components/securitySchemes/s/type",
                "A scheme is apiKey, http, oauth2, openIdConnect or mutualTLS. Name one of them.",
            )
        ],
    ),
    (
        "a key that travels nowhere",
        with_scheme({"type": "apiKey", "name": "k", "in": "body"}),
        [
            (
                "#/components/securitySchemes/s",
                "An API key needs a name, and travels in header, query or cookie. Say which.",
            )
        ],
    ),
    (
        "a flow without its address",
        with_scheme({"type": "oauth2", "flows": {"password": {"scopes": {}}}}),
        [
            ("#/components/securitySchemes/s/flows/password", "This flow needs tokenUrl. Add it."),
            ("#/components/securitySchemes/s/flows", "OAuth 2.0 needs a flow that can be used. Add one."),
        ],
    ),
    (
        "a requirement of no scheme",
        with_operation({"security": [{"s": []}]}),
        [(f"{ACT}/security/0/s", "No scheme of this name can be used. Describe it in components/securitySchemes.")],
    ),
]
LIST_OPERATION = {"get": {"operationId": "list", "responses": OK}}
WORDS: list[tuple[str, Any, list[tuple[str, str]]]] = [
    (
        "an unknown word",
        with_value({**TEXT, "x-connector-multi-line": True}),
        [(f"{VALUE}/x-connector-multi-line", "There is no such word. openapi/README.md has those there are.")],
    ),
    (
        "a price",
        with_operation({"x-credits": 0}),
        [(f"{ACT}/x-credits", "A price is a whole number from 1. Leave the word out where the call is free.")],
    ),
    (
        "a flag",
        with_value({**TEXT, "x-connector-advanced": "yes"}),
        [(f"{VALUE}/x-connector-advanced", "It has to be true or false.")],
    ),
    (
        "an exclusion of what is required",
        with_body({"properties": {"value": {**TEXT, "x-connector-exclude": True}}, "required": ["value"]}),
        [
            (
                f"{VALUE}/x-connector-exclude",
                "What is required cannot be left out. Make it optional, or exclude the operation.",
            )
        ],
    ),
    (
        "a member that a word does not have",
        with_value({**TEXT, "x-connector-file": {"mediaType": "image/png"}}),
        [
            (
                f"{VALUE}/x-connector-file/mediaType",
                "There is no such member. There are mediaTypes, operationId, field, url.",
            )
        ],
    ),
    (
        "a word that says too little",
        with_value({**TEXT, "x-connector-options": {"items": "/data"}}),
        [(f"{VALUE}/x-connector-options", "Add operationId, value.")],
    ),
    (
        "an upload that is none",
        with_value({**TEXT, "x-connector-file": {"operationId": "act", "field": "file", "url": "/url"}}),
        [
            (f"{VALUE}/x-connector-file/field", "act has no input of this name."),
            (f"{VALUE}/x-connector-file/url", "act answers nothing at this pointer."),
        ],
    ),
    (
        "options where there is no list",
        with_value({**TEXT, "x-connector-options": {"operationId": "act", "items": "/data", "value": "/id"}}),
        [(f"{VALUE}/x-connector-options/items", "act answers no list at this pointer.")],
    ),
    (
        "a job of no operation",
        with_operation({"x-connector-waits-for": "no"}),
        [
            (
                f"{ACT}/x-connector-waits-for",
                "No operation, or more than one, has this operationId. Name one that stands once.",
            )
        ],
    ),
    (
        "a job that nothing says the end of",
        {
            **with_operation({"x-connector-waits-for": "list"}),
            "paths": {**with_operation({"x-connector-waits-for": "list"})["paths"], "/all": LIST_OPERATION},
        },
        [
            (
                f"{ACT}/x-connector-waits-for",
                "The operation it names has no x-connector-job, which says when a job has ended. Add it there.",
            )
        ],
    ),
    (
        "two checks",
        document(
            {
                path: {"get": {"operationId": path[1:], "x-connector-check": True, "responses": OK}}
                for path in ("/a", "/b")
            }
        ),
        [("#/paths/~1b/get/x-connector-check", "Another operation tests the connection already. Mark one.")],
    ),
]


@pytest.mark.parametrize(
    ("tree", "expected"),
    [pytest.param(*row[1:], id=row[0]) for row in (*DOCUMENTS, *SCHEMAS, *REQUESTS, *SECURITY, *WORDS)],
)
def test_a_problem_says_where_it_is_and_what_to_do(tree: Any, expected: list[tuple[str, str]]) -> None:
    assert problems_of(tree) == expected


def test_every_problem_is_told_at_once_and_the_rest_is_read() -> None:
    tree = with_operation({"requestBody": {"content": {"text/xml": {}}}})
    tree["paths"]["/other"] = {"get": {"operationId": "other", "summary": 5, "responses": OK}}
    parsed = parse(tree)
    assert len(parsed.problems) == 2
    assert parsed.app is not None
    assert [operation.id for operation in parsed.app.operations] == ["other"]


def test_a_problem_in_what_is_used_often_is_told_once() -> None:
    reference = {"$ref": "#/components/schemas/Bad"}
    tree = with_body(
        {"properties": {"a": reference, "b": reference}}, components={"schemas": {"Bad": {"type": "text"}}}
    )
    assert len(problems_of(tree)) == 1


def test_what_is_excluded_has_no_problems() -> None:
    assert (
        problems_of(with_operation({"x-connector-exclude": True, "requestBody": {"content": {"text/xml": {}}}})) == []
    )
