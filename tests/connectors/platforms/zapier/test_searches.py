"""Finding jobs and the account."""

import pytest

from tests.connectors.platforms.zapier.conftest import Zap

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIND_JOB = "searches.find_job.operation.perform"
FIND_ACCOUNT = "searches.find_account.operation.perform"


async def test_a_job_is_found_with_its_file(zap: Zap) -> None:
    done = await zap.whole("generate_image", {"prompt": "A lighthouse"})
    found = await zap.app.run(FIND_JOB, {"job_id": done.results["job_id"]})
    [job] = found.results
    assert (job["status"], job["credits_charged"]) == ("succeeded", 5)
    assert job["result"]["image"].startswith("hydrate|||")
    operation = (await zap.app.definition())["searches"]["find_job"]["operation"]
    assert operation["sample"].keys() <= job.keys()


@pytest.mark.parametrize("job_id", ["job_that_is_not_there", "../account", "%2e%2e/account", "x/../../account?a=#"])
async def test_a_job_that_is_not_there_is_not_found(zap: Zap, job_id: str) -> None:
    assert (await zap.app.run(FIND_JOB, {"job_id": job_id})).results == []


@pytest.mark.parametrize("job_id", [".", ".."])
async def test_dots_lead_to_no_other_operation(zap: Zap, job_id: str) -> None:
    found = await zap.app.run(FIND_JOB, {"job_id": job_id})
    assert (found.error, found.message) == ("HaltedError", 'An id cannot be empty, "." or "..". Enter another.')


async def test_the_account_is_found(zap: Zap) -> None:
    [account] = (await zap.app.run(FIND_ACCOUNT)).results
    assert account["credits"] == 1000
    operation = (await zap.app.definition())["searches"]["find_account"]["operation"]
    assert operation["sample"].keys() == account.keys()


async def test_the_account_is_found_only_under_its_own_email(zap: Zap) -> None:
    [account] = (await zap.app.run(FIND_ACCOUNT, {"email": f"{zap.mark}@EXAMPLE.com"})).results
    assert account["email"] == f"{zap.mark}@example.com"
    assert (await zap.app.run(FIND_ACCOUNT, {"email": "another@example.com"})).results == []
