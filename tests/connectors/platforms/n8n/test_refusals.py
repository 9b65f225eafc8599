"""What people read when the service refuses: what happened, to which item, and what to do; and how a workflow goes on
then."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.platforms.n8n.conftest import AWAY, Bench, running_service
from tests.fixtures.n8n import Execution, Item, chain
from tests.fixtures.server import StubServer

pytestmark = pytest.mark.n8n


@pytest.fixture(scope="module")
def server(
    port: int, plans_file: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StubServer]:
    """A service of its own, whose clock is put forward."""
    with running_service(tmp_path_factory.mktemp("refusing"), sqlite_template, plans_file, port) as running:
        yield running


@dataclass(frozen=True)
class Refusal:
    """What comes of a step with these values."""

    message: str
    details: dict[str, Any]
    advice: str
    values: dict[str, Any] = field(default_factory=dict)


# By the plan of the account: one that is soon empty, and one that calls too often.
REFUSALS = {
    "free": Refusal(
        "Insufficient credits",
        {"httpCode": 402, "code": "insufficient_credits", "credits": 2, "cost": 5},
        "Credits: 2. Cost: 5. The call costs more than is left. Get more credits, or a larger plan.",
    ),
    "slow": Refusal(
        "Rate limit exceeded",
        {"httpCode": 429, "code": "rate_limit_exceeded"},
        "Too many calls in this minute. Wait, then repeat. The service takes calls again in ",
        {"options": {"maximumWait": 1}},
    ),
}
each_plan = pytest.mark.parametrize("plan", REFUSALS)


def three_images(bench: Bench, plan: str, on_error: str) -> Execution:
    """Of which the account has the first only."""
    bench.server.begin_minute()
    step = bench.step("image", "generate", prompt="={{ $json.about }}", output="url", **REFUSALS[plan].values)
    step |= {"credentials": bench.customer(plan), "onError": on_error}
    return bench.n8n.run(chain(step), [{"json": {"about": about}} for about in ("a boat", "a house", "a tree")])


@each_plan
def test_a_refusal_stops_the_workflow(bench: Bench, plan: str) -> None:
    done = three_images(bench, plan, "stopWorkflow")
    assert (done.status, done.items("Step")) == ("error", [])
    assert done.error is not None
    refusal = REFUSALS[plan]
    assert done.error["message"] == f"{refusal.message} [item 1]"
    assert refusal.advice in done.error["description"]
    assert done.error["context"]["itemIndex"] == 1
    assert refusal.details.items() <= done.error["context"]["details"].items()


@each_plan
def test_a_workflow_can_go_on_after_a_refusal(bench: Bench, plan: str) -> None:
    done = three_images(bench, plan, "continueRegularOutput")
    assert done.status == "success"
    first, *refused = done.items("Step")
    assert first["json"]["success"] is True
    check(refused, REFUSALS[plan])


@each_plan
def test_a_refusal_can_leave_by_the_error_output(bench: Bench, plan: str) -> None:
    done = three_images(bench, plan, "continueErrorOutput")
    assert done.status == "success"
    assert [one["json"]["success"] for one in done.items("Step", 0)] == [True]
    refused = done.items("Step", 1)
    assert [one["json"].pop("about") for one in refused] == ["a house", "a tree"]
    check(refused, REFUSALS[plan])


def check(refused: list[Item], refusal: Refusal) -> None:
    """The second and the third item have what is to be known."""
    assert [one["pairedItem"]["item"] for one in refused] == [1, 2]
    for index, one in enumerate(refused, 1):
        assert one["json"].keys() == {"error", "message", "details"}
        assert one["json"]["error"] == f"{refusal.message} [item {index}]"
        assert refusal.advice in one["json"]["message"]
        assert refusal.details.items() <= one["json"]["details"].items()
        assert one["json"]["details"]["requestId"]


def test_how_long_to_wait_is_told(bench: Bench) -> None:
    done = three_images(bench, "slow", "stopWorkflow")
    assert done.error is not None
    seconds = done.error["context"]["details"]["retryAfterSeconds"]
    assert 1 < seconds <= 61
    assert done.error["description"].endswith(f"The service takes calls again in {seconds} seconds.")


def test_a_call_that_comes_too_early_waits_as_long_as_it_is_told_to(bench: Bench) -> None:
    """The plan allows one call a minute: the second item has its turn when the minute is over."""
    step = bench.step("image", "generate", prompt="={{ $json.about }}", output="url")
    step |= {"credentials": bench.customer("slow")}
    bench.server.begin_minute(second=50)
    begun = bench.n8n.start(chain(step), [{"json": {"about": about}} for about in ("a boat", "a house")])
    done = bench.n8n.wait(begun, 120)
    assert done.status == "success", done.error
    assert [one["success"] for one in done.json("Step")] == [True, True]


LOCATED = {"__rl": True, "mode": "id"}
SENTENCES: dict[tuple[str, str], Refusal] = {
    ("image", "generate"): Refusal(
        "Invalid input",
        {"httpCode": 422, "code": "invalid_input"},
        "Details: model: ",
        {"prompt": "a boat", "additionalFields": {"model": {**LOCATED, "value": "nobody/none"}}},
    ),
    ("transcription", "transcribe"): Refusal(
        f"The model {AWAY} is not available on this server",
        {"httpCode": 503, "code": "model_unavailable"},
        "No provider on this server runs the model. Choose another.",
        {"audioUrl": "https://things.example/memo.mp3", "additionalFields": {"model": {**LOCATED, "value": AWAY}}},
    ),
    ("job", "get"): Refusal(
        "There is no such job in this account.", {"httpCode": 404}, "", {"jobId": {**LOCATED, "value": "job_none"}}
    ),
}


@pytest.mark.parametrize("step", SENTENCES, ids="-".join)
def test_a_refusal_says_what_happened_and_what_to_do(bench: Bench, step: tuple[str, str]) -> None:
    before, refusal = bench.credits, SENTENCES[step]
    done = bench.do(*step, **refusal.values)
    assert done.error is not None
    assert done.error["message"] == f"{refusal.message} [item 0]"
    assert refusal.advice in done.error["description"]
    assert refusal.details.items() <= done.error["context"]["details"].items()
    assert bench.credits == before


def test_a_key_that_is_not_taken_is_told(bench: Bench) -> None:
    poor = bench.n8n.credential("aiopsApi", "poor", baseUrl=bench.server.url, apiKey="aiops_sk_none")
    step = bench.step("image", "generate", prompt="a boat") | {"credentials": poor}
    done = bench.n8n.run(chain(step))
    assert done.error is not None
    assert done.error["message"].startswith("Missing or invalid API key.")
    assert done.error["message"].endswith("[item 0]")
    assert "Check the Authorization header." in done.error["description"]
    assert done.error["context"]["details"]["httpCode"] == 401


def test_a_service_that_is_away_is_told(bench: Bench) -> None:
    away = bench.n8n.credential("aiopsApi", "away", baseUrl="http://127.0.0.1:9", apiKey="key")
    done = bench.n8n.run(chain(bench.step("account", "get") | {"credentials": away}))
    assert done.error is not None
    assert done.error["message"] == "The service could not be reached: the connection was refused [item 0]"
