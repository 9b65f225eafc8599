from pathlib import Path

import pytest

from aiops.accounts.plans import FILE_LIMITS, limits_of, load_plans
from aiops.contract.models import Limits

FREE = "free: {monthly_credits: 25, requests_per_minute: 10, jobs_at_once: 2, jobs_queued: 100, audio_minutes: 10}\n"


def limits(credits_: int, requests: int, jobs: int, audio: int, **files: int) -> Limits:
    return Limits(
        monthly_credits=credits_,
        requests_per_minute=requests,
        jobs_at_once=jobs,
        jobs_queued=100,
        audio_minutes=audio,
        **(FILE_LIMITS | files),
    )


def test_the_plans_that_come_with_aiops_are_those_of_the_contract() -> None:
    assert load_plans(None) == {
        "free": limits(25, 10, 2, 10),
        "pro": limits(500, 60, 10, 60, stored_files=500, stored_megabytes=5000),
        "business": limits(5000, 300, 50, 180, stored_files=5000, stored_megabytes=50_000),
    }


def test_an_own_file_replaces_the_plans(tmp_path: Path) -> None:
    path = tmp_path / "plans.yaml"
    path.write_text(FREE + FREE.replace("free", "größer").replace("25", "70"))
    assert load_plans(path) == {"free": limits(25, 10, 2, 10), "größer": limits(70, 10, 2, 10)}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(None, "No such file or directory", id="no file"),
        pytest.param(b"", "Input should be a valid dictionary", id="empty"),
        pytest.param(b"free: [", "while parsing a flow node", id="not YAML"),
        pytest.param(b"\xff\xfe\xfa", "codec can't decode", id="not UTF-8"),
        pytest.param(b"- free\n", "Input should be a valid dictionary", id="a list"),
        pytest.param(b"free: 25\n", "free: Input should be a valid dictionary", id="no limits"),
        pytest.param(FREE.replace("free", "pro").encode(), "has no plan named free", id="no plan to start on"),
        pytest.param(
            FREE.replace(", audio_minutes: 10", "").encode(), "free.audio_minutes: Field required", id="a limit missing"
        ),
        pytest.param(
            FREE.replace("25", "-1").encode(),
            "free.monthly_credits: Input should be greater than or equal to 0",
            id="negative",
        ),
        pytest.param(
            FREE.replace("25", "many").encode(), "free.monthly_credits: Input should be a valid integer", id="no number"
        ),
        pytest.param(
            FREE.replace("requests_per_minute: 10", "requests_per_minute: 0").encode(),
            "free.requests_per_minute: Input should be greater than or equal to 1",
            id="no requests at all",
        ),
    ],
)
def test_a_plans_file_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / "plans.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError) as refusal:
        load_plans(path)
    message = str(refusal.value)
    assert message.startswith(f"The plans file {path} ")
    assert problem in message
    assert "\n" not in message


def test_a_plan_that_is_not_in_the_file_has_the_limits_of_the_smallest() -> None:
    plans = load_plans(None)
    assert limits_of(plans, "pro") == plans["pro"]
    assert limits_of(plans, "platinum") == plans["free"]
