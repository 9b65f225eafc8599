"""Triggers: subscribed to by the API, signed, and in the shape of their samples."""

import json
from typing import Any

import pytest

from tests.connectors.platforms.zapier.app_in_core import Outcome
from tests.connectors.platforms.zapier.conftest import Zap
from tests.connectors.platforms.zapier.test_errors import answer, answered
from tests.fixtures.receiver import JOB_EVENTS

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOOK = "triggers.{}.operation.{}"
FINISHED = "job_finished"
LIST = "triggers.list_jobs.operation.perform"
SPEECH = {"text": "Hello"}


async def subscribed(zap: Zap, trigger: str = FINISHED, **inputs: Any) -> dict[str, Any]:
    method = HOOK.format(trigger, "performSubscribe")
    found = await zap.app.run(method, inputs, targetUrl=zap.callback_url("hook"))
    assert found.status == "SUCCESS", found
    webhook: dict[str, Any] = found.results
    return webhook


async def delivered(zap: Zap, webhook: dict[str, Any], **inputs: Any) -> tuple[dict[str, Any], Outcome]:
    """An event as the API sent it, and what the trigger makes of it."""
    told = await zap.called_back("hook")
    return told, await deliver(zap, webhook, zap.head("hook"), zap.content("hook"), inputs)


async def deliver(
    zap: Zap,
    webhook: dict[str, Any],
    headers: dict[str, str],
    content: str,
    inputs: dict[str, Any],
    *,
    trigger: str = FINISHED,
) -> Outcome:
    return await zap.app.run(
        HOOK.format(trigger, "perform"),
        inputs,
        subscribeData=webhook,
        cleanedRequest={**json.loads(content), "querystring": {}},
        rawRequest={"method": "POST", "headers": headers, "content": content},
    )


async def test_a_job_that_finishes_starts_the_zap(zap: Zap) -> None:
    webhook = await subscribed(zap)
    assert sorted(webhook["events"]) == sorted(JOB_EVENTS)
    done = await zap.whole("generate_speech", SPEECH)
    told, found = await delivered(zap, webhook)
    [event] = found.results
    assert event["type"] == "job.succeeded"
    assert event["data"]["id"] == done.results["job_id"]
    assert event["data"]["result"].pop("audio").startswith("hydrate|||")
    assert event == told


async def test_what_is_not_signed_by_the_subscription_starts_nothing(zap: Zap) -> None:
    webhook = await subscribed(zap)
    await zap.whole("generate_speech", SPEECH)
    await zap.called_back("hook")
    head, content = zap.head("hook"), zap.content("hook")
    prefixed = {f"Http-{name.title()}": value for name, value in head.items()}
    assert len((await deliver(zap, webhook, prefixed, content, {})).results) == 1
    changed = content.replace("succeeded", "failed")
    late = {**head, "webhook-timestamp": str(int(head["webhook-timestamp"]) - 3600)}
    other = {**webhook, "secret": "whsec_" + "A" * 32}
    for forged in (
        await deliver(zap, webhook, head, changed, {}),
        await deliver(zap, webhook, late, content, {}),
        await deliver(zap, webhook, {}, content, {}),
        await deliver(zap, other, head, content, {}),
        await deliver(zap, {**webhook, "secret": None}, head, content, {}),
    ):
        assert (forged.status, forged.results) == ("SUCCESS", [])


async def test_only_what_was_chosen_is_subscribed_to(zap: Zap) -> None:
    webhook = await subscribed(zap, events=["job.failed"])
    assert webhook["events"] == ["job.failed"]


async def test_a_subscription_is_taken_back_once_and_for_all(zap: Zap) -> None:
    webhook = await subscribed(zap)
    assert len((await zap.client.get("/api/webhooks")).json()["data"]) == 1
    for _ in range(2):
        found = await zap.app.run(HOOK.format(FINISHED, "performUnsubscribe"), subscribeData=webhook)
        assert found.status == "SUCCESS", found
    assert (await zap.client.get("/api/webhooks")).json()["data"] == []


async def test_what_is_there_already_looks_like_what_is_delivered(zap: Zap) -> None:
    webhook = await subscribed(zap)
    await zap.whole("generate_speech", SPEECH)
    _, found = await delivered(zap, webhook)
    listed = (await zap.app.run(HOOK.format(FINISHED, "performList"))).results
    assert len(listed) == 1
    assert keys(listed[0]) == keys(found.results[0])
    sample = (await zap.app.definition())["triggers"]["job_finished"]["operation"]["sample"]
    assert keys(sample) == keys(found.results[0])


async def test_what_is_there_already_is_shown_as_the_event_that_it_was() -> None:
    """And what would have started no Zap is not shown: work that goes on, and ends that were not chosen."""
    statuses = ("running", "failed", "cancelled", "succeeded", "a status of next year")
    jobs = {"data": [{"id": status, "status": status} for status in statuses], "next_cursor": None}
    async with answered(answer(200, jobs), answer(200, jobs)) as (app, _):
        every = (await app.run(HOOK.format(FINISHED, "performList"))).results
        chosen = (await app.run(HOOK.format(FINISHED, "performList"), {"events": ["job.failed"]})).results
    assert [(one["type"], one["data"]["id"]) for one in every] == [
        ("job.failed", "failed"),
        ("job.cancelled", "cancelled"),
        ("job.succeeded", "succeeded"),
    ]
    assert [(one["type"], one["data"]["id"]) for one in chosen] == [("job.failed", "failed")]


def keys(value: Any) -> Any:
    return {name: keys(member) for name, member in value.items()} if isinstance(value, dict) else None


async def test_jobs_are_listed_to_choose_from_page_by_page(zap: Zap) -> None:
    ids = [(await zap.live("generate_speech", SPEECH, str(run))).results["id"] for run in range(101)]
    first = await zap.app.run(LIST, meta={"page": 0, "isFillingDynamicDropdown": True})
    found = [*first.results]
    for page in range(1, 20):
        more = (await zap.app.run(LIST, meta={"page": page, "isFillingDynamicDropdown": True})).results
        found += more
        if not more:
            break
    assert [one["id"] for one in found] == ids[::-1]
    assert {one["name"] for one in found} == {"generate_speech"}
