"""Servers, security schemes and requirements; what tests a connection and names an account."""

from typing import Any

import pytest

from aiops_connect import ir
from tests.fixtures.documents import OK, app_of, document, operation_of, with_operation

SCOPES = {"read": "Read things."}
SCHEMES: list[tuple[str, dict[str, Any], ir.SecurityScheme]] = [
    (
        "key in a header",
        {"type": "apiKey", "in": "header", "name": "X-Key", "description": "Yours."},
        ir.ApiKey("main_key", "Main key", ir.KeyLocation.HEADER, "X-Key", help="Yours."),
    ),
    (
        "key in a query",
        {"type": "apiKey", "in": "query", "name": "key"},
        ir.ApiKey("main_key", "Main key", ir.KeyLocation.QUERY, "key"),
    ),
    (
        "key in a cookie",
        {"type": "apiKey", "in": "cookie", "name": "s"},
        ir.ApiKey("main_key", "Main key", ir.KeyLocation.COOKIE, "s"),
    ),
    (
        "key after a word",
        {"type": "apiKey", "in": "header", "name": "Authorization", "x-connector-key-prefix": "Token "},
        ir.ApiKey("main_key", "Main key", ir.KeyLocation.HEADER, "Authorization", "Token "),
    ),
    ("basic", {"type": "http", "scheme": "Basic"}, ir.Basic("main_key", "Main key")),
    ("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}, ir.Bearer("main_key", "Main key", "JWT")),
    ("another of HTTP", {"type": "http", "scheme": "hoba"}, ir.OtherHttp("main_key", "Main key", "hoba")),
    (
        "OAuth 2.0, the best flow first",
        {
            "type": "oauth2",
            "flows": {
                "clientCredentials": {"tokenUrl": "https://a.example/token", "scopes": {}},
                "authorizationCode": {
                    "authorizationUrl": "https://a.example/auth",
                    "tokenUrl": "https://a.example/token",
                    "refreshUrl": "https://a.example/refresh",
                    "scopes": SCOPES,
                },
            },
        },
        ir.OAuth2(
            "main_key",
            "Main key",
            (
                ir.Flow(
                    ir.Grant.AUTHORIZATION_CODE,
                    (ir.Scope("read", "Read things."),),
                    "https://a.example/auth",
                    "https://a.example/token",
                    "https://a.example/refresh",
                ),
                ir.Flow(ir.Grant.CLIENT_CREDENTIALS, (), None, "https://a.example/token"),
            ),
        ),
    ),
    (
        "OpenID Connect",
        {"type": "openIdConnect", "openIdConnectUrl": "https://a.example/.well-known/openid-configuration"},
        ir.OpenIdConnect("main_key", "Main key", "https://a.example/.well-known/openid-configuration"),
    ),
    ("certificate", {"type": "mutualTLS"}, ir.MutualTls("main_key", "Main key")),
]


@pytest.mark.parametrize(("scheme", "expected"), [pytest.param(*row[1:], id=row[0]) for row in SCHEMES])
def test_a_scheme_is_what_people_connect_with(scheme: dict[str, Any], expected: ir.SecurityScheme) -> None:
    tree = with_operation({}, security=[{"mainKey": []}], components={"securitySchemes": {"mainKey": scheme}})
    assert app_of(tree).connection == ir.Connection((expected,), (("main_key",),))
    assert operation_of(tree).security == (ir.Requirement((ir.SchemeUse("main_key"),)),)


BEARER = {"type": "http", "scheme": "bearer"}
TWO = {"securitySchemes": {"a": BEARER, "b": BEARER}}


def requirement(*schemes: str) -> ir.Requirement:
    return ir.Requirement(tuple(ir.SchemeUse(scheme) for scheme in schemes))


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        pytest.param([{"a": []}, {"b": []}], (requirement("a"), requirement("b")), id="one of two"),
        pytest.param([{"a": [], "b": []}], (requirement("a", "b"),), id="both"),
        pytest.param([{}, {"a": []}], (requirement(), requirement("a")), id="or none"),
        pytest.param([], (), id="none"),
        pytest.param([{"a": ["read"]}], (ir.Requirement((ir.SchemeUse("a", ("read",)),)),), id="scopes"),
    ],
)
def test_requirements_are_alternatives(security: Any, expected: tuple[ir.Requirement, ...]) -> None:
    tree = with_operation({"security": security}, security=[{"b": []}], components=TWO)
    assert operation_of(tree).security == expected


