"""Connections of callers who send too much, too slowly or not HTTP, to a real server; an ordinary caller is served."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aiops import http_server
from aiops.contract.document import api_document
from aiops.logs import configure_logs
from tests.fixtures.contract import ContractCheck
from tests.fixtures.raw import Answer, Edge, RawCaller, head, post, raw_callers, running_edge
from tests.fixtures.service import IMAGE, until

CONNECTIONS_MAX = 40
CONSTANTS = {
    "aiops.http_server.CONNECTIONS_MAX": CONNECTIONS_MAX,
    "aiops.http_server.HEAD_SECONDS_MAX": 1,
    "aiops.http_server.REST_SECONDS_MAX": 1,
    "aiops.http_server.WRITE_SECONDS_MAX": 1,
    "aiops.request_body.BODY_SECONDS_MAX": 1,
}
HEALTH = head("GET", "/health")
PARTIAL = HEALTH[:-2]
HUGE_BYTES = 200 * 1024 * 1024
PUSHED_BYTES_MAX = 16 * 1024 * 1024  # what the server takes, and what the buffers of two sockets hold


@pytest.fixture(scope="module")
def edge(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with running_edge(tmp_path_factory.mktemp("edge"), sqlite_template, CONSTANTS) as running:
        yield running


def assert_refused(answer: Answer, error: str, code: str = "malformed_request", status: int = 400) -> None:
    assert (answer.status, answer.json) == (status, {"error": error, "code": code})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["x-content-type-options"] == "nosniff"


NOT_HTTP = {
    "words": b"hello there\r\n\r\n",
    "an empty line": b"\r\n",
    "TLS": bytes.fromhex("160301020001000001fc0303") + bytes(64),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "NUL in the target": b"GET /health\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "umlaut in the target": b"GET /h\xc3\xa4lth HTTP/1.1\r\nHost: a\r\n\r\n",
    "no Host": b"GET /health HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no colon": b"GET /health HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    "space before the colon": b"GET /health HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
    "NUL in a header": b"GET /health HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    "return in a header": b"GET /health HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n",
    "two lengths": head("POST", IMAGE, "Content-Length: 2", "Content-Length: 3"),
    "negative length": head("POST", IMAGE, "Content-Length: -1"),
    "length in words": head("POST", IMAGE, "Content-Length: two"),
    "endless length": head("POST", IMAGE, f"Content-Length: {'9' * 30}"),
    "unknown transfer": head("POST", IMAGE, "Transfer-Encoding: gzip"),
    "transfer twice": head("POST", IMAGE, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
}


@pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_not_http_is_refused_in_json(edge: Edge, data: bytes) -> None:
    with edge.caller() as caller:
        assert_refused(caller.send(data).answer(), http_server.NOT_HTTP)
        assert caller.has_ended()


def test_a_length_given_in_two_ways_is_refused(edge: Edge) -> None:
    """A server before this one may choose the other, and take a part of the body for the next request."""
    smuggled = head("POST", IMAGE, "Transfer-Encoding: chunked", "Content-Length: 5", key=edge.key)
    with edge.caller() as caller:
        answer = caller.send(smuggled + b"0\r\n\r\n" + HEALTH).answer()
        assert_refused(answer, "The request says in two ways how long its body is.")
        assert caller.has_ended()


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\n", b"2\r\n{}x"], ids=["no number", "negative", "no end of line"])
def test_a_broken_chunk_is_refused(edge: Edge, chunk: bytes) -> None:
    headers = "Content-Type: application/json", "Transfer-Encoding: chunked"
    with edge.caller() as caller:
        assert_refused(
            caller.send(head("POST", IMAGE, *headers, key=edge.key) + chunk + HEALTH).answer(), http_server.NOT_HTTP
        )
        assert caller.has_ended()


def long_head(size_bytes: int) -> bytes:
    return head("GET", "/health", f"X: {'x' * size_bytes}")


TOO_LONG = http_server.HEAD_TOO_LONG
TOO_MANY_HEADERS = f"The request has more than {http_server.HEADERS_MAX} headers."
TOO_MANY_PARAMETERS = f"The request has more than {http_server.QUERY_PARAMETERS_MAX} query parameters."
FLOODS = {
    "long header": (long_head(20_000), TOO_LONG),
    "very long header": (long_head(5_000_000), TOO_LONG),
    "long name": (head("GET", "/health", "x" * 20_000 + ": 1"), TOO_LONG),
    "long target": (head("GET", "/" + "x" * 20_000), TOO_LONG),
    "long query": (head("GET", "/api/jobs?cursor=" + "x" * 20_000), TOO_LONG),
    "long method": (head("G" * 20_000, "/health"), TOO_LONG),
    "no end": (b"G" * 20_000, TOO_LONG),
    "many headers": (head("GET", "/health", *(f"X-{number}: 1" for number in range(100))), TOO_MANY_HEADERS),
    "many cookies": (head("GET", "/health", *["Cookie: a=1"] * 100), TOO_MANY_HEADERS),
    "many parameters": (head("GET", "/api/jobs?limit=1" + "&limit=1" * 100), TOO_MANY_PARAMETERS),
    "many parameters, HEAD": (head("HEAD", "/api/jobs?limit=1" + "&" * 100), TOO_MANY_PARAMETERS),
}


@pytest.mark.parametrize(("data", "error"), FLOODS.values(), ids=FLOODS)
def test_a_head_beyond_its_bounds_is_refused(edge: Edge, data: bytes, error: str) -> None:
    with edge.caller() as caller:
        try:
            caller.send(data)
        except OSError:
            assert len(data) > http_server.REST_BYTES_MAX, "only what is beyond all measure is cut off"
        assert_refused(caller.answer(), error)
        assert caller.has_ended()
    assert edge.serves()


def test_a_head_within_its_bounds_is_taken(edge: Edge) -> None:
    headers = [f"X-{number}: 1" for number in range(98)]
    with edge.caller() as caller:
        assert caller.send(head("GET", "/health?" + "&" * 99, *headers)).answer().status == 200
        assert caller.send(long_head(16_000)).answer().status == 200


def test_the_bounds_are_those_of_the_document() -> None:
    description = api_document().tree["info"]["description"]
    for number in (http_server.HEAD_BYTES_MAX, http_server.HEADERS_MAX, http_server.QUERY_PARAMETERS_MAX):
        assert f"{number:,}" in description


TOO_SLOW = "The request did not arrive in time."


def test_heads_that_never_end_hold_nobody_up(edge: Edge) -> None:
    with raw_callers(edge.server, CONNECTIONS_MAX - 1) as callers:
        for caller in callers:
            caller.send(PARTIAL)
        assert edge.serves()
        for caller in callers:
            assert_refused(caller.answer(), TOO_SLOW)
            assert caller.has_ended()


def test_a_head_that_drips_is_ended(edge: Edge) -> None:
    with edge.caller() as caller:
        endless = PARTIAL + b"X: 1\r\n" * 1000
        assert caller.drip(endless) < len(endless)


def test_the_next_head_on_a_connection_has_a_deadline_too(edge: Edge) -> None:
    with edge.caller() as caller:
        assert caller.send(HEALTH).answer().status == 200
        assert_refused(caller.send(PARTIAL).answer(), TOO_SLOW)
        assert caller.has_ended()


def test_a_head_cut_off_behind_a_call_has_a_deadline_too(edge: Edge) -> None:
    with edge.caller() as caller:
        assert caller.send(HEALTH + PARTIAL).answer().status == 200
        assert_refused(caller.answer(), TOO_SLOW)
        assert caller.has_ended()


def test_a_caller_who_says_nothing_is_told_nothing(edge: Edge) -> None:
    with edge.caller() as caller:
        assert caller.has_ended()


JSON_OF = "Content-Type: application/json", "Content-Length: 100"


def test_a_body_that_never_ends_holds_nobody_up(edge: Edge) -> None:
    with edge.caller() as caller:
        answer = caller.send(head("POST", IMAGE, *JSON_OF, key=edge.key) + b"{").answer()
        assert (answer.status, answer.json["error"]) == (400, "The body did not arrive in time.")
        assert edge.serves()
        assert caller.has_ended()


def test_a_body_without_a_key_is_not_waited_for(edge: Edge) -> None:
    with edge.caller() as caller:
        assert caller.send(head("POST", IMAGE, *JSON_OF)).answer().status == 401
        assert caller.has_ended()


def test_a_body_that_drips_after_its_answer_is_not_waited_for(edge: Edge) -> None:
    with edge.caller() as caller:
        assert caller.send(head("POST", IMAGE, "Content-Length: 1000")).answer().status == 401
        assert caller.drip(b" " * 1000) < 1000


def test_a_body_that_comes_after_its_answer_leaves_the_connection_usable(edge: Edge) -> None:
    with edge.caller() as caller:
        assert caller.send(head("POST", IMAGE, "Content-Length: 70000")).answer().status == 401
        caller.send(b" " * 70_000)
        assert caller.send(post(IMAGE, b'{"prompt": "x"}', key=edge.key)).answer().status == 200


@pytest.mark.parametrize("length", [f"Content-Length: {HUGE_BYTES}", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(("has_key", "status"), [(False, 401), (True, 413)], ids=["no key", "a key"])
def test_a_huge_body_is_refused_and_not_read(edge: Edge, length: str, has_key: bool, status: int) -> None:
    begin = head("POST", IMAGE, "Content-Type: application/json", length, key=edge.key if has_key else None)
    piece = b" " * 0x8000
    if "chunked" in length:
        piece = b"8000\r\n" + piece + b"\r\n"
    with edge.caller() as caller:
        pushed = push(caller.send(begin), piece)
        assert caller.answer().status == status
        assert pushed < PUSHED_BYTES_MAX
        assert caller.has_ended()
    assert edge.serves()


def push(caller: RawCaller, piece: bytes) -> int:
    """How much a caller who does not listen gets rid of before the connection is ended."""
    pushed = 0
    with suppress(ConnectionError):
        while pushed < HUGE_BYTES:
            pushed += caller.socket.send(piece)
    return pushed


def test_calls_on_one_connection_are_answered_in_order(edge: Edge) -> None:
    calls = [HEALTH, post(IMAGE, b"{}"), head("HEAD", "/ready"), post(IMAGE, b'{"prompt": "x"}', key=edge.key)] * 5
    methods = ["GET", "POST", "HEAD", "POST"] * 5
    with edge.caller() as caller:
        caller.send(b"".join(calls))
        assert [caller.answer(method).status for method in methods] == [200, 401, 200, 200] * 5


def test_garbage_behind_a_call_does_not_spoil_its_answer(edge: Edge) -> None:
    with edge.caller() as caller:
        caller.send(post(IMAGE, b'{"prompt": "x"}', key=edge.key) + b"garbage\r\n\r\n" + HEALTH)
        assert caller.answer().status == 200
        assert_refused(caller.answer(), http_server.NOT_HTTP)
        assert caller.has_ended()


def test_more_than_a_body_announces_is_the_next_request(edge: Edge) -> None:
    announced = head("POST", IMAGE, "Content-Type: application/json", "Content-Length: 15", key=edge.key)
    with edge.caller() as caller:
        caller.send(announced + b'{"prompt": "x"}' + b'{"prompt": "y"}\r\n\r\n')
        assert caller.answer().status == 200
        assert_refused(caller.answer(), http_server.NOT_HTTP)
    assert edge.serves()


def test_whoever_asks_whether_to_send_a_body_is_told(edge: Edge) -> None:
    body = b'{"prompt": "x"}'
    begin = post(IMAGE, body, "Expect: 100-continue", key=edge.key).removesuffix(body)
    with edge.caller() as caller:
        assert caller.send(begin).answer().status == 100
        assert caller.send(body).answer().status == 200
        keyless = post(IMAGE, body, "Expect: 100-continue").removesuffix(body)
        answer = caller.send(keyless).answer()
        assert (answer.status, answer.headers["connection"]) == (401, "close")
        assert caller.has_ended()


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
def test_no_other_protocol_is_spoken(edge: Edge, protocol: str) -> None:
    with edge.caller() as caller:
        upgrade = head("GET", "/health", "Connection: Upgrade", f"Upgrade: {protocol}", "Sec-WebSocket-Version: 13")
        assert caller.send(upgrade).answer().status == 200


def test_whoever_waits_longest_makes_room(edge: Edge) -> None:
    with raw_callers(edge.server, 2 * CONNECTIONS_MAX) as callers:
        assert callers[-1].send(HEALTH).answer().status == 200
        assert callers[0].has_ended()
        assert edge.serves()


BUSY = "The server cannot take this call at the moment. Nothing was charged; try again."


def test_calls_at_work_never_make_room(sqlite_template: Path, tmp_path: Path) -> None:
    constants = {"aiops.http_server.CONNECTIONS_MAX": 3}
    with running_edge(tmp_path, sqlite_template, constants) as edge, raw_callers(edge.server, 3) as callers:
        with edge.server.hold():
            for number, caller in enumerate(callers):
                caller.send(post(IMAGE, json.dumps({"prompt": str(number)}).encode(), key=edge.key))
            asyncio.run(until(lambda: are_at_work(edge, 3)))
            with edge.caller() as one_more:
                busy = one_more.answer()
        assert_refused(busy, BUSY, "server_busy", 503)
        assert busy.headers["retry-after"] == "5"
        ContractCheck(api_document()).check("POST", IMAGE, busy.status, busy.headers, busy.body)
        assert [caller.answer().status for caller in callers] == [200, 200, 200]


async def are_at_work(edge: Edge, calls: int) -> bool:
    return edge.server.calls == calls


DOWNLOADS = 300


def test_a_caller_who_does_not_read_is_ended(edge: Edge) -> None:
    whole = DOWNLOADS * len(api_document().source)
    with edge.caller(receive_buffer_bytes=4096) as caller:
        caller.send(head("GET", "/openapi.yaml") * DOWNLOADS)
        assert edge.serves()
        assert caller.is_cut_off()
        assert len(caller.rest()) < whole


def test_a_caller_who_reads_slowly_gets_everything(sqlite_template: Path, tmp_path: Path) -> None:
    calls = head("GET", "/openapi.yaml") * (DOWNLOADS // 4) + head("GET", "/health", "Connection: close")
    received, begun, seconds = b"", time.monotonic(), 2
    constants = {"aiops.http_server.WRITE_SECONDS_MAX": seconds}
    with (
        running_edge(tmp_path, sqlite_template, constants) as edge,
        edge.caller(receive_buffer_bytes=4096) as caller,
    ):
        caller.send(calls)
        while data := caller.file.read(262_144):
            received += data
            time.sleep(0.15)
    assert time.monotonic() - begun > seconds, "longer than the deadline in all, and never as long between two pieces"
    assert received.count(api_document().source) == DOWNLOADS // 4
    assert received.endswith(b'{"status":"ok"}')


def test_a_server_under_attack_stops_when_told(sqlite_template: Path, tmp_path: Path) -> None:
    constants = {"aiops.http_server.REST_SECONDS_MAX": 1}
    with running_edge(tmp_path, sqlite_template, constants) as edge, raw_callers(edge.server, 4) as callers:
        assert edge.serves()
        callers[0].send(PARTIAL)
        callers[1].send(b"garbage\r\n\r\n").answer()
        callers[2].send(post(IMAGE, b"{")[:-1]).answer()
        callers[3].send(head("POST", IMAGE, *JSON_OF, key=edge.key))
        assert edge.serves()
        (process,) = edge.server.processes
        process.terminate()
        assert_refused(callers[3].answer(), BUSY, "server_busy", 503)
        assert process.wait(30) in (0, -15)
        edge.server.processes.remove(process)
    assert "Traceback" not in edge.server.log
    assert "library_error" not in edge.server.log


async def test_a_server_beside_other_work_that_fails_is_in_the_log_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logged: list[str] = []

    async def fail(*_: object, **__: object) -> None:
        raise OSError("It is broken.")

    async def is_logged() -> bool:
        logged.append(capsys.readouterr().err)
        return "server_failed" in logged[-1]

    monkeypatch.setattr(http_server.ServerBeside, "startup", fail)
    configure_logs("json")
    server = http_server.ServerBeside(http_server.server_config(None, stop_seconds=1, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(OSError, match="It is broken"):
        async with server.serving(listener):
            await until(is_logged, seconds=5)
    assert "server_failed" in logged[-1]
