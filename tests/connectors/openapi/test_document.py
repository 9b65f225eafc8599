"""A whole document, and the whole app that comes of it."""

from typing import Any

from aiops_connect import ir
from aiops_connect.openapi import parse
from tests.fixtures.documents import app_of, document


def test_a_document_becomes_an_app() -> None:
    tree = document(
        {
            "/things/{id}": {
                "get": {
                    "operationId": "getThing",
                    "tags": ["Things"],
                    "summary": "Get a thing",
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": {"200": {"description": "It."}, "404": {"description": "There is none."}},
                }
            }
        },
        servers=[{"url": "https://things.test/v1"}],
        security=[{"token": []}],
        components={"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    )
    tree["info"] |= {"title": "Things API", "description": "Keeps things."}
    server = ir.Server("https://things.test/v1")
    identifier = ir.Field(
        id="id",
        name="id",
        label="ID",
        type=ir.Text(),
        location=ir.Location.PATH,
        required=True,
        encoding=ir.Encoding(ir.Style.SIMPLE, explode=False),
    )
    operation = ir.Operation(
        id="get_thing",
        label="Get a thing",
        method="GET",
        path="/things/{id}",
        effect=ir.Effect.READ,
        inputs=(identifier,),
        answers=(ir.Answer("200", help="It."),),
        errors=(ir.ApiError("404", "There is none."),),
        security=(ir.Requirement((ir.SchemeUse("token"),)),),
        servers=(server,),
    )
    app = app_of(tree)
    assert app == ir.App(
        id="things_api",
        title="Things API",
        version="1.0.0",
        help="Keeps things.",
        servers=(server,),
        connection=ir.Connection((ir.Bearer("token", "Token"),), (("token",),)),
        resources=(ir.Resource("things", "Things", (operation,)),),
    )
    assert app.operation("get_thing").source == "#/paths/~1things~1{id}/get"


def test_an_app_finds_its_operations_and_their_inputs_by_id() -> None:
    paths = {"/a": {"get": {"operationId": "a", "responses": {}}}, "/b": {"get": {"operationId": "b", "responses": {}}}}
    app = app_of(document(paths))
    assert [operation.id for operation in app.operations] == ["a", "b"]
    assert app.operation("b").path == "/b"


def test_progress_is_told_operation_by_operation() -> None:
    paths: dict[str, Any] = {path: {"get": {"responses": {}}} for path in ("/a", "/b")}
    told: list[tuple[int, int]] = []
    parse(document(paths), progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]
