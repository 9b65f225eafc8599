"""Connecting: what is tested, what the connection is called, and where the key goes."""

import pytest

from tests.connectors.platforms.zapier.conftest import Zap

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEST = "authentication.test"


async def test_a_connection_is_called_after_its_account(zap: Zap) -> None:
    found = await zap.app.run(TEST)
    assert found.results["email"] == f"{zap.mark}@example.com"
    assert (await zap.app.definition())["authentication"]["connectionLabel"] == "{{connection_label}}"
    assert found.results["connection_label"] == f"{zap.mark}@example.com"
    assert zap.key not in str(found.results)


@pytest.mark.parametrize("key", ["wrong", "aiops_sk_0123456789abcdefghijkl", "with spaces and ümlauts"])
async def test_a_wrong_key_is_told_in_a_sentence(zap: Zap, key: str) -> None:
    zap.app.auth = {"api_key": key}
    found = await zap.app.run(TEST)
    assert found.error == "AppError", found
    assert (found.told["code"], found.told["status"]) == ("AuthenticationError", 401)
    assert found.told["message"].endswith("Check what you entered and try again.")
    assert key not in found.told["message"]
