"""Whether a trigger keeps the webhook it has: the compiled node against a service that lists so, without n8n."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.n8n import PACKAGE, node_environment

pytestmark = pytest.mark.n8n

REGISTRATION = Path(__file__).with_name("registration.cjs")
URL = "https://n8n.example/webhook/1/webhook"


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    subprocess.run(["npm", "run", "--silent", "build"], cwd=PACKAGE, env=node_environment(), check=True)


def is_registered(*webhooks: dict[str, Any], mode: str = "init") -> Any:
    given = json.dumps({"url": URL, "events": ["job.failed"], "mode": mode, "webhooks": webhooks})
    command = ["node", str(REGISTRATION), str(PACKAGE)]
    done = subprocess.run(command, input=given, env=node_environment(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def listed(number: int) -> dict[str, Any]:
    return {"id": f"hook_{number}", "url": f"https://n8n.example/webhook/{number}/webhook", "status": "active"}


@pytest.mark.parametrize("later", [0, 20, 250])
def test_a_webhook_is_known_however_many_were_made_after_it(later: int) -> None:
    """One that is not would be registered anew, and what is on its way to the old one dropped."""
    assert is_registered(*(listed(number) for number in range(later + 1, 0, -1))) is True


def test_a_webhook_that_is_on_no_page_is_registered_anew() -> None:
    assert is_registered(*(listed(number) for number in range(250, 1, -1))) is False


@pytest.mark.parametrize("mode", ["activate", "update"])
def test_whoever_activates_a_workflow_gets_a_webhook_that_works(mode: str) -> None:
    """The service may have disabled the one that n8n could not remove before."""
    assert is_registered({**listed(1), "status": "disabled"}, mode=mode) is False
