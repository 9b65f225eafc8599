"""How a run ends where it does not end well: which of Make's errors it is, what it says, what it cost."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from aiops_connect.platforms.make.runner import InstantClock, MakeError
from tests.connectors.platforms.make.rendered import MakeAccount, ours
from tests.connectors.platforms.make.runner.service import Answer, Service
from tests.fixtures.media import wav
from tests.fixtures.server import StubServer

RECORDING = wav(8000, 1, bytes(8000))
NewAccount = Callable[..., MakeAccount]


def error_of(account: MakeAccount, module: str, **parameters: object) -> MakeError:
    with pytest.raises(MakeError) as caught:
        account.run(module, parameters=parameters)
    return caught.value


@pytest.mark.parametrize(
    ("status", "type_", "more"),
    [
        (400, "DataError", ""),
        (401, "InvalidAccessTokenError", " Check the connection."),
        (402, "DataError", " Top up, then resume the run."),
        (403, "RuntimeError", ""),
        (404, "DataError", ""),
        (405, "RuntimeError", ""),
        (409, "DataError", ""),
        (413, "DataError", ""),
        (415, "DataError", ""),
        (422, "DataError", ""),
        (429, "RateLimitError", " Try again in 30 seconds."),
        (500, "RuntimeError", ""),
        (501, "ConnectionError", ""),
        (502, "ConnectionError", ""),
        (503, "ConnectionError", " Try again in 30 seconds."),
        (504, "ConnectionError", ""),
    ],
)
def test_each_status_has_its_type_and_message(service: Service, status: int, type_: str, more: str) -> None:
    headers = {"Retry-After": "30", "X-Request-Id": "req_1"}
    service.will_answer(Answer("GET /api/account", {"error": "It went wrong", "code": "wrong"}, status, headers))
    error = error_of(MakeAccount(service.url, "aiops_sk_test"), "getAccount")
    assert error.type == type_
    assert error.message == f"[{status}] It went wrong (wrong).{more} Request ID: req_1."


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[1]", b'{"error": null}'])
def test_an_answer_that_says_nothing_has_a_message_all_the_same(service: Service, body: bytes) -> None:
    service.will_answer(Answer("GET /api/account", body, 502))
    error = error_of(MakeAccount(service.url, "aiops_sk_test"), "getAccount")
    assert error.message == "[502] The API answered with an error."


def test_a_wrong_key_is_told_when_connecting(aiops_server: StubServer) -> None:
    with pytest.raises(MakeError) as caught:
        MakeAccount(aiops_server.url, "aiops_sk_wrong").run("connection:apiKey")
    assert caught.value.type == "InvalidAccessTokenError"
    assert "unauthorized" in caught.value.message


def test_too_few_credits_keep_the_run(new_account: NewAccount) -> None:
    error = error_of(new_account("free", credits=1), "generateImage", prompt="a lighthouse")
    assert error.type == "DataError"
    assert error.message.startswith("[402] Insufficient credits (insufficient_credits). Top up")


def test_what_is_not_there_and_what_is_not_valid(account: MakeAccount) -> None:
    missing = error_of(account, "getJob", job_id="../account")
    assert (missing.type, missing.message[:5]) == ("DataError", "[404]")
    invalid = error_of(account, "transcribeAudio", audio_url="http://127.0.0.1:9/private.mp3")
    assert (invalid.type, invalid.message[:5]) == ("DataError", "[422]")
    assert "audio_url: " in invalid.message


def test_the_inputs_that_are_wrong_are_named(service: Service) -> None:
    details = [{"field": f"field_{number}", "message": f"Wrong for reason {number}"} for number in range(1, 5)]
    body = {"error": "Invalid input", "code": "invalid_input", "details": details}
    service.will_answer(Answer("POST /api/services/image_gen", body, 422))
    error = error_of(MakeAccount(service.url, "aiops_sk_test"), "generateImage", prompt="a lighthouse")
    assert error.message == (
        "[422] Invalid input (invalid_input). field_1: Wrong for reason 1. field_2: Wrong for reason 2. "
        "field_3: Wrong for reason 3."
    )


def test_too_many_calls_are_tried_again_later(new_account: NewAccount) -> None:
    account = new_account("free", credits=100)
    parameters = {"text": "once more", "wait_for_completion": False}
    with pytest.raises(MakeError) as caught:
        [account.run("generateSpeech", parameters=parameters) for _ in range(21)]  # ten in each of two minutes
    assert caught.value.type == "RateLimitError"
    assert " Try again in " in caught.value.message


def test_a_job_that_does_not_end_is_left_with_its_name(account: MakeAccount, aiops_server: StubServer) -> None:
    with aiops_server.hold():
        error = error_of(account, "generateImage", prompt="slow")
        assert error.type == "DataError"
        assert "The job job_" in error.message
        assert "has not ended within 270 seconds" in error.message
        job = error.message.split()[2]
        assert len(account.trace.exchanges) <= 91
        assert sum(account.clock.waits) <= 270
        account.run("cancelJob", parameters={"job_id": job})


class Cancelling(InstantClock):
    """Somebody cancels all jobs of an account while Make waits for the third time."""

    account: MakeAccount

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        if len(self.waits) == 3:
            with httpx.Client(
                base_url=self.account.base_url, headers={"Authorization": f"Bearer {self.account.key}"}
            ) as client:
                for job in client.get("/api/jobs").json()["data"]:
                    client.post(f"/api/jobs/{job['id']}/cancel").raise_for_status()


def test_a_cancelled_job_tells_what_was_refunded(account: MakeAccount, aiops_server: StubServer) -> None:
    account.clock = clock = Cancelling()
    clock.account = account
    with aiops_server.hold():
        error = error_of(account, "generateImage", prompt="slow")
    assert error.type == "DataError"
    assert error.message.startswith("The job job_")
    assert error.message.endswith(" was cancelled. Refunded: 5 credits.")


JOB = {"id": "job_1", "service": "generate_image", "reason": None, "credits_refunded": 0, "result": None}


def test_a_queued_job_runs_and_fails(service: Service) -> None:
    failed = {**JOB, "status": "failed", "reason": "The provider is on fire", "credits_refunded": 5}
    service.will_answer(
        Answer("POST /api/services/image_gen", {**JOB, "status": "queued"}, 202),
        Answer("GET /api/jobs/job_1", {**JOB, "status": "running"}),
        Answer("GET /api/jobs/job_1", failed),
    )
    account = MakeAccount(service.url, "aiops_sk_test")
    error = error_of(account, "generateImage", prompt="fire")
    assert error.type == "DataError"
    assert error.message == "The job job_1 failed: The provider is on fire. Refunded: 5 credits."
    assert account.clock.waits == [3]


def test_the_same_execution_is_not_charged_twice(account: MakeAccount) -> None:
    once, again, other = (
        account.run("generateSpeech", name, parameters={"text": "Pay once."}).bundles for name in ("a", "a", "b")
    )
    jobs = [bundle["job_id"] for [bundle] in (once, again, other)]
    assert jobs[0] == jobs[1] != jobs[2]
    assert account.output("getAccount")["credits"] == 5000 - 2 * 2


def test_the_same_file_in_the_same_execution_is_charged_once(account: MakeAccount) -> None:
    """Make repeats the module whole, so that the file is uploaded twice."""
    parameters = {"audio_url_source": "file", "audio_url_file_name": "call.wav", "audio_url_data": RECORDING}
    once, again = [account.run("transcribeAudio", "a", parameters=parameters).bundles for _ in range(2)]
    assert once == again
    assert once[0]["credits_charged"] == 3
    assert account.output("getAccount")["credits"] == 5000 - 3


def test_the_key_of_the_caller_is_sent_as_it_is(account: MakeAccount) -> None:
    for execution in ("a", "b"):
        parameters = {"text": "Pay once.", "idempotency_key": "order-1"}
        account.run("generateSpeech", execution, parameters=parameters)
    assert account.output("getAccount")["credits"] == 5000 - 2


HOSTILE_PATHS = [
    "https://evil.example/steal",
    "//evil.example/steal",
    "/\\evil.example",
    "@evil.example/",
    "/..//evil.example",
    ":80@evil.example/",
    "/{{connection.apiKey}}",
    ".evil.example/",
]


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_no_path_of_the_universal_module_leaves_the_host(account: MakeAccount, path: str) -> None:
    """Make refuses those that do not begin with a slash; here even they are tried."""
    with suppress(MakeError):
        account.run("makeApiCall", parameters={"url": path if path.startswith("/") else f"/{path}"})
    [exchange] = account.trace.exchanges
    assert httpx.URL(exchange.request["url"]).host == httpx.URL(account.base_url).host


def test_the_pattern_of_the_universal_module_wants_a_slash() -> None:
    [url] = [one for one in ours()[universal("mappable-params")] if one["name"] == "url"]
    assert url["validate"] == {"pattern": "^/"}
    assert ours()[universal("communication")]["url"] == "/{{parameters.url}}"


def universal(code: str) -> str:
    return Path("modules", "make-api-call", f"make-api-call.{code}.iml.json").as_posix()


def test_any_call_can_be_made(account: MakeAccount) -> None:
    output = account.output(
        "makeApiCall",
        url="/api/services/tts",
        method="POST",
        headers=[{"key": "Content-Type", "value": "application/json"}, {"key": "Prefer", "value": "respond-async"}],
        body='{"text": "by hand"}',
    )
    assert output["statusCode"] == 202
    assert output["body"]["status"] == "queued"
    listed = account.output("makeApiCall", url="/api/jobs", qs=[{"key": "limit", "value": "1"}])
    assert len(listed["body"]["data"]) == 1
