"""What is wrong with the inputs one by one, in the shapes in which APIs list it."""

from pathlib import Path
from typing import Any

import pytest

from tests.connectors.platforms.zapier.conftest import PERFORM
from tests.connectors.platforms.zapier.test_errors import answer, perform
from tests.connectors.platforms.zapier.test_pages import served
from tests.fixtures.documents import OK, with_operation

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEXT = {"type": "string"}
MISSING = {"loc": ["body", "steps", 0, "prompt"], "msg": "Field required", "type": "missing"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": [MISSING]}, "aiops answered with status 422. body.steps.0.prompt: Field required."),
        ({"detail": "Not now"}, "Not now."),
        ({"detail": [None, "a text", {"msg": 5}]}, "aiops answered with status 422."),
        ({"details": [], "detail": [{"msg": "Field required"}]}, "aiops answered with status 422. Field required."),
        (
            {"error": "Wrong", "errors": [{"field": f"f{index}", "message": "No"} for index in range(5)]},
            "Wrong. f0: No. f1: No. f2: No.",
        ),
    ],
    ids=["FastAPI", "a sentence", "no sentences", "a list that is empty", "many"],
)
async def test_what_is_listed_is_told_where_no_document_describes_it(body: Any, message: str) -> None:
    found = await perform(answer(422, body))
    assert (found.error, found.message) == ("HaltedError", message)


async def test_what_is_listed_is_told_where_the_document_describes_it(tmp_path: Path) -> None:
    item = {"properties": {"parameter": TEXT, "description": TEXT}}
    problem = {"properties": {"error": {"properties": {"faults": {"type": "array", "items": item}}}}}
    refusal = {"description": "Wrong input", "content": {"application/json": {"schema": problem}}}
    tree = with_operation({"responses": {**OK, "422": refusal}})
    body = {"error": {"faults": [{"parameter": "size", "description": "Too large"}]}}
    async with served(tree, tmp_path, answer(422, body)) as (app, _):
        found = await app.run(PERFORM.format("act"))
    assert found.error == "HaltedError"
    assert found.message.endswith(" answered with status 422. size: Too large.")
