"""schemathesis, in all its phases, against a running server: with credits and without, on each database.

The short form covers each database and each purse once; the long form all pairs, with as many examples as `make fuzz`
asks for. schemathesis makes one call at a time, because the balance is asked after each.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from aiops.accounts.plans import load_plans
from aiops.contract.document import DEFAULT_PATH, api_document
from tests.fixtures.server import ROOT, StubServer, make_customer, stub_server
from tests.fixtures.service import IMAGE

EXAMPLES_SHORT = 10
EXAMPLES_LONG = int(os.environ.get("FUZZ_EXAMPLES", "100"))
IS_FUZZ = "FUZZ_EXAMPLES" in os.environ
PLAN = (
    "{monthly_credits: 0, requests_per_minute: 1000000, jobs_at_once: 50, jobs_queued: 1000, audio_minutes: 1, "
    "file_megabytes: 1, stored_files: 1000000, stored_megabytes: 10000000}"
)
PURSES = {"funded": 1_000_000_000, "unfunded": 5}
COST = 5
REPORT = "schemathesis.txt"

SHORT = [pytest.mark.timeout(400)]
LONG = [pytest.mark.long, pytest.mark.timeout(600 + 10 * EXAMPLES_LONG)]
RUNS = [
    pytest.param("sqlite", "funded", EXAMPLES_SHORT, marks=SHORT),
    pytest.param("postgresql", "unfunded", EXAMPLES_SHORT, marks=SHORT),
    *(
        pytest.param(database, purse, EXAMPLES_LONG, marks=LONG)
        for database in ("sqlite", "postgresql")
        for purse in PURSES
    ),
]


@pytest.mark.parametrize(("database", "purse", "examples"), RUNS)
def test_the_server_keeps_the_contract(
    tmp_path: Path, new_database: Callable[[str], str], database: str, purse: str, examples: int
) -> None:
    plans = tmp_path / "plans.yaml"
    plans.write_text(f"free: {PLAN}\n")
    url = new_database(database)
    _, key = asyncio.run(make_customer(url, load_plans(plans), plan="free", credits=PURSES[purse]))
    with stub_server(tmp_path, url, AIOPS_PLANS_FILE=str(plans)) as server:
        server.start()
        status = run_schemathesis(server, key, examples, is_funded=PURSES[purse] > COST)
    assert status == 0, (tmp_path / REPORT).read_text()
    reached = {tuple(json.loads(line)) for line in (tmp_path / "reached").read_text().splitlines()}
    operations = api_document().operations.values()
    succeeding = {one.id for one in operations if purse == "funded" or not one.is_service}
    assert {operation for operation, status in reached if status < 300} == succeeding
    refused = {one.id for one in operations if one.is_service and purse == "unfunded"}
    assert {operation for operation, status in reached if status == 402} == refused


def run_schemathesis(server: StubServer, key: str, examples: int, *, is_funded: bool) -> int:
    """Runs it, once there are a job, a file and a webhook, whose ids it needs; they take the last of few credits."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        image = client.post(IMAGE, json={"prompt": "x"}).json()
        hook = client.post("/api/webhooks", json={"url": "https://hooks.example/", "events": ["credits.low"]}).json()
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/end_to_end/schemathesis.toml"),
        *("run", str(DEFAULT_PATH), "--url", server.url, "--header", f"Authorization: Bearer {key}"),
        *("--max-examples", str(examples), "--continue-on-failure", "--output-truncate", "false"),
        *(() if IS_FUZZ else ("--generation-deterministic",)),
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.end_to_end.schemathesis_hooks",
        "AIOPS_DATABASE_URL": server.database_url,
        "AIOPS_TEST_FILE_LINK": image["image_url"],
        "AIOPS_TEST_JOB_ID": image["job_id"],
        "AIOPS_TEST_WEBHOOK_ID": hook["id"],
        "AIOPS_TEST_FUNDED": "yes" if is_funded else "no",
        "AIOPS_TEST_REACHED": str(server.folder / "reached"),
    }
    with (server.folder / REPORT).open("w") as report:
        return subprocess.run(command, cwd=ROOT, env=environment, stdout=report, stderr=report, check=False).returncode
