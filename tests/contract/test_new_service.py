"""A new service is one edit of the document and one handler; a wrong one stops the start with one clear line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import yaml

import aiops.operations
from aiops.accounts.plans import load_plans
from aiops.contract import models
from aiops.contract.binding import bind
from aiops.contract.document import ContractError, Document, api_document
from tests.fixtures.contract import ContractCheck
from tests.fixtures.server import make_customer, stub_server

ROOT = Path(__file__).parents[2]

HANDLER = """
from aiops.jobs.execution import JobContext
from aiops.providers.base import ProviderRejectedError
from aiops.contract.models import SummaryRequest, SummaryResult


async def handle(request: SummaryRequest, job: JobContext) -> SummaryResult:
    if "secret" in request.text:
        raise ProviderRejectedError("Secrets are not summarised.")
    return SummaryResult(summary=request.text.split(".")[0], success=True)
"""


def edited(tree: dict[str, Any]) -> dict[str, Any]:
    """The document with one service more, copied from another with other names."""
    speech = tree["paths"]["/api/services/tts"]["post"]
    summary = {**speech, "operationId": "summarize_text", "summary": "Summarize a text", "x-credits": 4}
    summary["requestBody"] = _json("SummaryRequest")
    summary["responses"] = {**speech["responses"], "200": {**speech["responses"]["200"], **_json("Summary")}}
    tree["paths"]["/api/services/summarize"] = {"post": summary}
    text = {"type": "string", "title": "Text", "description": "What to summarize.", "minLength": 1, "maxLength": 100}
    success = {"$ref": "#/components/schemas/Success"}
    schemas = tree["components"]["schemas"]
    schemas["SummaryRequest"] = _object({"text": text}, additionalProperties=False)
    schemas["SummaryResult"] = _object({"summary": {**text, "title": "Summary"}, "success": success})
    schemas["Summary"] = {"allOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("SummaryResult", "Receipt")]}
    schemas["Job"]["properties"]["result"]["anyOf"].insert(0, {"$ref": "#/components/schemas/SummaryResult"})
    return tree


def _json(schema: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties, **more}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in which the document has one service more."""
    copy = tmp_path / "project"
    for folder in ("backend", "openapi"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    document = copy / "openapi" / "aiops.yaml"
    document.write_text(yaml.safe_dump(edited(yaml.safe_load(document.read_text()))))
    return copy


@pytest.fixture
def project_with_handler(project: Path) -> Path:
    """The copy after `make generate`, with the handler."""
    subprocess.run([sys.executable, "-m", "datamodel_code_generator"], cwd=project, check=True, capture_output=True)
    (project / "backend/aiops/operations/summarize_text.py").write_text(HANDLER)
    return project


@pytest.fixture
def operations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """The operations with some handlers more, or others."""

    def make(**handlers: str) -> ModuleType:
        folder = tmp_path / "more_operations"
        folder.mkdir()
        for name, source in handlers.items():
            (folder / f"{name}.py").write_text(source)
            monkeypatch.delitem(sys.modules, f"aiops.operations.{name}", raising=False)
        monkeypatch.setattr(aiops.operations, "__path__", [str(folder), *aiops.operations.__path__])
        return aiops.operations

    return make


async def test_a_new_service_works_with_charge_errors_and_limits(
    tmp_path: Path, project_with_handler: Path, database_url: str
) -> None:
    """The edit, `make generate`, the handler: nothing else is touched, and a server of that copy sells the service."""
    contract = ContractCheck(Document(project_with_handler / "openapi/aiops.yaml"))
    hooks: dict[str, list[Callable[..., Any]]] = {"response": [contract]}
    _, key = await make_customer(database_url, load_plans(None), plan="free", credits=9)
    with stub_server(tmp_path, database_url, PYTHONPATH=str(project_with_handler / "backend")) as server:
        server.start()
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, event_hooks=hooks, timeout=30) as client:
            await _use_the_new_service(client)


async def _use_the_new_service(client: httpx.AsyncClient) -> None:
    texts = ["Short. Long.", "A secret.", "", "x" * 101, "Again. And.", "Too dear."]
    answers = [await client.post("/api/services/summarize", json={"text": text}) for text in texts]
    assert [answer.status_code for answer in answers] == [200, 422, 422, 422, 200, 402]
    body = answers[0].json()
    assert (body["summary"], body["credits_charged"], body["credits_remaining"]) == ("Short", 4, 5)
    assert answers[1].json()["reason"] == "Secrets are not summarised."
    assert answers[5].json()["cost"] == 4
    assert answers[5].headers["ratelimit-policy"] == '"services";q=10;w=60'
    (job,) = (await client.get("/api/jobs", params={"limit": 1})).json()["data"]
    assert (job["service"], job["result"]) == ("summarize_text", {"summary": "Again", "success": True})
    services = (await client.get("/api/services")).json()["data"]
    assert [one["credits"] for one in services if one["id"] == "summarize_text"] == [4]


def test_a_missing_handler_stops_the_start(project: Path) -> None:
    with pytest.raises(ContractError, match=r"^operation without handler: summarize_text "):
        bind(Document(project / "openapi/aiops.yaml"), aiops.operations, models)


def test_missing_models_stop_the_start(project: Path, operations: Callable[..., ModuleType]) -> None:
    package = operations(summarize_text="async def handle() -> None: ...")
    with pytest.raises(ContractError, match=r"has no SummaryRequest: run `make generate`"):
        bind(Document(project / "openapi/aiops.yaml"), package, models)


def test_the_start_of_a_server_is_stopped_with_one_line(tmp_path: Path, project: Path) -> None:
    """As its operator sees it."""
    environment = {**os.environ, "PYTHONPATH": str(project / "backend"), "AIOPS_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "aiops", "serve", "--port", "1"]
    stopped = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert stopped.returncode == 1
    assert stopped.stderr == (
        "aiops: operation without handler: summarize_text (aiops.operations/summarize_text.py does not exist)\n"
    )


HEADER = "from aiops.contract.models import *\nfrom aiops.jobs.execution import JobContext\n"
WRONG = [
    (
        "summarize_text",
        "async def handle() -> None: ...",
        "handler without operation: aiops.operations/summarize_text.py",
    ),
    ("get_account", "handle = None", "aiops.operations.get_account has no `async def handle`"),
    ("get_account", "async def handle() -> None: ...", "get_account.handle must return Account"),
    (
        "get_job",
        HEADER + "async def handle(job: str) -> Job: ...",
        "get_job.handle must take the path parameter job_id: str",
    ),
    (
        "list_jobs",
        HEADER + "async def handle() -> JobList: ...",
        r"list_jobs.handle must take query: Annotated\[ListJobsParametersQuery, Query\(\)\]",
    ),
    ("get_metrics", "async def handle() -> str: ...", "get_metrics.handle must return a Response"),
    (
        "generate_image",
        HEADER + "async def handle(request: SpeechRequest, job: JobContext) -> ImageResult: ...",
        r"generate_image.handle must take \(ImageRequest, JobContext\)",
    ),
    (
        "generate_image",
        HEADER + "async def handle(request: ImageRequest, job: JobContext) -> SpeechResult: ...",
        "generate_image.handle must return the result in Image",
    ),
]


@pytest.mark.parametrize(("name", "source", "line"), WRONG, ids=[f"{one[0]}: {one[2]}" for one in WRONG])
def test_a_wrong_handler_stops_the_start(
    operations: Callable[..., ModuleType], name: str, source: str, line: str
) -> None:
    with pytest.raises(ContractError, match=line):
        bind(api_document(), operations(**{name: source}), models)
