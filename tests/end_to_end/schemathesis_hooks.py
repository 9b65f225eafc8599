"""Loaded by schemathesis: what must hold after each of its calls, and a record of what it has reached."""

import itertools
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import schemathesis
from sqlalchemy import create_engine, text

from aiops.contract.document import api_document
from tests.fixtures.media import wav

FILE_LINK = urlsplit(os.environ["AIOPS_TEST_FILE_LINK"])
EXISTING = {
    "job_id": os.environ["AIOPS_TEST_JOB_ID"],
    "webhook_id": os.environ["AIOPS_TEST_WEBHOOK_ID"],
    "file_id": FILE_LINK.path.rpartition("/")[2],
}
REACHED = Path(os.environ["AIOPS_TEST_REACHED"])
IS_FUNDED = os.environ["AIOPS_TEST_FUNDED"] == "yes"
SERVICES = {operation.id for operation in api_document().operations.values() if operation.is_service}
RECORDING = wav(16_000, 1, bytes(3200))
REPEATED_KEYS = 4  # every so many a key is left as it was generated, which is most often one that was used before

numbers = itertools.count()


class Balance:
    """What the account has. Asked of the database, not of the server: it is asked after each call."""

    def __init__(self) -> None:
        url = os.environ["AIOPS_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
        self.connection = create_engine(url, isolation_level="AUTOCOMMIT").connect()
        self.last = self.ask()

    def ask(self) -> tuple[int, int]:
        credits_left, held = self.connection.execute(text("SELECT credits, held FROM account")).one()
        return int(credits_left), int(held)


balance = Balance()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Gives examples of ids an id that exists, most valid calls a new Idempotency-Key: those that are generated repeat,
    and under them most bodies would be refused; and most valid uploads a recording."""
    operation = case.operation.definition.raw["operationId"]
    if case.meta.phase.name.value == "examples":
        case.path_parameters = {name: EXISTING[name] for name in case.path_parameters or {}}
        if operation == "download_file":
            case.query = dict(parse_qsl(FILE_LINK.query))
    number, key = next(numbers), (case.headers or {}).get("Idempotency-Key")
    if operation == "upload_file" and case.meta.generation.mode.is_positive and number % REPEATED_KEYS:
        kwargs["files"] = {"file": ("recording.wav", RECORDING)}
    if case.meta.generation.mode.is_positive and key is not None and number % REPEATED_KEYS:
        case.headers["Idempotency-Key"] = f"{key[:200]}{number}"


@schemathesis.check
def only_success_is_charged(ctx: Any, response: Any, case: Any) -> None:
    before, balance.last = balance.last, balance.ask()
    operation, is_success = case.operation.definition.raw["operationId"], 200 <= response.status_code < 300
    if not is_success or operation not in SERVICES:
        assert balance.last == before, f"{response.status_code} changed (credits, held): {before} to {balance.last}"
    if IS_FUNDED:
        assert response.status_code != 402, "there are credits enough"
    else:
        assert operation not in SERVICES or 400 <= response.status_code < 500, "there are no credits"
    with REACHED.open("a") as file:
        file.write(json.dumps([operation, response.status_code]) + "\n")
