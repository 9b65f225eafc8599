"""Every status that a job can have, when a run goes on and in the editor; and an API that answers at once."""

import asyncio
import json
from typing import Any

import pytest

from aiops_connect.loading import load
from tests.connectors.platforms.zapier.app_in_core import Outcome
from tests.connectors.platforms.zapier.conftest import PERFORM, RESUME
from tests.connectors.platforms.zapier.test_documents import OURS
from tests.connectors.platforms.zapier.test_errors import IMAGE, answer, answered

STEP = "generate_image"
LINK = "https://files.example/a.png"
DONE = {"image_url": LINK, "success": True}
OPEN = ("JobStillOpen", "The job goes on; look it up by its id before you replay this run.")
FAILED = ("HaltedError", "The job failed: It broke. 5 credits were refunded.")
CANCELLED = ("HaltedError", "The job was cancelled. 5 credits were refunded.")
EXPECTED: dict[str, Any] = {
    "queued": OPEN,
    "running": OPEN,
    "succeeded": LINK,
    "failed": FAILED,
    "cancelled": CANCELLED,
    "a status of next year": OPEN,
}


def job(status: str) -> dict[str, Any]:
    ended: dict[str, dict[str, Any]] = {
        "succeeded": {"result": DONE, "credits_charged": 5, "model": "m", "provider": "p"},
        "failed": {"reason": "It broke.", "credits_refunded": 5},
        "cancelled": {"credits_refunded": 5},
    }
    return {"id": "job_1", "status": status, "result": None, "reason": None, **ended.get(status, {})}


def told(found: Outcome) -> Any:
    """The link, or the error and what it says."""
    if found.status == "SUCCESS":
        assert found.results["image"].startswith("hydrate|||")
        return found.results["image_url"]
    return (found.told["code"], found.told["message"]) if found.error == "AppError" else (found.error, found.message)


async def resumed(status: str) -> Any:
    async with answered(answer(200, job(status))) as (app, _):
        found = await app.run(RESUME.format(STEP), IMAGE, outputData=job("queued"), cleanedRequest={}, rawRequest={})
        return told(found)


async def test_each_status_means_something_when_a_run_goes_on() -> None:
    """Also one that nobody knows yet: it is no reason to say that the job has ended."""
    document: Any = load(OURS)
    known = [one["const"] for one in document["components"]["schemas"]["JobStatus"]["oneOf"]]
    assert [*known, "a status of next year"] == list(EXPECTED)
    found = await asyncio.gather(*(resumed(status) for status in EXPECTED))
    assert dict(zip(EXPECTED, found, strict=True)) == EXPECTED


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
async def test_each_end_means_the_same_in_the_editor(status: str) -> None:
    """There the API is not asked to call back."""
    async with answered(answer(202, job("queued")), answer(200, job(status))) as (app, api):
        found = await app.run(PERFORM.format(STEP), IMAGE, meta={"isLoadingSample": True})
        assert told(found) == EXPECTED[status]
        assert json.loads(api.bodies[0]) == IMAGE
        assert len(api.requests) == 2


async def test_a_live_run_sends_what_was_entered_and_where_to_call_back() -> None:
    """Once, and nothing that was left empty."""
    url = "https://hooks.example/1"
    async with answered(answer(202, job("queued"))) as (app, api):
        found = await app.run(PERFORM.format(STEP), {**IMAGE, "style": "", "model": None}, callback_url=url)
        assert found.status == "CALLBACK"
        [body] = api.bodies
        assert json.loads(body) == {**IMAGE, "callback_url": url}


@pytest.mark.parametrize("inputs", [{"prompt": ""}, {"prompt": "x" * 2001}])
async def test_nothing_is_sent_of_what_cannot_be_right(inputs: dict[str, Any]) -> None:
    async with answered(answer(202, job("queued"))) as (app, api):
        found = await app.run(PERFORM.format(STEP), inputs, callback_url="https://hooks.example/1")
        assert found.error == "HaltedError"
        assert api.requests == []


async def test_an_answer_that_came_at_once_is_the_result() -> None:
    """As the API gives it to a repeat; the Zap has been told to wait by then, and goes on when it is called back."""
    async with answered(answer(200, {**DONE, "job_id": "job_1"})) as (app, _):
        found = await app.run(PERFORM.format(STEP), IMAGE, callback_url="https://hooks.example/1")
        assert found.status == "CALLBACK"
        again = await app.run(RESUME.format(STEP), IMAGE, outputData=found.results, cleanedRequest={}, rawRequest={})
        assert told(again) == LINK
        shown = await app.run(PERFORM.format(STEP), IMAGE, meta={"isLoadingSample": True})
        assert told(shown) == LINK