def test_what_opens_the_most_operations_comes_first() -> None:
    paths = {
        "/one": {"get": {"operationId": "one", "security": [{"a": []}], "responses": OK}},
        "/two": {"get": {"operationId": "two", "security": [{"b": []}], "responses": OK}},
        "/three": {"get": {"operationId": "three", "security": [{"b": []}], "responses": OK}},
    }
    connection = app_of(document(paths, components=TWO)).connection
    assert connection is not None
    assert connection.alternatives == (("b",), ("a",))


def test_without_requirements_there_is_nothing_to_connect_with() -> None:
    assert app_of(with_operation({}, components=TWO)).connection is None


SERVERS: list[tuple[str, list[dict[str, Any]], tuple[ir.Server, ...]]] = [
    ("none", [], (ir.Server(""),)),
    ("one", [{"url": "https://a.example/v1/", "description": "Main"}], (ir.Server("https://a.example/v1", "Main"),)),
    ("relative", [{"url": "/v1"}], (ir.Server("/v1"),)),
    ("relative to the folder of the document", [{"url": "v1/"}], (ir.Server("/v1"),)),
    ("relative upwards", [{"url": "./../v1"}], (ir.Server("/v1"),)),
    ("the host of the document", [{"url": "/"}], (ir.Server(""),)),
    ("without a scheme", [{"url": "//a.example/v1"}], (ir.Server("https://a.example/v1"),)),
    (
        "variables",
        [
            {
                "url": "https://{region}.a.example",
                "variables": {"region": {"default": "eu", "enum": ["eu", "us"], "description": "Where."}},
            }
        ],
        (ir.Server("https://{region}.a.example", "", (ir.ServerVariable("region", "eu", ("eu", "us"), "Where."),)),),
    ),
]


@pytest.mark.parametrize(("servers", "expected"), [pytest.param(*row[1:], id=row[0]) for row in SERVERS])
def test_servers(servers: list[dict[str, Any]], expected: tuple[ir.Server, ...]) -> None:
    app = app_of(with_operation({}, servers=servers))
    assert app.servers == app.operation("act").servers == expected


def test_the_servers_of_an_operation_are_those_nearest_to_it() -> None:
    own = [{"url": "https://own.example"}]
    tree = with_operation({"servers": own}, servers=[{"url": "https://all.example"}])
    assert operation_of(tree).servers == (ir.Server("https://own.example"),)


def account(path: str, **members: Any) -> dict[str, Any]:
    schema = {
        "properties": {"id": {"type": "string"}, "email": {"type": "string"}, "shop": {"type": "string", **members}}
    }
    answer = {"description": "It.", "content": {"application/json": {"schema": schema}}}
    return {path: {"get": {"operationId": path.strip("/"), "responses": {"200": answer}}}}


def test_the_connection_is_tested_by_what_the_document_names() -> None:
    paths = account("/me") | account("/shop", **{"x-connector-account-label": True})
    paths["/shop"]["get"]["x-connector-check"] = True
    connection = app_of(document(paths, components=TWO, security=[{"a": []}])).connection
    assert connection is not None
    assert (connection.check, connection.account_label) == ("shop", "/shop")


def test_else_by_what_asks_for_nothing_and_is_best_about_whoever_calls() -> None:
    connection = app_of(document(account("/things") | account("/me"), components=TWO, security=[{"a": []}])).connection
    assert connection is not None
    assert (connection.check, connection.account_label) == ("me", "/email")
