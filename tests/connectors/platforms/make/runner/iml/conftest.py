from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from aiops_connect.platforms.make.runner.clock import InstantClock
from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.template import render

VARIABLES: dict[str, Any] = {
    "text": "Hello",
    "five": 5,
    "nothing": None,
    "empty": "",
    "date": datetime(2026, 3, 29, 0, 30, 15, 250_000, tzinfo=UTC),
    "people": [
        {"name": "Ann", "age": 30, "home": {"city": "Brno"}},
        {"name": "bob", "age": 4, "home": {"city": "Aix"}},
        {"name": "Cid", "age": 30, "home": {"city": "Brno"}},
    ],
    "headers": {"content-type": "text/html", "X-Key": "k"},
    "buffer": b"\x00\xff",
    "nested": [1, [2, [3, [4]]]],
    "odd": {"first name": "Ann", "1": "one"},
}

Evaluate = Callable[..., Any]


@pytest.fixture
def evaluate() -> Evaluate:
    """The value of a text with expressions, at noon on 4 March 2026."""

    def evaluated(text: str, timezone: str = "UTC", **variables: Any) -> Any:
        clock = InstantClock(datetime(2026, 3, 4, 12, tzinfo=UTC))
        return render(text, lambda: Context({**VARIABLES, **variables}, clock, timezone, Random(1)))

    return evaluated
