"""Swagger 2.0 on the left, the same API in OpenAPI 3.1 on the right: one app comes of both."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.documents import app_of, problems_of

INFO = {"title": "Things", "version": "1.0.0"}
TEXT = {"type": "string"}
DONE = {"200": {"description": "Done."}}
THING = {"type": "object", "properties": {"name": TEXT}}


def two(operation: dict[str, Any], **members: Any) -> dict[str, Any]:
    paths = {"/things": {"post": {"operationId": "act", "responses": DONE, **operation}}}
    return {"swagger": "2.0", "info": INFO, "paths": paths, **members}


def three(operation: dict[str, Any], **members: Any) -> dict[str, Any]:
    paths = {"/things": {"post": {"operationId": "act", "responses": DONE, **operation}}}
    return {"openapi": "3.1.0", "info": INFO, "servers": [{"url": "/"}], "paths": paths, **members}


def body(media_type: str, schema: Any, **members: Any) -> dict[str, Any]:
    return {"content": {media_type: {"schema": schema, **members}}, "required": False}


DOCUMENTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "servers",
        two({}, host="a.example", basePath="/v1", schemes=["http", "https"]),
        three({}, servers=[{"url": "https://a.example/v1"}, {"url": "http://a.example/v1"}]),
    ),
    (
        "query",
        two(
            {"parameters": [{"name": "q", "in": "query", "type": "integer", "maximum": 5, "description": "How many."}]}
        ),
        three(
            {
                "parameters": [
                    {
                        "name": "q",
                        "in": "query",
                        "schema": {"type": "integer", "maximum": 5},
                        "description": "How many.",
                    }
                ]
            }
        ),
    ),
    (
        "list in a query",
        two(
            {"parameters": [{"name": "q", "in": "query", "type": "array", "items": TEXT, "collectionFormat": "multi"}]}
        ),
        three(
            {"parameters": [{"name": "q", "in": "query", "schema": {"type": "array", "items": TEXT}, "explode": True}]}
        ),
    ),
    (
        "list with commas",
        two({"parameters": [{"name": "q", "in": "query", "type": "array", "items": TEXT}]}),
        three(
            {"parameters": [{"name": "q", "in": "query", "schema": {"type": "array", "items": TEXT}, "explode": False}]}
        ),
    ),
    (
        "body",
        two(
            {"parameters": [{"name": "b", "in": "body", "schema": {"$ref": "#/definitions/Thing"}}]},
            definitions={"Thing": THING},
        ),
        three(
            {"requestBody": body("application/json", {"$ref": "#/components/schemas/Thing"})},
            components={"schemas": {"Thing": THING}},
        ),
    ),
    (
        "body of another type",
        two({"consumes": ["text/plain"], "parameters": [{"name": "b", "in": "body", "schema": TEXT}]}),
        three({"requestBody": body("text/plain", TEXT)}),
    ),
    (
        "form",
        two({"parameters": [{"name": "a", "in": "formData", "type": "string", "description": "It."}]}),
        three(
            {
                "requestBody": body(
                    "application/x-www-form-urlencoded",
                    {"type": "object", "properties": {"a": {**TEXT, "description": "It."}}},
                )
            }
        ),
    ),
    (
        "file",
        two({"parameters": [{"name": "f", "in": "formData", "type": "file"}]}),
        three(
            {
                "requestBody": body(
                    "multipart/form-data", {"type": "object", "properties": {"f": {**TEXT, "format": "binary"}}}
                )
            }
        ),
    ),
    (
        "parameters that are shared",
        two(
            {"parameters": [{"$ref": "#/parameters/B"}]}, parameters={"B": {"name": "b", "in": "body", "schema": THING}}
        ),
        three({"requestBody": body("application/json", THING)}),
    ),
    (
        "null",
        two(
            {"parameters": [{"name": "b", "in": "body", "schema": {"properties": {"a": {**TEXT, "x-nullable": True}}}}]}
        ),
        three({"requestBody": body("application/json", {"properties": {"a": {"type": ["string", "null"]}}})}),
    ),
    (
        "answer",
        two(
            {
                "produces": ["application/json"],
                "responses": {
                    "200": {"description": "It.", "schema": THING, "examples": {"application/json": {"name": "x"}}}
                },
            }
        ),
        three(
            {
                "responses": {
                    "200": {
                        "description": "It.",
                        "content": {"application/json": {"schema": THING, "example": {"name": "x"}}},
                    }
                }
            }
        ),
    ),
    (
        "basic",
        two({}, securityDefinitions={"b": {"type": "basic"}}, security=[{"b": []}]),
        three({}, components={"securitySchemes": {"b": {"type": "http", "scheme": "basic"}}}, security=[{"b": []}]),
    ),
    (
        "OAuth 2.0",
        two(
            {},
            securityDefinitions={
                "o": {
                    "type": "oauth2",
                    "flow": "application",
                    "tokenUrl": "https://a.example/t",
                    "scopes": {"r": "Read."},
                }
            },
            security=[{"o": ["r"]}],
        ),
        three(
            {},
            components={
                "securitySchemes": {
                    "o": {
                        "type": "oauth2",
                        "flows": {"clientCredentials": {"tokenUrl": "https://a.example/t", "scopes": {"r": "Read."}}},
                    }
                }
            },
            security=[{"o": ["r"]}],
        ),
    ),
]


@pytest.mark.parametrize(("old", "new"), [pytest.param(*row[1:], id=row[0]) for row in DOCUMENTS])
def test_swagger_is_read_as_openapi(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert app_of(old) == replace(app_of(new))


@pytest.mark.parametrize("version", ["2.0", 2.0])
def test_the_version_may_be_a_number(version: object) -> None:
    assert app_of({**two({}), "swagger": version}).operation("act").method == "POST"


def test_swagger_that_is_not_as_it_should_be_raises_nothing() -> None:
    tree = {
        **two({}),
        "parameters": [],
        "responses": "x",
        "definitions": None,
        "host": 5,
        "consumes": {"a": 1},
        "schemes": 1,
    }
    tree["paths"]["/things"]["post"] |= {"parameters": [3, {"in": "body"}, {"in": "formData"}], "responses": {"200": 1}}
    tree["paths"]["/x"] = []
    assert problems_of(tree)
