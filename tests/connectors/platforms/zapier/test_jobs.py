"""The three services as steps: charged once, waited for without holding the Zap, and right about how they ended."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from tests.connectors.platforms.zapier.conftest import CREDITS, PERFORM, Zap
from tests.fixtures.media import wav
from tests.fixtures.providers import png
from tests.fixtures.web import ok, serving

IMAGE = {"prompt": "A lighthouse", "aspect_ratio": "16:9"}
SPEECH = {"text": "Hello {{bundle.inputData.name}} and {{process.env.HOME}}", "voice": "en-Emily_woman"}
EDITOR = {"isLoadingSample": True}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("step", "inputs", "cost"), [("generate_image", IMAGE, 5), ("generate_speech", SPEECH, 2)])
async def test_a_run_waits_for_its_callback_and_answers_with_the_result(
    zap: Zap, step: str, inputs: dict[str, Any], cost: int
) -> None:
    """Curlies that a person writes are text like any other."""
    found = await zap.whole(step, inputs)
    assert (found.status, found.error) == ("SUCCESS", ""), found
    assert found.results["credits_charged"] == cost
    assert found.results["job_id"].startswith("job_")
    assert found.results["success"] is True
    assert await zap.charges() == [-cost]


async def test_a_file_of_an_earlier_step_is_transcribed(zap: Zap) -> None:
    spoken = await zap.whole("generate_speech", SPEECH)
    found = await zap.whole("transcribe_audio", {"audio_url": spoken.results["audio_url"]}, run="2")
    assert found.results["text"] == "what was said"


async def test_a_live_run_is_one_fast_call(zap: Zap) -> None:
    with zap.server.hold():
        before = time.monotonic()
        accepted = await zap.live("generate_image", IMAGE)
        assert time.monotonic() - before < 10
        assert accepted.status == "CALLBACK"
        assert accepted.results["status"] in ("queued", "running")
    assert (await zap.called_back())["data"]["id"] == accepted.results["id"]


async def test_inputs_left_empty_are_not_sent(zap: Zap) -> None:
    """The API refuses null and empty texts."""
    empty = {"prompt": "A lighthouse", "aspect_ratio": "", "style": None, "model": "  ", "deduplication_key": ""}
    assert (await zap.whole("generate_image", empty)).status == "SUCCESS"


@pytest.mark.parametrize(
    ("step", "inputs", "said"),
    [
        ("generate_image", {"prompt": ""}, "Prompt is needed."),
        ("generate_image", {"prompt": "x" * 2001}, "Prompt can have at most 2000 characters, and has 2001."),
        ("generate_speech", {"text": "é" * 501}, "Text can have at most 500 characters, and has 501."),
    ],
)
async def test_what_cannot_be_right_is_told_before_anything_is_sent(
    zap: Zap, step: str, inputs: dict[str, Any], said: str
) -> None:
    found = await zap.live(step, inputs)
    assert (found.error, found.message) == ("HaltedError", said)
    assert await zap.charges() == []


# Runs that are repeated


async def test_a_rerun_of_the_same_run_is_charged_once(zap: Zap) -> None:
    first = await zap.whole("generate_image", IMAGE)
    again = await zap.live("generate_image", IMAGE)
    assert again.status == "CALLBACK"
    resumed = await zap.resume("generate_image", again, await zap.called_back(), IMAGE)
    assert resumed.results["job_id"] == first.results["job_id"]
    assert await zap.charges() == [-5]
    assert await zap.credits() == CREDITS - 5


async def test_two_runs_of_equal_input_are_two_jobs(zap: Zap) -> None:
    first, second = [await zap.whole("generate_image", IMAGE, run) for run in ("1", "2")]
    assert first.results["job_id"] != second.results["job_id"]
    assert await zap.charges() == [-5, -5]


async def test_what_the_person_names_as_the_same_is_charged_once(zap: Zap) -> None:
    inputs = {**IMAGE, "deduplication_key": "order-1042"}
    first, second = [await zap.whole("generate_image", inputs, run) for run in ("1", "2")]
    assert first.results["job_id"] == second.results["job_id"]
    assert await zap.charges() == [-5]


async def test_steps_of_one_zap_take_the_same_key(zap: Zap) -> None:
    """The ID of what triggered the Zap is the same in each of its steps."""
    named = {"deduplication_key": "row-42"}
    for step, inputs in (("generate_image", IMAGE), ("generate_speech", SPEECH)):
        first, again = [await zap.whole(step, inputs | named, f"{step}-{run}") for run in (1, 2)]
        assert first.status == "SUCCESS", first
        assert again.results["job_id"] == first.results["job_id"]
    assert sorted(await zap.charges()) == [-5, -2]


@pytest.mark.parametrize("name", ["Order – 42", "Müller 42", "x" * 300, "a\r\nb", 42])
async def test_any_text_names_a_piece_of_work(zap: Zap, name: str | int) -> None:
    inputs = {**IMAGE, "deduplication_key": name}
    first, second = [await zap.whole("generate_image", inputs, run) for run in ("1", "2")]
    assert first.status == "SUCCESS", first
    assert first.results["job_id"] == second.results["job_id"]
    assert await zap.charges() == [-5]


@pytest.mark.parametrize("name", ["", "  ", None, []])
async def test_a_name_that_is_empty_is_none(zap: Zap, name: Any) -> None:
    inputs = {**IMAGE, "deduplication_key": name}
    first, second = [await zap.whole("generate_image", inputs, run) for run in ("1", "2")]
    assert first.results["job_id"] != second.results["job_id"]


# Callbacks that are not what they seem


async def test_a_forged_callback_does_not_end_a_job(zap: Zap) -> None:
    """It claims success while the job goes on: nothing comes of it, neither a result nor a second charge."""
    with zap.server.hold():
        accepted = await zap.live("generate_image", IMAGE)
        claim = {**accepted.results, "status": "succeeded", "result": {"image_url": "https://evil.example/x.png"}}
        forged = await zap.resume("generate_image", accepted, {"type": "job.succeeded", "data": claim}, IMAGE)
    assert forged.error == "AppError"
    assert forged.told["code"] == "JobStillOpen"


async def test_a_callback_of_another_job_changes_nothing(zap: Zap) -> None:
    accepted = await zap.live("generate_image", IMAGE)
    other = {"type": "job.failed", "data": {"id": "job_of_another", "status": "failed", "reason": "Forged."}}
    found = await zap.resume("generate_image", accepted, other, IMAGE)
    assert found.status == "SUCCESS", found
    assert found.results["job_id"] == accepted.results["id"]


async def test_a_callback_that_comes_late_or_twice_gives_the_same(lone_zap: Zap) -> None:
    zap = lone_zap
    accepted = await zap.live("generate_image", IMAGE)
    told = await zap.called_back()
    first = await zap.resume("generate_image", accepted, told, IMAGE)
    zap.server.advance(3600)
    late = await zap.resume("generate_image", accepted, told, IMAGE)
    assert late.results["job_id"] == first.results["job_id"]
    assert zap.server.calls == 1
    assert await zap.charges() == [-5]


@pytest.mark.parametrize("at_the_top", [True, False])
async def test_a_finished_job_is_not_lost_where_the_api_is_out_of_reach(lone_zap: Zap, at_the_top: bool) -> None:
    """The callback counts then, if it is of this job, wherever Zapier puts its body."""
    zap = lone_zap
    accepted = await zap.live("generate_image", IMAGE)
    told = await zap.called_back()
    zap.server.vanish()
    shown = told if at_the_top else {"method": "POST", "headers": {}, "content": told}
    found = await zap.resume("generate_image", accepted, shown, IMAGE)
    assert found.results["job_id"] == accepted.results["id"]
    other = {"type": told["type"], "data": {**told["data"], "id": "job_of_another"}}
    refused = await zap.resume("generate_image", accepted, other, IMAGE)
    assert refused.error == "AppError"


# Jobs without a result


async def test_a_failed_job_stops_the_run_and_says_what_came_back(failing_zap: Zap) -> None:
    found = await failing_zap.whole("generate_image", IMAGE)
    assert found.error == "HaltedError"
    assert found.message.startswith("The job failed: ")
    assert found.message.endswith(". 5 credits were refunded.")
    assert await failing_zap.credits() == CREDITS


async def test_a_cancelled_job_stops_the_run(zap: Zap) -> None:
    with zap.server.hold():
        accepted = await zap.live("generate_image", IMAGE)
        cancelled = await zap.app.run(PERFORM.format("cancel_job"), {"job_id": accepted.results["id"]})
        assert cancelled.results["status"] == "cancelled"
    found = await zap.resume("generate_image", accepted, await zap.called_back(), IMAGE)
    assert found.error == "HaltedError"
    assert found.message.startswith("The job was cancelled")
    assert found.message.endswith("5 credits were refunded.")
    assert await zap.credits() == CREDITS


# The editor


async def test_the_editor_waits_a_little_and_shows_the_result(zap: Zap) -> None:
    found = await zap.app.run(PERFORM.format("generate_image"), IMAGE, meta=EDITOR)
    assert (found.status, found.results["credits_charged"]) == ("SUCCESS", 5)
    assert found.results["image"].startswith("hydrate|||")


async def test_tests_in_the_editor_within_a_minute_are_charged_once(zap: Zap) -> None:
    while time.time() % 60 > 45:  # noqa: ASYNC110 - the app goes by the clock of this machine
        await asyncio.sleep(1)
    tests = [await zap.app.run(PERFORM.format("generate_image"), IMAGE, meta=EDITOR) for _ in range(3)]
    assert len({test.results["job_id"] for test in tests}) == 1
    assert await zap.charges() == [-5]


async def test_a_named_piece_of_work_can_be_tried_with_one_input_after_another(zap: Zap) -> None:
    """The key is the ID of the record that the editor has, which stays while somebody works on the prompt."""
    named = {"deduplication_key": "row-42"}
    first, again, other = [
        await zap.app.run(PERFORM.format("generate_image"), {"prompt": prompt} | named, meta=EDITOR)
        for prompt in ("A lighthouse", "A lighthouse", "A lighthouse at dusk")
    ]
    live = await zap.whole("generate_image", {"prompt": "A lighthouse by night"} | named)
    jobs = [one.results["job_id"] if one.results else one.message for one in (first, again, other, live)]
    assert jobs[0] == jobs[1]
    assert len(set(jobs)) == 3
    assert await zap.charges() == [-5] * 3


async def test_a_test_with_the_sample_costs_nothing(zap: Zap) -> None:
    inputs = {**IMAGE, "test_with_sample": True}
    found = await zap.app.run(PERFORM.format("generate_image"), inputs, meta=EDITOR)
    definition = await zap.app.definition()
    assert found.results == definition["creates"]["generate_image"]["operation"]["sample"]
    assert await zap.charges() == []
    assert (await zap.whole("generate_image", inputs)).results["credits_charged"] == 5


# Files


async def test_a_file_is_fetched_when_a_later_step_wants_it(zap: Zap) -> None:
    """By a link that is made anew: the first one has expired by then."""
    found = await zap.whole("generate_image", IMAGE)
    hydration = _hydration(found.results["image"])
    hydration["bundle"]["url"] = hydration["bundle"]["url"].replace("signature=", "signature=expired")
    fetched = await zap.app.run(hydration["method"], hydration["bundle"])
    assert len(fetched.stashed) == 1, fetched
    [file] = fetched.stashed
    assert (file.media_type, file.content) == ("image/png", png())
    assert file.name.endswith(".png")


def _hydration(text: str) -> dict[str, Any]:
    opening, data, closing = text.split("|||")
    assert (opening, closing) == ("hydrate", "hydrate")
    assert len(data) < 12_000
    found: dict[str, Any] = json.loads(data)
    return found


async def test_a_file_of_another_host_is_uploaded_and_transcribed(zap: Zap) -> None:
    recording = wav(16_000, 1, bytes(32_000))
    async with serving(ok(recording, "Content-Type: audio/wav")) as host:
        uploaded = await zap.app.run(PERFORM.format("upload_file"), {"file": f"http://{host.authority}/speech.wav"})
        assert uploaded.status == "SUCCESS", uploaded
        assert b"authorization" not in host.requests[0].lower()
    operation = (await zap.app.definition())["creates"]["upload_file"]["operation"]
    assert operation["sample"].keys() == uploaded.results.keys()
    link = next(value for value in uploaded.results.values() if str(value).startswith("http"))
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(link)).content == recording
    found = await zap.whole("transcribe_audio", {"audio_url": link})
    assert found.results["text"] == "what was said"
