"""What came of all runs: medians, and their ratios to the baselines of the same round."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.benchmarks.measured import Run

NAME_WIDTH = 34
MEASURES = ("per_second", "p50_ms", "p99_ms", "cpu_ms")


@dataclass(frozen=True, slots=True)
class Cell:
    """The counted runs of a target, those of its baselines beside them round by round."""

    name: str
    connections: int
    runs: Sequence[Run]
    baselines: Mapping[str, Sequence[Run]]

    def median(self, measure: str) -> float | None:
        return _median([getattr(run, measure) for run in self.runs])

    def ratio(self, measure: str, baseline: str) -> float | None:
        """The median of the ratios, each of two runs that followed one another."""
        pairs = zip(self.runs, self.baselines.get(baseline, []), strict=False)
        values = [(getattr(run, measure), getattr(base, measure)) for run, base in pairs]
        return _median([None if not value or not base else value / base for value, base in values])

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "connections": self.connections,
            "medians": {measure: self.median(measure) for measure in MEASURES},
            "ratios": {
                baseline: {measure: self.ratio(measure, baseline) for measure in MEASURES}
                for baseline in self.baselines
            },
            "runs": [asdict(run) for run in self.runs],
        }


@dataclass(frozen=True, slots=True)
class Memory:
    """What a server's process occupies, in MB."""

    at_rest: float
    peak: float


@dataclass(frozen=True, slots=True)
class Section:
    """What came of one suite; `problems` are sentences that say why it is not to be trusted."""

    unit: str
    cells: Sequence[Cell]
    memory: Mapping[str, Memory] = field(default_factory=dict)
    problems: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "cells": [cell.as_json() for cell in self.cells],
            "memory_mb": {name: asdict(one) for name, one in self.memory.items()},
            "problems": list(self.problems),
        }

    def lines(self) -> list[str]:
        """A table for each number of calls at a time, then the memory."""
        columns = [column for column in self._columns() if any(column.value(cell) is not None for cell in self.cells)]
        lines = []
        for connections in sorted({cell.connections for cell in self.cells}):
            title = f"{connections} at a time".ljust(NAME_WIDTH)
            lines += ["", title + "".join(f"{column.head:>{column.width}}" for column in columns)]
            lines += [
                f"  {cell.name}".ljust(NAME_WIDTH) + "".join(column.text(cell) for column in columns)
                for cell in self.cells
                if cell.connections == connections
            ]
        return lines + (_memory_lines(self.memory) if self.memory else [])

    def _columns(self) -> list["_Column"]:
        baselines = list(dict.fromkeys(baseline for cell in self.cells for baseline in cell.baselines))
        columns = []
        for measure, head, width, digits in (
            ("per_second", f"{self.unit}/s", 10, 1),
            ("p50_ms", "p50 ms", 10, 1),
            ("p99_ms", "p99 ms", 10, 1),
            ("cpu_ms", "CPU ms", 9, 2),
        ):
            of, ratio_digits = ("of", 3) if measure == "per_second" else ("x", 1)
            columns.append(_Column(head, width, digits, measure))
            columns += [_Column(f"{of} {one}", 9, ratio_digits, measure, one) for one in baselines]
        return columns


@dataclass(frozen=True, slots=True)
class _Column:
    """A measure, or its ratio to a baseline."""

    head: str
    width: int
    digits: int
    measure: str
    baseline: str | None = None

    def value(self, cell: Cell) -> float | None:
        return cell.median(self.measure) if self.baseline is None else cell.ratio(self.measure, self.baseline)

    def text(self, cell: Cell) -> str:
        value = self.value(cell)
        return f"{value:{self.width},.{self.digits}f}" if value is not None else " " * self.width


def _memory_lines(memory: Mapping[str, Memory]) -> list[str]:
    base = next(iter(memory.values()))
    lines = ["", f"{'Memory of the process':34}{'at rest MB':>18}{'x bare':>9}{'peak MB':>10}{'x bare':>9}"]
    for name, one in memory.items():
        rest, peak = one.at_rest / base.at_rest, one.peak / base.peak
        lines.append(f"  {name:32}{one.at_rest:18.0f}{rest:9.2f}{one.peak:10.0f}{peak:9.2f}")
    return lines


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
