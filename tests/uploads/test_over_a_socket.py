"""Uploads to a server process, by callers whom no HTTP library would send."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiops.contract.document import api_document
from tests.fixtures.contract import ContractCheck
from tests.fixtures.forms import CONTENT_TYPE, form, part
from tests.fixtures.media import wav
from tests.fixtures.raw import Answer, Edge, RawCaller, head, running_edge

PATH = "/api/files"
BODY = form(part(content=wav(16_000, 1, bytes(320_000))))
FILE_BYTES_MAX = 200 * 1024 * 1024
BOUNDS = {
    "aiops.uploads.receiving.PAUSE_SECONDS_MAX": 1,
    "aiops.uploads.receiving.UPLOAD_SECONDS_MAX": 2,
    "aiops.http_server.REST_SECONDS_MAX": 0.5,
}
CONTRACT = ContractCheck(api_document())


@pytest.fixture(scope="module")
def edge(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with running_edge(tmp_path_factory.mktemp("uploads"), sqlite_template, BOUNDS) as running:
        yield running


def begin(caller: RawCaller, edge: Edge, *headers: str, length: int = len(BODY), key: str | None = "") -> RawCaller:
    """Sends the head of an upload."""
    lines = (f"Content-Type: {CONTENT_TYPE}", f"Content-Length: {length}", *headers)
    return caller.send(head("POST", PATH, *lines, key=edge.key if key == "" else key))


def checked(answer: Answer) -> tuple[int, str]:
    """Status and code of an answer, which is in the document."""
    CONTRACT.check("POST", PATH, answer.status, answer.headers, answer.body)
    return answer.status, answer.json.get("code", "")


def on_the_way(edge: Edge) -> list[Path]:
    return list((edge.server.folder / "downloads").glob("*"))


def becomes_empty(edge: Edge, seconds: float = 20) -> bool:
    ends = time.monotonic() + seconds
    while on_the_way(edge) and time.monotonic() < ends:
        time.sleep(0.02)
    return on_the_way(edge) == []


def arrives(edge: Edge) -> None:
    """Waits until the server has begun to write an upload down."""
    ends = time.monotonic() + 20
    while not on_the_way(edge):
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.mark.parametrize("headers", [[], ["Expect: 100-continue"]], ids=["at once", "asked first"])
@pytest.mark.parametrize(
    ("key", "length", "expected"),
    [
        pytest.param(None, FILE_BYTES_MAX, (401, "unauthorized"), id="no key"),
        pytest.param("aiops_sk_wrong", len(BODY), (401, "unauthorized"), id="a wrong key"),
        pytest.param("", FILE_BYTES_MAX + 16_385, (413, "request_too_large"), id="too large"),
        pytest.param("", 10**18, (413, "request_too_large"), id="absurdly large"),
        pytest.param("", 10**30, (400, "malformed_request"), id="larger than a number"),
    ],
)
def test_what_is_refused_is_refused_unread(
    edge: Edge, headers: list[str], key: str | None, length: int, expected: tuple[int, str]
) -> None:
    """Not a byte of the body is sent, and none is asked for."""
    with edge.caller() as caller:
        answer = begin(caller, edge, *headers, length=length, key=key).answer()
        assert checked(answer) == expected
    assert on_the_way(edge) == []


def test_a_body_that_is_asked_for_is_taken(edge: Edge) -> None:
    with edge.caller() as caller:
        assert begin(caller, edge, "Expect: 100-continue").answer().status == 100
        assert checked(caller.send(BODY).answer())[0] == 201
        assert caller.send(head("GET", "/health")).answer().status == 200


def test_a_body_in_chunks_is_taken(edge: Edge) -> None:
    with edge.caller() as caller:
        caller.send(head("POST", PATH, f"Content-Type: {CONTENT_TYPE}", "Transfer-Encoding: chunked", key=edge.key))
        for start in range(0, len(BODY), 50_001):
            chunk = BODY[start : start + 50_001]
            caller.send(b"%x\r\n" % len(chunk) + chunk + b"\r\n")
        assert checked(caller.send(b"0\r\n\r\n").answer())[0] == 201


@pytest.mark.parametrize("sent", [0, 60, 10_000], ids=["nothing", "half of the headers", "half of the file"])
def test_who_pauses_for_too_long_is_refused(edge: Edge, sent: int) -> None:
    with edge.caller() as caller:
        began = time.monotonic()
        assert checked(begin(caller, edge).send(BODY[:sent]).answer()) == (400, "malformed_request")
        assert 0.9 < time.monotonic() - began < 20
    assert becomes_empty(edge)


def test_who_sends_byte_by_byte_is_refused(edge: Edge) -> None:
    with edge.caller() as caller:
        assert begin(caller, edge).drip(BODY[:1000]) < 1000
    assert becomes_empty(edge)


@pytest.mark.parametrize("sent", [60, 100_000, len(BODY) - 10])
def test_who_breaks_off_leaves_nothing(edge: Edge, sent: int) -> None:
    with edge.caller() as caller:
        begin(caller, edge).send(BODY[:sent])
        arrives(edge)
    assert becomes_empty(edge)
    assert edge.serves()


def test_a_body_that_turns_out_too_large_is_cut_off(edge: Edge) -> None:
    """It was announced as small as can be: not at all."""
    with edge.caller() as caller:
        caller.send(head("POST", PATH, f"Content-Type: {CONTENT_TYPE}", "Transfer-Encoding: chunked", key=edge.key))
        caller.send(b"%x\r\n" % 1000 + b"--another" + b"x" * 991 + b"\r\n")
        caller.send(b"0\r\n\r\n")
        assert checked(caller.answer()) == (400, "malformed_request")
        assert caller.send(head("GET", "/health")).answer().status == 200


def test_a_server_that_stops_waits_for_no_upload(sqlite_template: Path, tmp_path: Path) -> None:
    with running_edge(tmp_path, sqlite_template, {}) as edge, edge.caller() as caller:
        begin(caller, edge).send(BODY[:100_000])
        arrives(edge)
        (process,) = edge.server.processes
        process.send_signal(signal.SIGTERM)
        assert checked(caller.answer()) == (503, "server_busy")
        process.wait(timeout=20)
        assert on_the_way(edge) == []
