"""The instant triggers: attached, delivered, verified, detached."""

import json
import time
from typing import Any

import pytest

from aiops_connect.platforms.make.runner import Payload
from aiops_connect.platforms.make.runner.iml.values import parse_json
from tests.connectors.platforms.make.rendered import MakeAccount, ours
from tests.connectors.platforms.make.runner.service import Answer, Received, Service
from tests.connectors.platforms.make.test_app import assert_typed

HOOK = "watchJobFinishedHook"
EVENTS = ["job.succeeded", "job.failed", "job.cancelled"]


def attach(account: MakeAccount, hook: Service, name: str = HOOK, **parameters: Any) -> dict[str, Any]:
    """What Make keeps of a webhook."""
    webhook = {"url": f"{hook.url}/hook"}
    stored = account.run(f"attach:{name}", webhook=webhook, parameters=parameters).stored["data"]
    return {**webhook, **stored}


def delivered(hook: Service) -> Received:
    """The first call; the service makes it by itself, within seconds."""
    deadline = time.monotonic() + 60
    while not hook.received:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return hook.received.pop(0)


def bundles(account: MakeAccount, webhook: dict[str, Any], body: Any, headers: dict[str, str], name: str = HOOK) -> Any:
    account.clock.present = account.clock.present.now(account.clock.present.tzinfo)
    return account.run(f"webhook:{name}", webhook=webhook, payload=Payload(body, headers)).bundles


def webhooks(account: MakeAccount) -> Any:
    return account.output("makeApiCall", url="/api/webhooks")["body"]["data"]


def test_a_job_that_has_ended_starts_the_scenario(account: MakeAccount, hook: Service) -> None:
    hook.received.clear()
    hook.will_answer(Answer("POST /hook", b""))
    webhook = attach(account, hook)
    assert [one["events"] for one in webhooks(account)] == [EVENTS]

    job = account.output("generateSpeech", text="Über “quotes”, \u2028 and 日本", download_file=False)
    call = delivered(hook)
    [bundle] = bundles(account, webhook, parse_json(call.body), call.headers)
    assert bundle["type"] == "job.succeeded"
    assert bundle["data"]["id"] == job["job_id"]
    interface = ours()["modules/watch-job-finished/watch-job-finished.interface.iml.json"]
    assert bundle.keys() <= {one["name"] for one in interface}
    assert_typed(bundle, interface)

    account.run("detach:watchJobFinishedHook", webhook=webhook)
    assert webhooks(account) == []


def test_what_is_forged_changed_or_old_starts_nothing(account: MakeAccount, hook: Service) -> None:
    hook.received.clear()
    hook.will_answer(Answer("POST /hook", b""))
    webhook = attach(account, hook, events=["job.succeeded"])
    account.output("generateSpeech", text="Welcome.", download_file=False)
    call = delivered(hook)
    assert bundles(account, webhook, parse_json(call.body), call.headers) != []
    changed = json.loads(json.dumps(call.json).replace("succeeded", "failed"))
    assert bundles(account, webhook, changed, call.headers) == []
    assert bundles(account, webhook, call.json, {**call.headers, "webhook-id": "msg_other"}) == []
    assert bundles(account, webhook, call.json, {**call.headers, "webhook-timestamp": "1"}) == []
    assert bundles(account, webhook, call.json, {}) == []
    assert bundles(account, {**webhook, "external_secret": "whsec_b3RoZXI="}, call.json, call.headers) == []
    account.run("detach:watchJobFinishedHook", webhook=webhook)


def test_the_secret_that_calls_are_signed_with_is_in_no_log(account: MakeAccount, hook: Service) -> None:
    webhook = attach(account, hook)
    [exchange] = account.trace.exchanges
    assert exchange.response is not None
    assert exchange.response["body"]["id"] == webhook["external_id"]
    assert webhook["external_secret"] not in str(exchange)
    account.run("detach:watchJobFinishedHook", webhook=webhook)


def test_a_trigger_of_one_event_asks_for_none(account: MakeAccount, hook: Service) -> None:
    webhook = attach(account, hook, "watchCreditsLowHook")
    assert [one["events"] for one in webhooks(account)] == [["credits.low"]]
    account.run("detach:watchCreditsLowHook", webhook=webhook)


@pytest.mark.parametrize("module", ["watchJobFinished", "watchCreditsLow"])
def test_samples_have_the_members_of_the_interface(module: str) -> None:
    codes = ours()["makecomapp.json"]["components"]["module"][module]["codeFiles"]
    assert set(ours()[codes["samples"]]) == {one["name"] for one in ours()[codes["interface"]]}
