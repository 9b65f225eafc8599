"""What live steps answer, held against what Zapier looks for in the Zap history (checks T003 to T006 and Z001)."""

from collections.abc import Iterator
from typing import Any

import pytest

from aiops_connect.platforms.zapier.publishing.samples import contradictions, dates
from tests.connectors.platforms.zapier.conftest import PERFORM, Zap
from tests.connectors.platforms.zapier.test_triggers import deliver, subscribed
from tests.fixtures.media import wav
from tests.fixtures.web import ok, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
SPEECH = {"text": "Hello"}
Answer = dict[str, Any]


async def image(zap: Zap) -> Answer:
    return dict((await zap.whole("generate_image", {"prompt": "A lighthouse"})).results)


async def speech(zap: Zap) -> Answer:
    return dict((await zap.whole("generate_speech", SPEECH)).results)


async def transcript(zap: Zap) -> Answer:
    spoken = await speech(zap)
    return dict((await zap.whole("transcribe_audio", {"audio_url": spoken["audio_url"]}, "2")).results)


async def upload(zap: Zap) -> Answer:
    async with serving(ok(wav(16_000, 1, bytes(32_000)), "Content-Type: audio/wav")) as host:
        found = await zap.app.run(PERFORM.format("upload_file"), {"file": f"http://{host.authority}/speech.wav"})
        return dict(found.results)


async def cancelled(zap: Zap) -> Answer:
    """A job that has ended stays as it is: so the result is there, as it is in the sample."""
    spoken = await speech(zap)
    return dict((await zap.app.run(PERFORM.format("cancel_job"), {"job_id": spoken["job_id"]})).results)


async def job(zap: Zap) -> Answer:
    spoken = await speech(zap)
    found = await zap.app.run("searches.find_job.operation.perform", {"job_id": spoken["job_id"]})
    return dict(found.results[0])


async def account(zap: Zap) -> Answer:
    return dict((await zap.app.run("searches.find_account.operation.perform")).results[0])


async def finished(zap: Zap) -> Answer:
    return await _delivered(zap, "job_finished")


async def credits_low(zap: Zap) -> Answer:
    """The account starts with a fifth of what its plan grants a month, and spends of it."""
    return await _delivered(zap, "credits_low")


async def _delivered(zap: Zap, trigger: str) -> Answer:
    webhook = await subscribed(zap, trigger)
    await speech(zap)
    await zap.called_back("hook")
    found = await deliver(zap, webhook, zap.head("hook"), zap.content("hook"), {}, trigger=trigger)
    return dict(found.results[0])


STEPS = {
    "creates.generate_image": image,
    "creates.generate_speech": speech,
    "creates.transcribe_audio": transcript,
    "creates.upload_file": upload,
    "creates.cancel_job": cancelled,
    "searches.find_job": job,
    "searches.find_account": account,
    "triggers.job_finished": finished,
    "triggers.credits_low": credits_low,
}


async def test_every_visible_step_is_here(zap: Zap) -> None:
    definition = await zap.app.definition()
    shown = {
        f"{kind}.{key}"
        for kind in ("creates", "searches", "triggers")
        for key, step in definition[kind].items()
        if not step["display"].get("hidden")
    }
    assert shown == STEPS.keys()


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_answers_what_it_shows_beforehand(zap: Zap, step: str) -> None:
    answer = await STEPS[step](zap)
    kind, key = step.split(".")
    operation = (await zap.app.definition())[kind][key]["operation"]
    outputs = {field["key"]: field for field in operation["outputFields"]}
    assert set(members(operation["sample"])) <= set(members(answer))
    assert list(contradictions(outputs, answer)) == []
    assert list(dates(answer)) == []
    assert {path for path in members(answer) if "__" not in path} <= {path.split("__")[0] for path in outputs}


@pytest.mark.parametrize("trigger", ["job_finished", "credits_low"])
async def test_what_a_trigger_lists_is_like_what_it_delivers(zap: Zap, trigger: str) -> None:
    answer = await STEPS[f"triggers.{trigger}"](zap)
    listed = (await zap.app.run(f"triggers.{trigger}.operation.performList")).results
    outputs = (await zap.app.definition())["triggers"][trigger]["operation"]["outputFields"]
    for one in listed:
        assert set(members(one)) <= set(members(answer))
        assert list(contradictions({field["key"]: field for field in outputs}, one)) == []
    assert listed


def members(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all members, as output fields write them."""
    for name, member in value.items() if isinstance(value, dict) else ():
        yield f"{path}{name}"
        yield from members(member, f"{path}{name}__")
