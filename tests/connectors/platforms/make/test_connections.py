"""Connections: what people enter, how tokens are fetched and renewed, and which connection a module has."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aiops_connect import ir
from aiops_connect.platforms.make.runner import (
    InstantClock,
    MakeError,
    Outcome,
    Payload,
    Settings,
    Target,
    Trace,
    load_app,
    run,
)
from aiops_connect.platforms.make.runner.inputs import Inputs
from tests.connectors.platforms.make.rendered import contents, emitted, written
from tests.connectors.platforms.make.runner.service import Answer, Service
from tests.fixtures.documents import app_of, document

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)
SCOPES = {"read": "Read things.", "write": "Change things."}
CODE = {
    "type": "oauth2",
    "flows": {
        "authorizationCode": {
            "authorizationUrl": "https://api.test/authorize?audience=things",
            "tokenUrl": "https://api.test/token",
            "refreshUrl": "https://api.test/refresh",
            "scopes": SCOPES,
        }
    },
}
CLIENT = {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://api.test/token", "scopes": SCOPES}}}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
TOKENS = {"access_token": "t1", "refresh_token": "r1", "expires_in": 3600}
ENTERED = {"clientId": "client", "clientSecret": "a secret"}


def things(schemes: dict[str, Any], me: list[Any], logs: list[Any] | None = None) -> ir.App:
    """An app with a call that tests a connection, and one more that may want another."""
    answer = {"content": {"application/json": {"schema": {"properties": {"email": {"type": "string"}}}}}}
    responses = {"200": {"description": "It.", **answer}}
    paths = {
        "/me": {"get": {"operationId": "get_me", "responses": responses, "security": me}},
        "/logs": {"get": {"operationId": "get_logs", "responses": responses, "security": logs or me}},
    }
    servers = [{"url": "https://api.test"}]
    return app_of(document(paths, servers=servers, components={"securitySchemes": schemes}))


class Folder:
    """A rendered app that is run against a service in the place of its own."""

    def __init__(self, app: ir.App, folder: Path, service: Service) -> None:
        self.path, self.service, self.trace = written(emitted(app), folder), service, Trace()
        for file in folder.rglob("*.json"):
            file.write_text(file.read_text().replace("https://api.test", service.url))

    def run(self, target: str, **inputs: Any) -> Outcome:
        settings = Settings(InstantClock(NOW), base_url=self.service.url)
        return run(load_app(self.path), Target.parse(target), Inputs(**inputs), settings, self.trace)


def test_a_code_becomes_a_token(tmp_path: Path, service: Service) -> None:
    folder = Folder(things({"oauth": CODE}, [{"oauth": ["read"]}]), tmp_path, service)
    service.will_answer(Answer("POST /token", TOKENS))
    payload = Payload(query={"code": "a code"})
    stored = folder.run("connection:oauth/token", connection=ENTERED, payload=payload).stored["data"]
    assert (stored["accessToken"], stored["refreshToken"]) == ("t1", "r1")
    assert stored["expires"].isoformat() == "2026-01-31T11:00:00+00:00"
    assert service.received[0].body == (
        b"grant_type=authorization_code&client_id=client&client_secret=a%20secret&code=a%20code"
        b"&redirect_uri=https%3A%2F%2Fwww.make.com%2Foauth%2Fcb%2Fapp"
    )
    assert folder.trace.warnings == []


def test_people_are_asked_for_the_scopes_of_the_document(tmp_path: Path) -> None:
    files = contents(emitted(things({"oauth": CODE}, [{"oauth": ["read"]}], [{"oauth": ["write"]}])))
    authorize = files["connections/oauth/oauth.oauth-communication.iml.json"]["authorize"]
    assert authorize["url"] == "https://api.test/authorize"
    assert authorize["qs"] == {
        "audience": "things",
        "response_type": "code",
        "client_id": "{{parameters.clientId}}",
        "redirect_uri": "{{oauth.localRedirectUri}}",
        "scope": "{{join(oauth.scope, ' ')}}",
    }
    assert files["connections/oauth/oauth.scope-list.iml.json"] == SCOPES
    assert files["connections/oauth/oauth.default-scope.iml.json"] == ["read", "write"]
    assert files["modules/get-me/get-me.scope.iml.json"] == ["read"]
    assert files["modules/get-logs/get-logs.scope.iml.json"] == ["write"]


@pytest.mark.parametrize(
    ("expires", "calls"), [("2026-01-31T10:04:00Z", 1), ("2026-01-31T10:06:00Z", 0), (None, 0)], ids=str
)
def test_a_token_is_renewed_before_it_is_too_old(
    tmp_path: Path, service: Service, expires: str | None, calls: int
) -> None:
    folder = Folder(things({"oauth": CODE}, [{"oauth": []}]), tmp_path, service)
    if calls:
        service.will_answer(Answer("POST /refresh", {"access_token": "t2", "expires_in": 60}))
    connection = {**ENTERED, "accessToken": "t1", "refreshToken": "r1", **({"expires": expires} if expires else {})}
    stored = folder.run("connection:oauth/refresh", connection=connection).stored
    assert len(service.received) == calls
    if calls:
        assert (stored["data"]["accessToken"], stored["data"]["refreshToken"]) == ("t2", "r1")
        assert service.received[0].body.endswith(b"&refresh_token=r1")


def test_a_refused_renewal_asks_to_connect_again(tmp_path: Path, service: Service) -> None:
    folder = Folder(things({"oauth": CODE}, [{"oauth": []}]), tmp_path, service)
    service.will_answer(Answer("POST /refresh", {"error": "invalid_grant", "error_description": "It was revoked"}, 400))
    connection = {**ENTERED, "refreshToken": "r1", "expires": "2026-01-31T09:00:00Z"}
    with pytest.raises(MakeError) as caught:
        folder.run("connection:oauth/refresh", connection=connection)
    assert (caught.value.type, caught.value.message) == ("InvalidAccessTokenError", "[400] It was revoked.")


def test_a_client_fetches_a_token_by_itself(tmp_path: Path, service: Service) -> None:
    folder = Folder(things({"oauth": CLIENT}, [{"oauth": []}]), tmp_path, service)
    service.will_answer(Answer("POST /token", TOKENS))
    assert folder.run("connection:oauth/token", connection=ENTERED).stored["data"]["accessToken"] == "t1"
    body = b"grant_type=client_credentials&client_id=client&client_secret=a%20secret&scope=read%20write"
    assert service.received[0].body == body


def test_modules_send_the_token_and_the_connection_is_named(tmp_path: Path, service: Service) -> None:
    folder = Folder(things({"oauth": CODE}, [{"oauth": []}]), tmp_path, service)
    service.will_answer(Answer("GET /me", {"email": "ann@things.test"}), Answer("GET /logs", {"email": ""}))
    connection = {**ENTERED, "accessToken": "t1"}
    metadata = folder.run("connection:oauth", connection=connection).stored["metadata"]
    assert metadata == {"type": "email", "value": "ann@things.test"}
    folder.run("getLogs", connection=connection)
    assert [one.headers["authorization"] for one in service.received] == ["Bearer t1"] * 2
    assert "t1" not in json.dumps([exchange.request for exchange in folder.trace.exchanges])


def test_what_one_connection_does_not_open_has_another(tmp_path: Path, service: Service) -> None:
    folder = Folder(things({"key": KEY, "oauth": CODE}, [{"key": []}], [{"oauth": ["read"]}]), tmp_path, service)
    modules = load_app(folder.path).components
    used = {one.name: one.metadata["connection"] for one in modules.values() if one.kind == "module"}
    assert used == {"getMe": "apiKey", "getLogs": "oauth", "makeApiCall": "apiKey"}
    service.will_answer(Answer("GET /me", {}), Answer("GET /logs", {}))
    folder.run("getMe", connection={"apiKey": "k1"})
    folder.run("getLogs", connection={**ENTERED, "accessToken": "t1"})
    sent = [(one.headers.get("x-key"), one.headers.get("authorization")) for one in service.received]
    assert sent == [("k1", None), (None, "Bearer t1")]


def test_what_no_connection_opens_is_a_problem() -> None:
    made = emitted(things({"key": KEY, "certificate": {"type": "mutualTLS"}}, [{"key": []}], [{"certificate": []}]))
    assert [problem.message for problem in made.problems] == [
        "get_logs needs credentials for which Make has no connection. Exclude it."
    ]


def test_a_certificate_alone_is_a_problem() -> None:
    [problem] = emitted(things({"certificate": {"type": "mutualTLS"}}, [{"certificate": []}])).problems
    assert problem.message == "Make has no connection with a certificate of the client. Offer another scheme."
