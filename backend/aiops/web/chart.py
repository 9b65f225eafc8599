"""Credits by day and service as stacked bars: numbers of an SVG, worked out here and printed by a template."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from aiops.jobs.listing import Use

WIDTH, HEIGHT = 720, 200
LEFT, BOTTOM, TOP = 36, 22, 8
GAP = 0.28  # of a day's width
LABEL_EVERY_DAYS = 7
SERIES_MAX = 3


@dataclass(frozen=True, slots=True)
class Bar:
    """A service's part of a day; `series` numbers its colour, from 1."""

    series: int
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`rows` are the same numbers for those who do not see the bars: day, then credits by service."""

    width: int
    height: int
    bars: Sequence[Bar]
    days: Sequence[Label]
    values: Sequence[Label]
    legend: Mapping[int, str]
    rows: Sequence[tuple[date, Sequence[int]]]

    @property
    def base(self) -> int:
        return HEIGHT - BOTTOM

    @property
    def left(self) -> int:
        return LEFT


@dataclass(frozen=True, slots=True)
class _Axes:
    """`services` are names by operationId, in the order of their colours; `top` is the credits of a full height."""

    services: Mapping[str, str]
    first: date
    day_width: float
    top: int

    def x(self, day: date) -> float:
        return LEFT + (day - self.first).days * self.day_width

    def y(self, value: int) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / self.top


def draw(use: Sequence[Use], services: Mapping[str, str], first: date, days: int) -> Chart:
    """`services` are names by operationId, in the order of their colours."""
    by_day: dict[date, dict[str, int]] = defaultdict(dict)
    for one in use:
        by_day[one.day][one.service] = one.credits
    top = _ceiling(max((sum(parts.values()) for parts in by_day.values()), default=0))
    axes = _Axes(services, first, (WIDTH - LEFT) / days, top)
    labelled = [first + timedelta(days=number) for number in range(0, days, LABEL_EVERY_DAYS)]
    return Chart(
        WIDTH,
        HEIGHT,
        bars=[bar for day, parts in sorted(by_day.items()) for bar in _stack(axes, day, parts)],
        days=[Label(round(axes.x(day), 1), HEIGHT - 6, f"{day:%-d %b}") for day in labelled],
        values=[Label(LEFT - 6, round(axes.y(value), 1), f"{value:,}") for value in (0, top // 2, top)],
        legend={_series(number): name for number, name in enumerate(services.values())},
        rows=[(day, [parts.get(service, 0) for service in services]) for day, parts in sorted(by_day.items())],
    )


def _stack(axes: _Axes, day: date, parts: Mapping[str, int]) -> list[Bar]:
    bars, below = [], 0
    for number, (service, name) in enumerate(axes.services.items()):
        credits_ = parts.get(service, 0)
        if credits_:
            y = round(axes.y(below + credits_), 1)
            height = round(axes.y(below) - y, 1)
            width = round(axes.day_width * (1 - GAP), 1)
            title = f"{day:%-d %B}: {name}, {credits_:,} credits"
            bars.append(Bar(_series(number), round(axes.x(day), 1), y, width, height, title))
            below += credits_
    return bars


def _series(number: int) -> int:
    return number % SERIES_MAX + 1


def _ceiling(most: int) -> int:
    """A round number that no bar is above, and half of which is whole."""
    if most <= 10:
        return 10
    step = int(10 ** math.floor(math.log10(most)))
    return next(step * factor // 10 for factor in (10, 20, 40, 60, 80, 100) if step * factor // 10 >= most)
