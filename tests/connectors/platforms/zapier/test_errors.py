"""What each answer of an API means for a Zap: stopped, tried again later, connected anew."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.connectors.platforms.zapier.app_in_core import APP, App, Outcome, running_app
from tests.connectors.platforms.zapier.conftest import PERFORM, RESUME, Zap
from tests.fixtures.web import Answer, WebServer, redirect, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY = "aiops_sk_0123456789abcdef"
IMAGE = {"prompt": "A lighthouse"}


@asynccontextmanager
async def answered(*answers: bytes | Answer) -> AsyncIterator[tuple[App, WebServer]]:
    """An API that answers what a test wants."""
    async with (
        serving(*answers) as api,
        running_app(APP, {"api_key": KEY}, AIOPS_BASE_URL=f"http://{api.authority}") as app,
    ):
        yield app, api


def answer(status: int, body: Any, *headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/html" if isinstance(body, bytes) else "application/json"
    head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(content)}", f"Content-Type: {kind}", "Connection: close"]
    head += headers
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


async def perform(*answers: bytes | Answer) -> Outcome:
    async with answered(*answers) as (app, _):
        return await app.run(PERFORM.format("generate_image"), IMAGE, callback_url="https://hooks.example/1")


def said(error: str, code: str, **more: Any) -> dict[str, Any]:
    return {"error": error, "code": code, **more}


DETAILS = [{"field": "prompt", "message": "It is too long."}]
IN_20_SECONDS = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (400, said("Not JSON", "malformed_request"), "HaltedError", "Not JSON."),
        (401, said("The key is revoked", "unauthorized"), "ExpiredAuthError", "The key is revoked."),
        (
            402,
            said("Insufficient credits", "insufficient_credits", credits=1, cost=5),
            "HaltedError",
            "Insufficient credits. Credits: 1, cost: 5. Top up at https://aiops.example and replay the run.",
        ),
        (404, said("There is no such thing", "not_found"), "HaltedError", "There is no such thing."),
        (405, said("Wrong method", "method_not_allowed"), "HaltedError", "Wrong method."),
        (409, said("Cancelled meanwhile", "job_cancelled"), "HaltedError", "Cancelled meanwhile."),
        (413, said("Too large", "request_too_large"), "HaltedError", "Too large."),
        (415, said("Not JSON", "unsupported_media_type"), "HaltedError", "Not JSON."),
        (
            422,
            said("Invalid input", "invalid_input", details=DETAILS),
            "HaltedError",
            "Invalid input. prompt: It is too long.",
        ),
        (
            422,
            said("Cannot be processed", "unprocessable", reason="A dead link.", refunded=True),
            "HaltedError",
            "Cannot be processed. A dead link. The credits were refunded.",
        ),
        (418, b"<html>teapot</html>", "HaltedError", "aiops answered with status 418."),
    ],
)
async def test_what_no_repeat_would_change_stops_the_run(status: int, body: Any, error: str, message: str) -> None:
    found = await perform(answer(status, body))
    assert (found.error, found.message) == (error, message)


async def test_a_call_that_costs_nothing_gives_no_credits_back() -> None:
    async with answered(answer(409, said("Not now", "busy", refunded=True))) as (app, _):
        found = await app.run("searches.find_account.operation.perform")
    assert (found.error, found.message) == ("HaltedError", "Not now.")


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (
            500,
            said("Generation failed", "generation_failed", reason="It broke.", refunded=True),
            "Generation failed. It broke. The credits were refunded.",
        ),
        (520, b"<html><h1>Something is wrong</h1></html>", "aiops answered with status 520."),
        (503, said("Nothing serves this model", "model_unavailable"), "Nothing serves this model."),
    ],
)
async def test_what_a_repeat_may_change_is_left_to_be_replayed(status: int, body: Any, message: str) -> None:
    found = await perform(answer(status, body))
    assert found.error == "AppError"
    assert found.told == {"message": message, "code": "ServerError", "status": status}


@pytest.mark.parametrize(
    ("header", "at_least", "at_most"),
    [(["Retry-After: 17"], 17, 17), ([f"Retry-After: {IN_20_SECONDS}"], 1, 20), (["Retry-After: 999999"], 3600, 3600)],
)
async def test_too_many_calls_are_tried_again_when_the_api_says(header: list[str], at_least: int, at_most: int) -> None:
    found = await perform(answer(429, said("Rate limit exceeded", "rate_limit_exceeded"), *header))
    assert found.error == "ThrottledError"
    assert found.told["message"] == "Rate limit exceeded."
    assert at_least <= found.told["delay"] <= at_most


@pytest.mark.parametrize("header", [[], ["Retry-After: soon"]])
async def test_too_many_calls_are_tried_again_where_the_api_does_not_say_when(header: list[str]) -> None:
    found = await perform(answer(429, said("Rate limit exceeded", "rate_limit_exceeded"), *header))
    assert found.error == "ThrottledError"
    assert found.told == {"message": "Rate limit exceeded."}


async def test_a_job_that_still_runs_under_the_key_is_asked_for_again_later() -> None:
    found = await perform(answer(409, said("The job goes on", "job_running"), "Retry-After: 5"))
    assert (found.error, found.told["delay"]) == ("ThrottledError", 5)


BUSY = answer(429, said("Rate limit exceeded", "rate_limit_exceeded"), "Retry-After: 30")
AWAY = answer(503, said("Nothing is there", "database_unavailable"))
ACCEPTED = {"id": "job_1", "status": "queued"}
DONE = {"id": "job_1", "status": "succeeded", "result": {"image_url": "https://a.example/a.png"}, "credits_charged": 5}


async def resume(job: dict[str, Any], *answers: bytes | Answer) -> Outcome:
    told = {"type": f"job.{job['status']}", "data": job, "querystring": {}}
    async with answered(*answers) as (app, _):
        return await app.run(RESUME.format("generate_image"), IMAGE, outputData=ACCEPTED, cleanedRequest=told)


@pytest.mark.parametrize(
    "answers",
    [[BUSY], [AWAY], [answer(409, said("Come back", "busy"), "Retry-After: 5")], [answer(200, ACCEPTED), BUSY]],
    ids=["429", "503", "Retry-After", "429 on the second call"],
)
async def test_a_finished_job_is_not_lost_where_it_cannot_be_looked_up_just_now(answers: list[bytes]) -> None:
    found = await resume(DONE, *answers)
    assert (found.status, found.error) == ("SUCCESS", ""), found
    assert found.results["image_url"] == "https://a.example/a.png"
    assert found.results["credits_charged"] == 5


@pytest.mark.parametrize(
    ("told", "met", "error"),
    [
        ({**DONE, "id": "job_of_another"}, BUSY, "ThrottledError"),
        ({**DONE, "status": "running"}, BUSY, "ThrottledError"),
        (DONE, answer(401, said("The key is revoked", "unauthorized")), "ExpiredAuthError"),
        (DONE, answer(404, said("There is no such job", "not_found")), "HaltedError"),
    ],
)
async def test_a_callback_is_believed_of_this_job_alone_and_for_the_moment(
    told: dict[str, Any], met: bytes, error: str
) -> None:
    assert (await resume(told, met)).error == error


async def test_an_error_tells_neither_the_key_nor_what_was_entered() -> None:
    found = await perform(answer(400, said(f"The key {KEY} is wrong here", "malformed_request")))
    assert found.message == "The key … is wrong here."


@pytest.mark.parametrize("key", ["aiops_sk_0123…", "aiops_sk_\u200b0123456789", "aiops_sk_0123\n456789"])
async def test_a_key_that_no_header_can_carry_is_not_shown(key: str) -> None:
    """As it is where somebody copies one that is shown in part."""
    async with answered(answer(200, {})) as (app, api):
        app.auth = {"api_key": key}
        for method in ("authentication.test", PERFORM.format("generate_image")):
            found = await app.run(method, IMAGE, callback_url="https://hooks.example/1")
            said = 'API Key has a character that cannot be sent, such as "…". Enter it anew.'
            assert (found.error, found.message) == ("HaltedError", said)
        assert api.requests == []


async def test_a_line_break_after_a_key_does_no_harm() -> None:
    async with answered(answer(200, {"email": "ada@example.com"})) as (app, api):
        app.auth = {"api_key": f"{KEY}\n"}
        assert (await app.run("authentication.test")).status == "SUCCESS"
        assert f"Authorization: Bearer {KEY}\r\n".encode() in api.requests[0]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_redirect_takes_the_key_to_another_host(method: str) -> None:
    async with (
        serving(answer(200, {"id": "job_1"})) as other,
        answered(redirect(f"http://{other.authority}/elsewhere", 307)) as (app, api),
    ):
        if method == "GET":
            found = await app.run("searches.find_job.operation.perform", {"job_id": "job_1"})
            assert found.results[0]["id"] == "job_1"
            [request] = other.requests
            assert b"authorization" not in request.lower()
        else:
            found = await app.run(PERFORM.format("generate_image"), IMAGE, callback_url="https://hooks.example/1")
            assert found.error == "HaltedError"
            assert other.requests == []
        assert KEY.encode() in api.requests[0]


async def test_without_credits_nothing_is_done(poor_zap: Zap) -> None:
    found = await poor_zap.live("generate_image", IMAGE)
    assert found.error == "HaltedError"
    said = "Insufficient credits. Credits: 1, cost: 5. Top up at https://aiops.example and replay the run."
    assert found.message == said


async def test_a_key_that_is_revoked_asks_for_a_new_connection(zap: Zap) -> None:
    zap.app.auth = {"api_key": KEY}
    found = await zap.live("generate_image", IMAGE)
    assert found.error == "ExpiredAuthError"
    assert "What happened" not in found.message
