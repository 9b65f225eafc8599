"""Workflows that people start from, and those that events start, in a real n8n."""

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from aiops.web.reference.examples import Call
from aiops.web.reference.workflow import n8n_workflow
from tests.connectors.platforms.n8n.conftest import Bench
from tests.fixtures.n8n import PACKAGE, Execution, node, until
from tests.fixtures.providers import png

pytestmark = pytest.mark.n8n

EXAMPLES = sorted((PACKAGE / "examples").glob("*.json"))
JOB_EVENTS = ["job.succeeded", "job.failed", "job.cancelled"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_run(bench: Bench, path: Path) -> None:
    workflow = json.loads(path.read_text())
    for one in workflow["nodes"]:
        if "credentials" in one:
            one["credentials"] = bench.credential
    last = workflow["nodes"][-1]["name"]
    done = bench.n8n.run(workflow)
    assert done.status == "success", done.error
    assert done.json(last)[0]["success"] is True


def test_the_workflow_of_the_reference_page_runs(bench: Bench) -> None:
    """It has no node of ours: a call by n8n's own, and the file that is answered."""
    call = Call("POST", f"{bench.server.url}/api/services/image_gen", {"prompt": "A lighthouse"}, result="image_url")
    workflow = json.loads(n8n_workflow("Generate an image", call, key_name="image", is_link=True))
    key = {"name": "Authorization", "value": f"Bearer {bench.key}"}
    for one in workflow["nodes"]:
        if one["parameters"].get("genericAuthType") == "httpHeaderAuth":
            one["credentials"] = bench.n8n.credential("httpHeaderAuth", "key", **key)
    done = bench.n8n.run(workflow)
    assert done.status == "success", done.error
    (item,) = done.items("Fetch the file")
    assert bench.n8n.file(item["binary"]["data"]) == png()


@pytest.fixture
def listening(bench: Bench) -> Any:
    """An active workflow that starts when a job ends, and the address it gave to the service."""
    trigger = node("Job", "n8n-nodes-aiops.aiopsTrigger", {"events": JOB_EVENTS}, credentials=bench.credential)
    trigger["webhookId"] = "0b7a5d0e-8e5c-4f43-9c1b-3f1f3f1f3f1f"
    workflow = {"nodes": [trigger], "connections": {}}
    id_ = bench.n8n.save(workflow)
    saved = bench.n8n.get(f"/rest/workflows/{id_}")
    bench.n8n.post(f"/rest/workflows/{id_}/activate", versionId=saved["versionId"])
    yield id_
    if bench.n8n.get(f"/rest/workflows/{id_}")["active"]:
        bench.n8n.post(f"/rest/workflows/{id_}/deactivate")
    until(lambda: bench.api("GET", "/api/webhooks")["data"] == [])


def test_an_event_starts_a_workflow(bench: Bench, listening: str) -> None:
    (webhook,) = until(lambda: bench.api("GET", "/api/webhooks")["data"])
    assert set(webhook["events"]) == set(JOB_EVENTS)
    job_id = bench.api("POST", "/api/services/image_gen", json={"prompt": "a boat"})["job_id"]
    (execution,) = until(lambda: _executions(bench, listening, 1))
    (event,) = execution.json("Job")
    assert (event["type"], event["data"]["id"]) == ("job.succeeded", job_id)
    bench.n8n.post(f"/rest/workflows/{listening}/deactivate")
    until(lambda: bench.api("GET", "/api/webhooks")["data"] == [])


def test_a_forged_delivery_and_a_repeated_one_start_nothing(bench: Bench, listening: str) -> None:
    (webhook,) = until(lambda: bench.api("GET", "/api/webhooks")["data"])
    static = bench.n8n.get(f"/rest/workflows/{listening}")["staticData"]
    secret = static["node:Job"]["subscription"]["secret"]
    assert _deliver(webhook["url"], secret, "msg_1").status_code == 200
    assert _deliver(webhook["url"], secret, "msg_1").text == "Seen already"
    forger = "whsec_" + base64.b64encode(b"not the secret of this webhook").decode()
    assert _deliver(webhook["url"], forger, "msg_2").status_code == 401
    assert _deliver(webhook["url"], secret, "msg_3", age_seconds=900).status_code == 401
    assert _deliver(webhook["url"], secret, "msg_4", kind="credits.low").text == "Not wanted"
    (execution,) = until(lambda: _executions(bench, listening, 1))
    assert execution.json("Job")[0]["type"] == "job.failed"


def _deliver(url: str, secret: str, id_: str, kind: str = "job.failed", age_seconds: float = 0) -> httpx.Response:
    body = json.dumps({"type": kind, "timestamp": "2026-01-05T10:15:02Z", "data": {"id": "job_1"}})
    sent = time.time() - age_seconds
    signature = Webhook(secret).sign(id_, datetime.fromtimestamp(int(sent), UTC), body)
    headers = {"webhook-id": id_, "webhook-timestamp": str(int(sent)), "webhook-signature": signature}
    return httpx.post(url, content=body, headers={**headers, "Content-Type": "application/json"}, timeout=30)


def _executions(bench: Bench, workflow: str, count: int) -> list[Execution]:
    found = bench.n8n.client.get("/rest/executions", params={"filter": json.dumps({"workflowId": workflow})})
    results = found.json()["data"]["results"]
    return [bench.n8n.wait(one["id"]) for one in results] if len(results) >= count else []
