"""The node as a tool of n8n's AI agent."""

import json
from typing import Any

import httpx
import pytest

from tests.connectors.platforms.n8n.conftest import AIOPS, Bench
from tests.fixtures.chat_model import KEY, ChatModel, chat_model
from tests.fixtures.n8n import Execution, chain, node
from tests.fixtures.providers import png

pytestmark = pytest.mark.n8n


def test_the_variant_for_agents_is_there(bench: Bench) -> None:
    names = {one["name"] for one in bench.n8n.client.get("/types/nodes.json").json()}
    assert {AIOPS, f"{AIOPS}Tool", f"{AIOPS}Trigger"} <= names


def ask(bench: Bench, model: ChatModel, **values: Any) -> Execution:
    """An agent that has this model, and our node as its one tool."""
    key = bench.n8n.credential("openAiApi", "model", apiKey=KEY, url=model.url)
    text = {"promptType": "define", "text": "Draw a lighthouse."}
    agent = node("Agent", "@n8n/n8n-nodes-langchain.agent", text, version=3)
    brain = node(
        "Model",
        "@n8n/n8n-nodes-langchain.lmChatOpenAi",
        {"model": {"__rl": True, "mode": "id", "value": "scripted"}, "responsesApiEnabled": False},
        version=1.3,
        credentials=key,
    )
    tool = node("Draw", f"{AIOPS}Tool", values, credentials=bench.credential)
    workflow = chain(agent)
    workflow["nodes"] += [brain, tool]
    workflow["connections"] |= {
        "Model": {"ai_languageModel": [[{"node": "Agent", "type": "ai_languageModel", "index": 0}]]},
        "Draw": {"ai_tool": [[{"node": "Agent", "type": "ai_tool", "index": 0}]]},
    }
    return bench.n8n.run(workflow)


IMAGE = {
    "resource": "image",
    "operation": "generate",
    "prompt": "={{ $fromAI('prompt', 'What is to be seen', 'string') }}",
}


def test_an_agent_calls_the_node(bench: Bench) -> None:
    before = bench.credits
    with chat_model({"prompt": "a lighthouse at dusk"}) as model:
        done = ask(bench, model, **IMAGE)
    assert (done.status, model.refusals) == ("success", []), done.error
    assert model.tools[0]["name"] == "Draw"
    assert model.tools[0]["parameters"]["properties"]["prompt"]["description"] == "What is to be seen"
    (result,) = [json.loads(text) for text in model.results]
    (answer,) = result if isinstance(result, list) else [result]
    assert httpx.get(answer["image_url"]).content == png()
    assert answer["credits"] == {"charged": 5, "refunded": 0, "left": before - 5}
    assert answer["image_url"] in done.json("Agent")[0]["output"]


def test_an_agent_is_told_why_there_is_no_result(bench: Bench) -> None:
    with chat_model({"prompt": " "}) as model:
        done = ask(bench, model, **IMAGE)
    assert (done.status, model.refusals) == ("success", []), done.error
    (told,) = model.results
    assert "Invalid input" in told
