"""Loaded by schemathesis: what must hold after each of its calls, and a record of what it has reached."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import schemathesis

ACCOUNT_URL = os.environ["AIOPS_TEST_URL"] + "/api/account"
HEADERS = {"Authorization": f"Bearer {os.environ['AIOPS_TEST_KEY']}"}
FILE_LINK = urlsplit(os.environ["AIOPS_TEST_FILE_LINK"])
REACHED = Path(os.environ["AIOPS_TEST_REACHED"])


class Balance:
    """What the account has; asked anew after each call."""

    def __init__(self) -> None:
        self.client = httpx.Client(headers=HEADERS)
        self.last = self.ask()

    def ask(self) -> int:
        number: int = self.client.get(ACCOUNT_URL).json()["credits"]
        return number


balance = Balance()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """The example of a file's link is given one that is signed."""
    if case.operation.definition.raw["operationId"] == "download_file" and case.meta.phase.name.value == "examples":
        case.path_parameters = {"file_id": FILE_LINK.path.rpartition("/")[2]}
        case.query = dict(parse_qsl(FILE_LINK.query))


@schemathesis.check
def only_success_is_charged(ctx: Any, response: Any, case: Any) -> None:
    before, balance.last = balance.last, balance.ask()
    if not 200 <= response.status_code < 300:
        assert balance.last == before, f"{response.status_code} changed the credits from {before} to {balance.last}"
    with REACHED.open("a") as file:
        file.write(json.dumps([case.operation.definition.raw["operationId"], response.status_code]) + "\n")
