"""Requests that are HTTP, and meant to break what is behind it: each is answered as documented and charged nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from aiops.contract.document import api_document
from tests.fixtures.contract import ContractCheck
from tests.fixtures.raw import Answer, Edge, head, post, running_edge
from tests.fixtures.service import IMAGE

MALFORMED = (400, "malformed_request")
UNAUTHORIZED = (401, "unauthorized")
NOT_FOUND = (404, "not_found")
NOT_ALLOWED = (405, "method_not_allowed")
WRONG_TYPE = (415, "unsupported_media_type")
INVALID = (422, "invalid_input")
PROMPT = b'{"prompt": "x"}'


@pytest.fixture(scope="module")
def edge(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with running_edge(tmp_path_factory.mktemp("hostile"), sqlite_template, {}) as running:
        yield running


@pytest.fixture
def unchanged(edge: Edge) -> Iterator[None]:
    """The credits are what they were."""
    before = credits_of(edge)
    yield
    assert credits_of(edge) == before


def credits_of(edge: Edge) -> int:
    with edge.caller() as caller:
        number: int = caller.send(head("GET", "/api/account", key=edge.key)).answer().json["credits"]
        return number


def ask(edge: Edge, method: str, target: str, data: bytes) -> Answer:
    """The answer, which is in the document, and after which the connection serves a well-behaved call."""
    with edge.caller() as caller:
        answer = caller.send(data).answer(method)
        path = unquote(target.partition("?")[0])
        ContractCheck(api_document()).check(method, path, answer.status, answer.headers, answer.body)
        assert caller.send(head("GET", "/health")).answer().status == 200
        return answer


BODIES = {
    "arrays without end": (b"[" * 60_000, MALFORMED),
    "objects without end": (b'{"a":' * 10_000, MALFORMED),
    "deep": (b"[" * 30_000 + b"]" * 30_000, MALFORMED),
    "deep inside a field": (b'{"prompt":' + b"[" * 900 + b"]" * 900 + b"}", INVALID),
    "infinite by its exponent": (b'{"prompt": 1e400}', INVALID),
    "exponent without end": (b'{"prompt": 1e99999999999}', INVALID),
    "large integer": (b'{"prompt": ' + b"9" * 4000 + b"}", INVALID),
    "larger integer": (b'{"prompt": ' + b"9" * 60_000 + b"}", MALFORMED),
    "NaN": (b'{"prompt": NaN}', INVALID),
    "Infinity": (b'{"prompt": "x", "style": -Infinity}', INVALID),
    "raw NUL": (b'{"prompt": "a\x00b"}', MALFORMED),
    "escaped NUL": (b'{"prompt": "a\\u0000b"}', INVALID),
    "NUL as a name": (b'{"prompt": "x", "\\u0000": 1}', INVALID),
    "half a surrogate": (b'{"prompt": "\\udc00"}', INVALID),
    "half a surrogate in UTF-8": (b'{"prompt": "\xed\xa0\x80"}', INVALID),
    "too long in UTF-8": (b'{"prompt": "\xc0\xaf"}', MALFORMED),
    "Latin-1": (b'{"prompt": "\xe4"}', MALFORMED),
    "UTF-16": ('{"prompt": "x"}'.encode("utf-16"), MALFORMED),
    "UTF-16 without a mark": ('{"prompt": "x"}'.encode("utf-16-be"), MALFORMED),
    "UTF-32": ('{"prompt": "x"}'.encode("utf-32"), MALFORMED),
    "5,000 unknown fields": (json.dumps(dict.fromkeys(range(5000), 1)).encode(), INVALID),
    "a name of 60,000 characters": (json.dumps({"x" * 60_000: 1}).encode(), INVALID),
    "two bodies": (PROMPT + PROMPT, MALFORMED),
    "a comment": (PROMPT + b" // x", MALFORMED),
    "only spaces": (b"   ", MALFORMED),
    "null": (b"null", INVALID),
    "a number": (b"5", INVALID),
    "a prototype": (b'{"prompt": "x", "__proto__": {"prompt": "y"}}', INVALID),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES)
@pytest.mark.usefixtures("unchanged")
def test_a_hostile_body(edge: Edge, body: bytes, expected: tuple[int, str]) -> None:
    answer = ask(edge, "POST", IMAGE, post(IMAGE, body, key=edge.key))
    assert (answer.status, answer.json["code"]) == expected


TAKEN = {
    "a mark before it": b"\xef\xbb\xbf" + PROMPT,
    "the last of two members": b'{"prompt": 5, "prompt": "x"}',
    "a pair of surrogates": b'{"prompt": "\\ud83d\\ude00"}',
    "control characters that are no NUL": b'{"prompt": "\x7f\\u0001x"}',
    "what is no character": '{"prompt": "\uffff\u202e"}'.encode(),
}


@pytest.mark.parametrize("body", TAKEN.values(), ids=TAKEN)
def test_a_strange_body_that_is_taken(edge: Edge, body: bytes) -> None:
    assert ask(edge, "POST", IMAGE, post(IMAGE, body, key=edge.key)).status == 200


HEADERS = {
    "control characters in a key": (["Authorization: Bearer \x01\x7f"], UNAUTHORIZED),
    "umlauts in a key": (["Authorization: Bearer \xe4\xff"], UNAUTHORIZED),
    "a long key": ([f"Authorization: Bearer {'a' * 10_000}"], UNAUTHORIZED),
    "an empty key": (["Authorization: "], UNAUTHORIZED),
    "another scheme": (["Authorization: Basic Zm9vOmJhcg=="], UNAUTHORIZED),
    "control characters in an Idempotency-Key": (["Idempotency-Key: a\x01b"], INVALID),
    "umlauts in an Idempotency-Key": (["Idempotency-Key: \xe4"], INVALID),
    "an empty Idempotency-Key": (["Idempotency-Key: "], INVALID),
    "two Idempotency-Keys": (["Idempotency-Key: a", "Idempotency-Key: b"], INVALID),
    "a compressed body": (["Content-Encoding: gzip"], WRONG_TYPE),
    "twice compressed": (["Content-Encoding: br, gzip"], WRONG_TYPE),
}


@pytest.mark.parametrize(("headers", "expected"), HEADERS.values(), ids=HEADERS)
@pytest.mark.usefixtures("unchanged")
def test_a_hostile_header(edge: Edge, headers: list[str], expected: tuple[int, str]) -> None:
    key = None if headers[0].startswith("Authorization") else edge.key
    answer = ask(edge, "POST", IMAGE, post(IMAGE, PROMPT, *headers, key=key))
    assert (answer.status, answer.json["code"]) == expected


IGNORED = [
    "X-HTTP-Method-Override: GET",
    "X-Original-URL: /api/account",
    "X-Forwarded-For: \xe4, [::, 1",
    "X-Forwarded-Proto: javascript",
    "X-Forwarded-Host: evil.example",
    "Content-Encoding: identity",
    "Connection: Authorization",
    "X: \t a\x01\x7f\xff",
]


@pytest.mark.parametrize("header", IGNORED)
def test_a_header_that_changes_nothing(edge: Edge, header: str) -> None:
    answer = ask(edge, "POST", IMAGE, post(IMAGE, PROMPT, header, key=edge.key))
    assert answer.status == 200
    assert answer.json["image_url"].startswith(f"{edge.server.url}/files/")


HOSTS = ["", "[", "[::1", "a b", "\xff", "a:99999999", "a/b?c#d", "@", "a:b:c", "\x7f", "a\\b"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_none(edge: Edge, host: str) -> None:
    for target, expected in (("/health", 200), ("/nothing", 404), (IMAGE, 405)):
        data = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1")
        assert ask(edge, "GET", target, data).status == expected


PATHS = {
    "/%2e%2e/%2e%2e/etc/passwd": NOT_FOUND,
    "/../../etc/passwd": NOT_FOUND,
    "/files/%2e%2e%2fsecret_key": NOT_FOUND,
    "/files/%252e%252e%252fsecret_key": NOT_FOUND,
    "/files/..%5csecret_key": NOT_FOUND,
    "/files/a%00.png": NOT_FOUND,
    "/files/%ff": NOT_FOUND,
    "/files/x.png?expires=1&expires=2&signature=a&signature=b": NOT_FOUND,
    "/files/AAAAAAAAAAAAAAAAAAAAAA.png?expires=%ff&signature=%00": NOT_FOUND,
    f"/files/x.png?expires={'9' * 3000}&signature=a": INVALID,
    "/%00": NOT_FOUND,
    "/%": NOT_FOUND,
    "/%zz": NOT_FOUND,
    "/%25%32%65": NOT_FOUND,
    "*": NOT_FOUND,
    "//api/account": NOT_FOUND,
    "/api/account/": NOT_FOUND,
    "/API/account": NOT_FOUND,
    "/api/account;x=1": NOT_FOUND,
    "/api/account%20": NOT_FOUND,
    "http://evil.example/api/account": NOT_FOUND,
    "/api/jobs/%F0%9F%92%A9": NOT_FOUND,
    "/api/jobs/%ff": NOT_FOUND,
    "/api/jobs/job_000000000000000000000000%00": NOT_FOUND,
    f"/api/jobs/{'a' * 10_000}": NOT_FOUND,
    f"/{'a/' * 5_000}": NOT_FOUND,
    "/api/jobs?limit=5&limit=200": INVALID,
    "/api/jobs?limit=%D9%A3": INVALID,
    "/api/jobs?limit=1e1": INVALID,
    "/api/jobs?limit=99999999999999999999999": INVALID,
    f"/api/jobs?limit={'9' * 5000}": INVALID,
    "/api/jobs?limit": INVALID,
    "/api/jobs?cursor=%00": INVALID,
    "/api/jobs?cursor=%ff": INVALID,
    f"/api/jobs?cursor={'A' * 10_000}": INVALID,
    "/api/credits/transactions?cursor=AAAA": INVALID,
}


@pytest.mark.parametrize(("target", "expected"), PATHS.items(), ids=lambda one: str(one)[:50])
def test_a_hostile_path(edge: Edge, target: str, expected: tuple[int, str]) -> None:
    answer = ask(edge, "GET", target, head("GET", target, key=edge.key))
    assert (answer.status, answer.json["code"]) == expected


@pytest.mark.parametrize("query", ["unknown=1", "%00=%00", "=&=", "limit=200&limit=5", "limit[]=5", "a=%zz"])
def test_a_query_parameter_that_nobody_knows_is_ignored(edge: Edge, query: str) -> None:
    target = f"/api/jobs?{query}"
    assert ask(edge, "GET", target, head("GET", target, key=edge.key)).status == 200


METHODS = ["TRACE", "OPTIONS", "CONNECT", "PROPFIND", "PUT", "DELETE", "HEAD", "get", "X" * 9000]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("unchanged")
def test_a_method_that_a_path_does_not_take(edge: Edge, method: str) -> None:
    answer = ask(edge, method, IMAGE, head(method, IMAGE, "Secret: one", key=edge.key))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["content-type"] == "application/json"
    assert b"Secret" not in answer.body, "TRACE sends nothing back"
    assert ask(edge, method, "/nothing", head(method, "/nothing")).status == 404


def test_a_body_where_none_is_taken(edge: Edge) -> None:
    data = head("GET", "/api/account", "Content-Length: 70000", key=edge.key) + b"x" * 70_000
    assert ask(edge, "GET", "/api/account", data).status == 200


def test_a_call_in_http_1_0(edge: Edge) -> None:
    with edge.caller() as caller:
        answer = caller.send(b"GET /health HTTP/1.0\r\n\r\n").answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert caller.has_ended()
