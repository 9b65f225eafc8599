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


# A path of log.sanitize, the part of the request or response it is tried on, and what is left of that.
PATHS: list[tuple[str, str, Any, Any]] = [
    ("request.headers.authorization", "headers", {"authorization": "s"}, {"authorization": HIDDEN}),
    ("request.headers.Authorization", "headers", {"authorization": "s"}, {"authorization": HIDDEN}),
    ("request.headers.`X-API-KEY`", "headers", {"x-api-key": "s"}, {"x-api-key": HIDDEN}),
    ("request.headers.x-api-key", "headers", {"x-api-key": "s", "a": "b"}, {"x-api-key": HIDDEN, "a": "b"}),
    ("request.headers", "headers", {"a": "s"}, HIDDEN),
    ("request.body.user.key", "body", {"user": {"key": "s", "b": 1}}, {"user": {"key": HIDDEN, "b": 1}}),
    ("response.body.token", "body", {"token": "s", "b": 1}, {"token": HIDDEN, "b": 1}),
    ("response.body.keys[].key", "body", {"keys": [{"key": "s"}] * 2}, {"keys": [{"key": HIDDEN}] * 2}),
    ("response.body.keys.key", "body", {"keys": [{"key": "s"}]}, {"keys": [{"key": HIDDEN}]}),
    ("response.body.no.such", "body", {"a": 1}, {"a": 1}),
    ("response.body", "body", "secret", HIDDEN),
    ("response.body.none", "body", {"none": None}, {"none": None}),
    ("nonsense", "body", 1, 1),
    ("", "body", 1, 1),
]


@pytest.mark.parametrize(("path", "part", "value", "left"), PATHS)
def test_path(path: str, part: str, value: Any, left: Any) -> None:
    exchange = recorded([path], {part: value}, {part: value})
    hidden, other = exchange.request, exchange.response
    if path.startswith("response"):
        assert exchange.response is not None
        hidden, other = exchange.response, exchange.request
    assert hidden[part] == left
    assert other is not None
    assert other[part] == value


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
