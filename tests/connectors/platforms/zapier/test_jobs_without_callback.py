"""Jobs of an API that calls nobody back: a run waits a little for them, and loses none."""

from pathlib import Path
from typing import Any

import pytest

from aiops_connect.platforms.zapier.emitter import EMITTER
from tests.connectors.openapi.test_jobs_and_triggers import JOB, NOT_OF_A_JOB, jobs
from tests.connectors.openapi.test_jobs_and_triggers import answer as described
from tests.connectors.platforms.zapier.conftest import PERFORM
from tests.connectors.platforms.zapier.test_errors import answer
from tests.connectors.platforms.zapier.test_pages import served
from tests.fixtures.documents import app_of
from tests.fixtures.publisher import PUBLISHER

pytestmark = pytest.mark.asyncio(loop_scope="module")
ACT = PERFORM.format("act")
QUEUED = {"id": "job_1", "status": "queued"}
DONE = {"id": "job_1", "status": "done", "result": {"url": "https://files.example/a.png"}}


@pytest.mark.parametrize("meta", [{}, {"isLoadingSample": True}], ids=["run", "editor"])
@pytest.mark.parametrize("status", ["201", "2XX", "default"])
async def test_a_job_is_waited_for_whatever_status_the_document_gives_it(
    status: str, meta: dict[str, Any], tmp_path: Path
) -> None:
    tree = jobs(parameters=[], responses={status: described(JOB)})
    async with served(tree, tmp_path, answer(201, QUEUED), answer(200, DONE)) as (app, api):
        found = await app.run(ACT, meta=meta)
        assert (found.results, found.error) == (DONE, "")
        assert len(api.requests) == 2


@pytest.mark.parametrize("status", [429, 503])
async def test_a_run_that_cannot_look_its_job_up_names_it_and_is_not_repeated(status: int, tmp_path: Path) -> None:
    """Zapier repeats what fails otherwise, and the work would be done, and paid for, again."""
    async with served(jobs(), tmp_path, answer(202, QUEUED), answer(status, {"error": "Not now"})) as (app, api):
        found = await app.run(ACT)
        assert found.error == "HaltedError"
        assert found.message == "The job job_1 has not ended so far. Look it up by its id before you replay this run."
        assert len(api.requests) == 2


@pytest.mark.parametrize("content", NOT_OF_A_JOB)
async def test_a_job_whose_result_nobody_would_get_is_told(content: dict[str, Any]) -> None:
    responses = {"200": {"description": "It.", "content": content}, "202": described(JOB)}
    (problem,) = EMITTER.emit(app_of(jobs(responses=responses)), PUBLISHER).problems
    assert problem.pointer == "#/paths/~1act/post"
    assert "whose result Zapier would lose" in problem.message
