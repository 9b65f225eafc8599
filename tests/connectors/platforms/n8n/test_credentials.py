"""How a real n8n sends what people connect with: tokens are renewed, and no secret goes to anybody else."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from aiops_connect import writer
from aiops_connect.platforms.n8n.emitter import EMITTER
from tests.fixtures.documents import OK, app_of
from tests.fixtures.documents import document as with_paths
from tests.fixtures.n8n import PACKAGE, Execution, Item, N8n, chain, node, packed, running_n8n
from tests.fixtures.ports import free_port
from tests.fixtures.publisher import PUBLISHER

pytestmark = pytest.mark.n8n

THING = {"type": "object", "properties": {"name": {"type": "string"}}}
PICTURE = {"type": "string", "format": "binary"}
BODY = {"required": True, "content": {"image/png": {"schema": PICTURE}}}


def answering(id_: str, media_type: str, schema: Any) -> dict[str, Any]:
    answer = {"description": "What there is.", "content": {media_type: {"schema": schema}}}
    return {"get": {"operationId": id_, "tags": ["Things"], "responses": {"200": answer}}}


def document(url: str) -> dict[str, Any]:
    """A thing and its picture. A key in a header of its own opens them, or a token that is to be had here."""
    schemes = {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": f"{url}/token", "scopes": {}}}},
    }
    paths = {
        "/thing": answering("look", "application/json", THING),
        "/picture": answering("show", "image/png", PICTURE),
        "/pictures": {"put": {"operationId": "send", "tags": ["Things"], "requestBody": BODY, "responses": OK}},
        "/ping": {"get": {"operationId": "ping", "tags": ["Things"], "responses": OK}},
    }
    return with_paths(paths, components={"securitySchemes": schemes}, security=[{"key": []}, {"oauth": []}])


@dataclass
class Service:
    """Takes the token `good` alone, and gives out `token`, if any, else refuses it. `moved_to` says where it sends
    those who ask for a path; `asked` are the paths that were asked for, and the headers; `sent` are the files."""

    url: str
    good: str = "good"
    token: str | None = "good"
    refusal: tuple[int, Any] = (400, {"error": "invalid_client"})
    moved_to: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.asked.append((self.path, headers))
            if self.path in found.moved_to:
                self.answer(302, {}, found.moved_to[self.path])
            elif headers.get("authorization", f"Bearer {found.good}") == f"Bearer {found.good}":
                self.answer(200, {"name": "boat"})
            else:
                self.answer(401, {"message": "This token has run out."})

        def do_PUT(self) -> None:
            found.sent.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if found.token is None:
                self.answer(*found.refusal)
            else:
                self.answer(200, {"access_token": found.token, "token_type": "bearer"})

        def answer(self, status: int, body: Any, location: str | None = None) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            if location is not None:
                self.send_header("Location", location)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Service(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def first() -> Iterator[Service]:
    with serving() as running:
        yield running


@pytest.fixture
def service(first: Service) -> Service:
    """As it was at first."""
    vars(first).update(vars(Service(first.url)))
    return first


@pytest.fixture(scope="module")
def n8n(first: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[N8n]:
    folder = tmp_path_factory.mktemp("n8n")
    writer.write(folder / "things", EMITTER.emit(app_of(document(first.url)), PUBLISHER).files)
    (folder / "things" / "node_modules").symlink_to(PACKAGE / "node_modules")
    with running_n8n(folder, free_port(), packed(folder / "things", folder)) as running:
        yield running


def looked(n8n: N8n, type_: str, operation: str = "look", before: Sequence[Item] = (), **data: Any) -> Execution:
    """The thing, as this credential gets it."""
    values = {"resource": "thing", "operation": operation, "authentication": type_}
    step = node("Step", "n8n-nodes-things.things", values, credentials=n8n.credential(type_, "things", **data))
    return n8n.run(chain(*before, step))


def with_token(
    n8n: N8n, service: Service, token: str, operation: str = "look", before: Sequence[Item] = ()
) -> Execution:
    client = {"grantType": "clientCredentials", "clientId": "tests", "clientSecret": "of the tests"}
    held = {"oauthTokenData": {"access_token": token, "token_type": "bearer"}}
    return looked(n8n, "thingsOAuth2Api", operation, before, baseUrl=service.url, **client, **held)


def test_a_token_that_has_run_out_is_renewed(n8n: N8n, service: Service) -> None:
    done = with_token(n8n, service, "old")
    assert done.status == "success", done.error
    assert done.json("Step") == [{"name": "boat"}]
    assert [headers["authorization"] for _, headers in service.asked] == ["Bearer old", "Bearer good"]


@pytest.mark.parametrize("token", ["good", "bad"])
def test_a_file_is_sent_anew_with_a_token_that_is_renewed(n8n: N8n, service: Service, token: str) -> None:
    """n8n does not send it by itself: it has read the file, and holds none as a whole."""
    service.token = token
    options = {"response": {"response": {"responseFormat": "file"}}}
    fetch = node("Fetch", "n8n-nodes-base.httpRequest", {"url": f"{service.url}/thing", "options": options}, 4.2)
    done = with_token(n8n, service, "old", "send", [fetch])
    asked = [headers["authorization"] for path, headers in service.asked if path == "/pictures"]
    assert service.sent == [b'{"name": "boat"}'] * len(asked)
    assert asked[:2] == ["Bearer old", f"Bearer {token}"]
    if token == "good":
        assert done.status == "success", done.error
    else:
        assert done.error is not None
        assert done.error["message"] == "This token has run out. [item 0]"


def test_a_token_that_is_refused_when_it_is_new_is_told(n8n: N8n, service: Service) -> None:
    service.token = "bad"
    done = with_token(n8n, service, "old")
    assert done.error is not None
    assert done.error["message"] == "This token has run out. [item 0]"
    assert done.error["description"] == "Check the credential of this node."
    assert done.error["context"]["details"]["httpCode"] == 401


@pytest.mark.parametrize("held", ["old", ""], ids=["renewed", "first"])
@pytest.mark.parametrize(
    "refusal",
    [(400, {"error": "invalid_client"}), (401, {"message": "Who is that?"}), (404, {}), (503, {"message": "Down."})],
    ids=lambda refusal: refusal[0],
)
def test_a_token_that_cannot_be_renewed_is_told(
    n8n: N8n, service: Service, refusal: tuple[int, Any], held: str
) -> None:
    service.token, service.refusal = None, refusal
    done = with_token(n8n, service, held)
    assert done.error is not None
    assert done.error["message"] == "The credential could not be renewed [item 0]"
    assert done.error["description"].startswith("Open the credential and connect it again.")


def with_key(n8n: N8n, service: Service, operation: str = "look") -> Execution:
    return looked(n8n, "thingsApi", operation, baseUrl=service.url, apiKey="key of the tests")


def test_a_redirect_within_the_service_is_followed_with_the_key(n8n: N8n, service: Service) -> None:
    service.moved_to = {"/thing": "/thing/2", "/thing/2": f"{service.url}/thing/3?version=3"}
    done = with_key(n8n, service)
    assert done.status == "success", done.error
    assert done.json("Step") == [{"name": "boat"}]
    sent = [(path, headers["x-key"]) for path, headers in service.asked]
    assert sent == [(path, "key of the tests") for path in ("/thing", "/thing/2", "/thing/3?version=3")]


@pytest.mark.parametrize(("operation", "path"), [("look", "/thing"), ("ping", "/ping")])
def test_what_is_to_be_told_is_not_asked_of_another_host(n8n: N8n, service: Service, operation: str, path: str) -> None:
    with serving() as other:
        service.moved_to = {path: f"{other.url}/thing?signature=secret"}
        for done in (with_key(n8n, service, operation), with_token(n8n, service, "good", operation)):
            assert done.error is not None
            assert (
                done.error["message"] == f"The service sends this call to another address: {other.url}/thing [item 0]"
            )
            assert done.error["description"].startswith("If the service has moved there, enter that as the base URL")
    assert other.asked == []


def test_a_credential_is_not_tested_at_another_host(n8n: N8n, service: Service) -> None:
    held = {"baseUrl": service.url, "apiKey": "key of the tests"}
    assert n8n.test_credential("thingsApi", **held)["status"] == "OK"
    with serving() as other:
        service.moved_to = {path: f"{other.url}/thing" for path, _ in service.asked}
        told = n8n.test_credential("thingsApi", **held)
    assert told["status"] == "Error"
    assert told["message"].startswith("The service sends this call to another address.")
    assert other.asked == []


BASE = '={{ $credentials.baseUrl.replace(/\\\\/+$/, "") }}'
OWN = [{"url": "https://accounts.example/v1"}]


@pytest.mark.parametrize(
    ("first", "second", "base", "url"),
    [
        ({}, {}, BASE, "/first"),
        ({"servers": OWN}, {}, OWN[0]["url"], "/first"),
        ({"servers": OWN, "deprecated": True}, {"deprecated": True}, BASE, "/second"),
        ({}, {"x-connector-check": True}, BASE, "/second"),
        ({}, {"servers": OWN, "x-connector-check": True}, OWN[0]["url"], "/second"),
        ({}, {"servers": [{"url": "/v2"}], "x-connector-check": True}, BASE, "/second"),
    ],
    ids=["first", "first elsewhere", "no check", "check", "check elsewhere", "check at a relative server"],
)
def test_a_credential_is_tested_where_the_call_is(
    first: dict[str, Any], second: dict[str, Any], base: str, url: str
) -> None:
    paths = {"/first": answering("first", "application/json", THING), "/second": answering("second", "text/plain", {})}
    paths["/first"]["get"] |= first
    paths["/second"]["get"] |= second
    key = {"type": "apiKey", "in": "header", "name": "X-Key"}
    servers = [{"url": "https://things.example/v1"}]
    tree = with_paths(paths, servers=servers, components={"securitySchemes": {"key": key}}, security=[{"key": []}])
    files = {file.path: file.data.decode() for file in EMITTER.emit(app_of(tree), PUBLISHER).files}
    text = files["credentials/ThingsApi.credentials.ts"]
    assert f"baseURL: '{base}'" in text
    assert f"url: '{url}'" in text


def test_a_file_is_fetched_from_another_host_without_the_key(n8n: N8n, service: Service) -> None:
    with serving() as other:
        service.moved_to = {"/picture": f"{other.url}/picture?signature=none"}
        other.moved_to = {"/picture?signature=none": f"{service.url}/copy"}
        done = with_key(n8n, service, "show")
    assert done.status == "success", done.error
    (item,) = done.items("Step")
    assert n8n.file(item["binary"]["data"]) == b'{"name": "boat"}'
    (first, _), (last, back) = service.asked
    ((between, away),) = other.asked
    assert (first, between, last) == ("/picture", "/picture?signature=none", "/copy")
    for headers in (away, back):
        assert headers["accept"] == "image/png"
        assert headers.keys().isdisjoint({"x-key", "authorization", "cookie"})


@pytest.mark.parametrize(("operation", "path"), [("look", "/thing"), ("show", "/picture")])
def test_redirects_without_an_end_are_not_followed(n8n: N8n, service: Service, operation: str, path: str) -> None:
    service.moved_to = {path: path}
    done = with_key(n8n, service, operation)
    assert done.error is not None
    assert done.error["message"] == f"The service sends this call to another address: {path} [item 0]"
    assert done.error["context"]["details"] == {"httpCode": 302}
    assert len(service.asked) == 6
