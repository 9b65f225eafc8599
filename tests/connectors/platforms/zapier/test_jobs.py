"""The three services as steps: charged once, waited for without holding the Zap, and right about how they ended."""

from typing import Any

import pytest

from tests.connectors.platforms.zapier.conftest import Zap

IMAGE = {"prompt": "A lighthouse", "aspect_ratio": "16:9", "style": "", "model": None}
SPEECH = {"text": "Hello {{bundle.inputData.name}} and {{process.env.HOME}}", "voice": "en-Emily_woman"}


@pytest.mark.parametrize(("step", "inputs", "cost"), [("generate_image", IMAGE, 5), ("generate_speech", SPEECH, 2)])
async def test_a_run_waits_for_its_callback_and_answers_with_the_result(
    zap: Zap, step: str, inputs: dict[str, Any], cost: int
) -> None:
    found = await zap.whole(step, inputs)
    assert (found.status, found.error) == ("SUCCESS", ""), found
    assert found.results["credits_charged"] == cost
    assert found.results["job_id"].startswith("job_")
    assert await zap.charges() == [-cost]
