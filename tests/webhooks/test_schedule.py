from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from aiops.webhooks.schedule import ATTEMPTS_MAX, next_attempt

NOW = datetime(2026, 1, 5, 10, 15, tzinfo=UTC)
# The schedule of the Standard Webhooks specification, in seconds after the attempt before.
SCHEDULE = {1: 5, 2: 300, 3: 1800, 4: 7200, 5: 18_000, 6: 36_000, 7: 50_400, 8: 72_000, 9: 86_400}


def pause(attempts: int, retry_after: str | None = None) -> float:
    moment = next_attempt(attempts, retry_after, NOW)
    assert moment is not None
    return (moment - NOW).total_seconds()


@pytest.mark.parametrize(("attempts", "seconds"), SCHEDULE.items())
def test_pauses_are_those_of_the_scheme_with_some_jitter(attempts: int, seconds: int) -> None:
    pauses = [pause(attempts) for _ in range(200)]
    assert 0.9 * seconds <= min(pauses) < 0.95 * seconds
    assert 1.05 * seconds < max(pauses) <= 1.1 * seconds


def test_after_the_last_attempt_there_is_none() -> None:
    assert ATTEMPTS_MAX == 10
    assert next_attempt(10, "5", NOW) is None


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        (format_datetime(NOW + timedelta(minutes=10), usegmt=True), 600),
        (format_datetime(NOW + timedelta(days=400), usegmt=True), 86_400),
        ("99999999999999999999", 86_400),
    ],
)
def test_it_is_not_tried_before_what_the_receiver_says(retry_after: str, seconds: int) -> None:
    assert pause(1, retry_after) == seconds


@pytest.mark.parametrize(
    "retry_after",
    [
        *("", "0", "1", "-5", "soon", "1.5", "Mon, 01 Jan 2001 00:00:00 GMT", "Mon, 99 Jan", "٣٣٣٣", "\x00"),
        *("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2027 00:00:00 +99999999999999999999"),
    ],
)
def test_what_is_sooner_or_cannot_be_read_is_left_aside(retry_after: str) -> None:
    assert 4.5 <= pause(1, retry_after) <= 5.5
