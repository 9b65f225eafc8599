"""schemathesis, in all its phases, against a running server on each database."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from aiops.accounts.plans import load_plans
from aiops.contract.document import DEFAULT_PATH, Document
from tests.fixtures.server import ROOT, make_customer, stub_server
from tests.fixtures.service import IMAGE

EXAMPLES_MAX = 15
PLAN = "{monthly_credits: 1, requests_per_minute: 1000000, jobs_at_once: 50, jobs_queued: 1000, audio_minutes: 1}"


@pytest.mark.timeout(400)
def test_the_server_keeps_the_contract(tmp_path: Path, database_url: str) -> None:
    plans = tmp_path / "plans.yaml"
    plans.write_text(f"free: {PLAN}\n")
    _, key = asyncio.run(make_customer(database_url, load_plans(plans), plan="free", credits=1_000_000))
    with stub_server(tmp_path, database_url, AIOPS_PLANS_FILE=str(plans)) as server:
        server.start()
        headers = {"Authorization": f"Bearer {key}"}
        image = httpx.post(server.url + IMAGE, json={"prompt": "x"}, headers=headers, timeout=30).json()
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/end_to_end/schemathesis.toml"),
            *("run", str(DEFAULT_PATH), "--url", server.url, "--header", f"Authorization: Bearer {key}"),
            *("--max-examples", str(EXAMPLES_MAX), "--continue-on-failure", "--generation-deterministic"),
        ]
        environment = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.end_to_end.schemathesis_hooks",
            "AIOPS_TEST_URL": server.url,
            "AIOPS_TEST_KEY": key,
            "AIOPS_TEST_FILE_LINK": image["image_url"],
            "AIOPS_TEST_REACHED": str(tmp_path / "reached"),
        }
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    reached = {tuple(json.loads(line)) for line in (tmp_path / "reached").read_text().splitlines()}
    assert {operation for operation, status in reached if status < 300} == set(Document().operations)
