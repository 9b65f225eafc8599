"""The trace: exact, and without what `log.sanitize` hides."""

from pathlib import Path
from typing import Any

import pytest

from aiops_connect.platforms.make.runner import Exchange, Trace
from tests.connectors.platforms.make.runner.apps import one_module
from tests.connectors.platforms.make.runner.service import Answer, Service

HIDDEN = "[sanitized]"


def recorded(sanitize: list[str], request: dict[str, Any], response: dict[str, Any]) -> Exchange:
    trace = Trace()
    full = {"method": "GET", "url": "https://a.example/", "qs": {}, "headers": {}, **request}
    trace.record(Exchange(full, {"status": 200, "headers": {}, "body": None, **response}, 0.1, "x", 1), sanitize)
    return trace.exchanges[0]


# A path of log.sanitize, the request, the response, and what is left of that part.
PATHS: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, str], Any]] = [
    ("request.headers.authorization", {"headers": {"authorization": "s"}}, {}, ("request", "headers"), {"authorization": HIDDEN}),
    ("request.headers.Authorization", {"headers": {"authorization": "s"}}, {}, ("request", "headers"), {"authorization": HIDDEN}),
    ("request.headers.`X-API-KEY`", {"headers": {"x-api-key": "s"}}, {}, ("request", "headers"), {"x-api-key": HIDDEN}),
    ("request.headers.x-api-key", {"headers": {"x-api-key": "s"}}, {}, ("request", "headers"), {"x-api-key": HIDDEN}),
    ("request.headers", {"headers": {"a": "s"}}, {}, ("request", "headers"), HIDDEN),
    ("request.body.user.password", {"body": {"user": {"password": "s", "name": "n"}}}, {}, ("request", "body"), {"user": {"password": HIDDEN, "name": "n"}}),
    ("response.body.access_token", {}, {"body": {"access_token": "s", "b": 1}}, ("response", "body"), {"access_token": HIDDEN, "b": 1}),
    ("response.body.keys[].key", {}, {"body": {"keys": [{"key": "s"}, {"key": "t"}]}}, ("response", "body"), {"keys": [{"key": HIDDEN}, {"key": HIDDEN}]}),
    ("response.body.keys.key", {}, {"body": {"keys": [{"key": "s"}]}}, ("response", "body"), {"keys": [{"key": HIDDEN}]}),
    ("response.body.no.such", {}, {"body": {"a": 1}}, ("response", "body"), {"a": 1}),
    ("response.body", {}, {"body": "secret"}, ("response", "body"), HIDDEN),
    ("nonsense", {}, {"body": 1}, ("response", "body"), 1),
    ("", {}, {"body": 1}, ("response", "body"), 1),
]  # fmt: skip


@pytest.mark.parametrize(("path", "request_part", "response_part", "place", "left"), PATHS)
def test_path(
    path: str, request_part: dict[str, Any], response_part: dict[str, Any], place: tuple[str, str], left: Any
) -> None:
    exchange = recorded([path], request_part, response_part)
    message = exchange.request if place[0] == "request" else exchange.response
    assert message is not None
    assert message[place[1]] == left


def test_a_query_parameter_is_hidden_in_the_url_too() -> None:
    request = {"url": "https://a.example/?key=secret&b=1", "qs": {"key": "secret", "b": "1"}}
    exchange = recorded(["request.qs.key"], request, {})
    assert exchange.request["url"] == f"https://a.example/?key={HIDDEN}&b=1"
    assert exchange.request["qs"] == {"key": HIDDEN, "b": "1"}


def test_what_was_sent_and_received_is_there(tmp_path: Path, service: Service) -> None:
    service.will_answer(Answer("POST /a", {"id": 1}, 201, {"X-Request-Id": "r1"}))
    communication = {
        "url": f"{service.url}/a", "method": "POST", "headers": {"X-Key": "k"}, "body": {"a": ["{{1 + 1}}"]},
        "log": {"sanitize": ["request.headers.x-key"]},
    }  # fmt: skip
    tried = one_module(tmp_path, communication)
    tried.run()
    (exchange,) = tried.trace.exchanges
    assert exchange.request["method"] == "POST"
    assert exchange.request["url"] == f"{service.url}/a"
    assert exchange.request["headers"]["x-key"] == HIDDEN
    assert exchange.request["headers"]["content-length"] == "9"
    assert exchange.request["body"] == {"a": [2]}
    assert exchange.response is not None
    assert (exchange.response["status"], exchange.response["body"]) == (201, {"id": 1})
    assert exchange.response["headers"]["x-request-id"] == "r1"
    assert service.received[0].headers["x-key"] == "k"


def test_paths_of_base_and_module_add_up(tmp_path: Path, service: Service) -> None:
    service.will_answer(Answer("GET /a", {"t": "s", "u": "v"}))
    base = {"baseUrl": service.url, "log": {"sanitize": ["response.body.t"]}}
    tried = one_module(tmp_path, {"url": "/a", "log": {"sanitize": ["response.body.u"]}}, base=base)
    tried.run()
    assert tried.trace.exchanges[0].response is not None
    assert tried.trace.exchanges[0].response["body"] == {"t": HIDDEN, "u": HIDDEN}
