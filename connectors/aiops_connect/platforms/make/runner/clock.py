"""The clocks of a run: one that waits, and one that is moved on instead."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What `now`, `timestamp` and the delays of `repeat` go by."""

    def now(self) -> datetime:
        """The present, in UTC, to the millisecond as in JavaScript."""

    def wait(self, seconds: float) -> None:
        """Comes back when `seconds` have passed on this clock."""


def to_millisecond(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class RealClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return to_millisecond(datetime.now(UTC))

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class InstantClock:
    """Waits take no time: the clock is moved on, so what an app does after five minutes is seen at once."""

    present: datetime = field(default_factory=lambda: datetime.now(UTC))
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return to_millisecond(self.present)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.present += timedelta(seconds=seconds)
