"""`error` and `valid`: which error the user gets, and what it says."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aiops_connect.platforms.make.runner import Limits, MakeError
from tests.connectors.platforms.make.runner.apps import one_module
from tests.connectors.platforms.make.runner.service import HOST, Answer, Service

FULL = {
    "message": "[{{statusCode}}] {{ifempty(body.error, 'Unknown error')}}",
    "type": "DataError",
    "401": {"message": "Bad key", "type": "InvalidAccessTokenError"},
    "402": {"message": "{{body.error}}: {{body.credits}} left"},
    "429": {"message": "Slow down for {{headers.`retry-after`}} s", "type": "RateLimitError"},
}
BODY = {"error": "No luck", "credits": 3}

# The `error` directive, status, body of the answer, and the error.
ERRORS: list[tuple[Any, int, Any, str]] = [
    (None, 400, BODY, "RuntimeError: [400] Bad Request"),
    (None, 404, BODY, "RuntimeError: [404] Not Found"),
    (None, 429, BODY, "RateLimitError: [429] Too Many Requests"),
    (None, 500, BODY, "ConnectionError: [500] Internal Server Error"),
    (None, 503, BODY, "ConnectionError: [503] Service Unavailable"),
    (None, 599, BODY, "ConnectionError: [599]"),
    ("{{body.error}}", 400, BODY, "RuntimeError: No luck"),
    ("{{body.error}}", 502, BODY, "ConnectionError: No luck"),
    ("{{body.error}}", 400, b"<html>", "RuntimeError: [400] Bad Request"),
    (FULL, 400, BODY, "DataError: [400] No luck"),
    (FULL, 401, BODY, "InvalidAccessTokenError: Bad key"),
    (FULL, 402, BODY, "RuntimeError: No luck: 3 left"),
    (FULL, 429, BODY, "RateLimitError: Slow down for 7 s"),
    (FULL, 500, b"not JSON", "DataError: [500] Unknown error"),
    (FULL, 500, b"", "DataError: [500] Unknown error"),
    (
        {"message": "m", "type": "{{if(statusCode = 409, 'DuplicateDataError', 'DataError')}}"},
        409,
        BODY,
        "DuplicateDataError: m",
    ),
    ({"message": "m", "500": {"message": "n", "type": "OutOfSpaceError"}}, 500, BODY, "OutOfSpaceError: n"),
    ({"message": "m", "type": "IncompleteDataError"}, 425, BODY, "IncompleteDataError: m"),
    ({"message": "m", "type": "InvalidConfigurationError"}, 403, BODY, "InvalidConfigurationError: m"),
    ("{{errorFactory('MaxFileSizeExceededError', 'Too large')}}", 413, BODY, "MaxFileSizeExceededError: Too large"),
]


@pytest.mark.parametrize(("error", "status", "body", "expected"), ERRORS, ids=[row[3][:50] for row in ERRORS])
def test_error_by_status(
    tmp_path: Path, service: Service, *, error: Any, status: int, body: Any, expected: str
) -> None:
    service.will_answer(Answer("GET /a", body, status, {"Retry-After": "7"}))
    response = {} if error is None else {"error": error}
    with pytest.raises(MakeError) as raised:
        one_module(tmp_path, {"url": f"{service.url}/a", "response": response}).run()
    assert (str(raised.value), raised.value.status) == (expected, status)


# `valid`, `error`, and the error of a 200 answer {"ok": false, "why": "because"}; None where it is valid.
VALID: list[tuple[Any, Any, str | None]] = [
    (True, None, None),
    ("{{body.why = 'because'}}", None, None),
    ("{{body.ok}}", None, "RuntimeError: Response marked as invalid."),
    ("{{body.ok}}", "{{body.why}}", "RuntimeError: because"),
    ("{{body.ok}}", {"message": "{{body.why}}", "type": "DataError"}, "DataError: because"),
    ("{{body.ok}}", {"message": "m", "200": {"message": "for 200", "type": "DataError"}}, "DataError: for 200"),
    ({"condition": "{{body.ok}}"}, "{{body.why}}", "RuntimeError: because"),
    ({"condition": "{{body.ok}}", "type": "DataError"}, "{{body.why}}", "DataError: because"),
    (
        {"condition": "{{body.ok}}", "message": "Own: {{body.why}}", "type": "DataError"},
        "other",
        "DataError: Own: because",
    ),
    ({"condition": "{{!body.ok}}", "message": "m"}, "other", None),
]


@pytest.mark.parametrize(("valid", "error", "expected"), VALID)
def test_valid(tmp_path: Path, service: Service, valid: Any, error: Any, expected: str | None) -> None:
    service.will_answer(Answer("GET /a", {"ok": False, "why": "because"}))
    response = {"valid": valid, **({} if error is None else {"error": error})}
    tried = one_module(tmp_path, {"url": f"{service.url}/a", "response": response})
    if expected is None:
        assert tried.run().bundles == [{"ok": False, "why": "because"}]
        return
    with pytest.raises(MakeError) as raised:
        tried.run()
    assert str(raised.value) == expected


def test_valid_works_without_a_request(tmp_path: Path) -> None:
    response = {"valid": {"condition": "{{temp.done}}", "message": "Job {{temp.id}} is not done", "type": "DataError"}}
    with pytest.raises(MakeError, match=r"^DataError: Job 7 is not done$"):
        one_module(tmp_path, [{"temp": {"id": 7}}, {"response": response}]).run()


def test_the_error_of_the_base_is_inherited_and_that_of_the_module_wins(tmp_path: Path, service: Service) -> None:
    service.will_answer(Answer("GET /a", BODY, 400), Answer("GET /a", BODY, 400))
    base = {"baseUrl": service.url, "response": {"error": "base: {{body.error}}"}}
    with pytest.raises(MakeError, match=r"^RuntimeError: base: No luck$"):
        one_module(tmp_path, {"url": "/a"}, base=base).run()
    with pytest.raises(MakeError, match=r"^RuntimeError: own$"):
        one_module(tmp_path, {"url": "/a", "response": {"error": "own"}}, base=base).run()


def test_an_error_type_that_make_does_not_have_is_told(tmp_path: Path, service: Service) -> None:
    service.will_answer(Answer("GET /a", BODY, 400))
    error = {"message": "m", "400": {"message": "m", "type": "DataEror"}}
    tried = one_module(tmp_path, {"url": f"{service.url}/a", "response": {"error": error}})
    with pytest.raises(MakeError):
        tried.run()
    (warning,) = tried.trace.warnings
    place = "modules/try/try.communication.iml.json: /response/error/400/type"
    assert warning.startswith(f"{place}: Make has no error type 'DataEror'; it has DataError, ")


def test_a_message_may_use_what_response_temp_took(tmp_path: Path, service: Service) -> None:
    service.will_answer(Answer("GET /a", BODY, 400))
    response = {"temp": {"left": "{{body.credits}}"}, "error": "{{temp.left}} left"}
    with pytest.raises(MakeError, match=r"^RuntimeError: 3 left$"):
        one_module(tmp_path, {"url": f"{service.url}/a", "response": response}).run()


def test_what_is_not_json_although_the_app_says_so(tmp_path: Path, service: Service) -> None:
    service.will_answer(Answer("GET /a", b"<html>", content_type="text/html"))
    tried = one_module(tmp_path, {"url": f"{service.url}/a", "response": {"type": "json"}})
    with pytest.raises(MakeError, match=r"^RuntimeError: The response is not valid JSON: Expecting value"):
        tried.run()
    assert tried.trace.exchanges[0].response is not None
    assert tried.trace.exchanges[0].response["body"] == "<html>"


class TestNoAnswer:
    def test_nobody_listens(self, tmp_path: Path) -> None:
        with socket.socket() as unused:
            unused.bind((HOST, 0))
            tried = one_module(tmp_path, {"url": f"http://{HOST}:{unused.getsockname()[1]}/a"})
            with pytest.raises(MakeError, match=r"^ConnectionError: The service cannot be reached:"):
                tried.run()
        assert tried.trace.exchanges[0].response is None
        assert tried.trace.exchanges[0].failure is not None

    @pytest.mark.parametrize("common", [None, {"timeout": 50}])
    def test_an_answer_that_takes_too_long(self, tmp_path: Path, common: Any) -> None:
        base = {"timeout": 50} if common is None else {}
        with socket.create_server((HOST, 0)) as silent:
            communication = {"url": f"http://{HOST}:{silent.getsockname()[1]}/a"}
            with pytest.raises(MakeError, match=r"^ModuleTimeoutError: The service did not answer within 0.05 s\.$"):
                one_module(tmp_path, communication, base=base, common=common).run()

    def test_an_answer_that_trickles(self, tmp_path: Path) -> None:
        """Each byte comes in time, the whole does not."""
        ended = threading.Event()

        def trickle(server: socket.socket) -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not ended.wait(0.02):
                    connection.sendall(b"x")

        with socket.create_server((HOST, 0)) as server:
            thread = threading.Thread(target=trickle, args=(server,))
            thread.start()
            communication = {"url": f"http://{HOST}:{server.getsockname()[1]}/a"}
            with pytest.raises(MakeError, match=r"^ModuleTimeoutError: "):
                one_module(tmp_path, communication, base={"timeout": 100}).run()
            ended.set()
            thread.join()

    def test_a_body_that_is_too_large(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(Answer("GET /a", b"x" * 1001))
        with pytest.raises(MakeError, match=r"^MaxFileSizeExceededError: The response is larger than 1000 bytes\.$"):
            one_module(tmp_path, {"url": f"{service.url}/a"}).run(limits=Limits(response_bytes=1000))

    def test_a_url_that_cannot_be_called(self, tmp_path: Path) -> None:
        with pytest.raises(MakeError, match=r"^RuntimeError: The URL 'http://:0:1' cannot be called"):
            one_module(tmp_path, {"url": "http://:0:1/"}).run()


class TestRedirects:
    def test_a_get_follows_and_a_post_too(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(
            Answer("GET /a", None, 302, {"Location": "/b"}), Answer("GET /b", {"ok": 1}),
            Answer("POST /a", None, 307, {"Location": "/b"}), Answer("POST /b", {"ok": 2}),
        )  # fmt: skip
        tried = one_module(tmp_path, {"url": f"{service.url}/a"})
        assert tried.run().bundles == [{"ok": 1}]
        assert tried.trace.exchanges[0].response is not None
        assert tried.trace.exchanges[0].response["redirects"] == [{"status": 302, "url": f"{service.url}/a"}]
        post = {"url": f"{service.url}/a", "method": "POST", "body": {"a": 1}}
        assert one_module(tmp_path, post).run().bundles == [{"ok": 2}]
        assert service.received[-1].json == {"a": 1}

    @pytest.mark.parametrize(("method", "directive"), [("GET", "followRedirects"), ("POST", "followAllRedirects")])
    def test_unless_told_otherwise(self, tmp_path: Path, service: Service, method: str, directive: str) -> None:
        service.will_answer(Answer(f"{method} /a", {}, 302, {"Location": "/b"}))
        communication = {
            "url": f"{service.url}/a", "method": method, "body": {}, directive: False,
            "response": {"output": {"to": "{{headers.location}}", "status": "{{statusCode}}"}},
        }  # fmt: skip
        assert one_module(tmp_path, communication).run().bundles == [{"to": "/b", "status": 302}]

    def test_not_for_ever(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(*(Answer("GET /a", None, 302, {"Location": "/a"}) for _ in range(22)))
        with pytest.raises(MakeError, match=r"^RuntimeError: The service redirects too often\.$"):
            one_module(tmp_path, {"url": f"{service.url}/a"}).run()
