"""What came of all runs: medians, and their ratios to the baselines of the same round."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.benchmarks.measured import Run

HEAD = (
    f"{'':34}{'calls/s':>9}{'of bare':>9}{'of pgb.':>9}"
    f"{'p50 ms':>10}{'x bare':>9}{'x pgb.':>9}{'p99 ms':>10}{'x bare':>9}{'x pgb.':>9}{'CPU ms':>9}{'x bare':>9}"
)
MEASURES = ("per_second", "p50_ms", "p99_ms", "cpu_ms")


@dataclass(frozen=True, slots=True)
class Cell:
    """The counted runs of a target, those of its baselines beside them round by round."""

    name: str
    connections: int
    runs: Sequence[Run]
    bare: Sequence[Run] | None = None
    pgbench: Sequence[Run] | None = None

    def median(self, measure: str) -> float | None:
        return _median([getattr(run, measure) for run in self.runs])

    def ratio(self, measure: str, baseline: Sequence[Run] | None) -> float | None:
        """The median of the ratios, each of two runs that followed one another."""
        if baseline is None:
            return None
        pairs = zip(self.runs, baseline, strict=True)
        values = [(getattr(run, measure), getattr(base, measure)) for run, base in pairs]
        return _median([None if not value or not base else value / base for value, base in values])

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "connections": self.connections,
            "medians": {measure: self.median(measure) for measure in MEASURES},
            "ratios_to_bare": {measure: self.ratio(measure, self.bare) for measure in MEASURES},
            "ratios_to_pgbench": {measure: self.ratio(measure, self.pgbench) for measure in MEASURES},
            "runs": [asdict(run) for run in self.runs],
        }


@dataclass(frozen=True, slots=True)
class Memory:
    """What a server's process occupies, in MB."""

    at_rest: float
    peak: float


def table(cells: Sequence[Cell], memory: Mapping[str, Memory], bare: str) -> str:
    lines = []
    for connections in sorted({cell.connections for cell in cells}):
        lines += ["", f"{connections} at a time".ljust(34) + HEAD[34:]]
        lines += [_line(cell) for cell in cells if cell.connections == connections]
    lines += ["", f"{'Memory of the process':34}{'at rest MB':>18}{'x bare':>9}{'peak MB':>10}{'x bare':>9}"]
    base = memory[bare]
    for name, one in memory.items():
        rest, peak = one.at_rest / base.at_rest, one.peak / base.peak
        lines.append(f"  {name:32}{one.at_rest:18.0f}{rest:9.2f}{one.peak:10.0f}{peak:9.2f}")
    return "\n".join(lines)


def _line(cell: Cell) -> str:
    parts = [f"  {cell.name:32}"]
    for measure in ("per_second", "p50_ms", "p99_ms"):
        width = 9 if measure == "per_second" else 10
        parts.append(_number(cell.median(measure), width, 1))
        parts += [_number(cell.ratio(measure, base), 9, 3 if width == 9 else 1) for base in (cell.bare, cell.pgbench)]
    parts += [_number(cell.median("cpu_ms"), 9, 2), _number(cell.ratio("cpu_ms", cell.bare), 9, 1)]
    return "".join(parts)


def _number(value: float | None, width: int, digits: int) -> str:
    return f"{value:{width},.{digits}f}" if value is not None else " " * width


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
