"""`make bench`: the service beside a bare FastAPI route and beside its own SQL by pgbench, in one run, as ratios.

Each round runs every target once, one after the other, so that whatever else the machine does meets all of them. The
first round of all is for warming up. It ends with 1 where an answer was not right, a ledger is not in order, or
`call.sql` is no longer what the service sends.
"""

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.bench import BARE, Bench, bench
from tests.benchmarks.measured import BenchmarkError, Pace, Run
from tests.benchmarks.report import Cell, Memory, table

RAMP_SECONDS = 0.5
CLIENT_CPU_MAX = 0.8  # beyond, the load and not the server is what was measured


def main() -> int:
    options = _options()
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="aiops-bench-") as folder, bench(Path(folder)) as running:
            at_rest = {name: server.memory_mb("VmRSS") for name, server in running.servers.items()}
            cells = _measure(running, options.connections, options.rounds, options.seconds)
            memory = {
                name: Memory(at_rest[name], server.memory_mb("VmHWM")) for name, server in running.servers.items()
            }
            problems = [*_busy_clients(cells), *running.findings(), *running.drift]
    except BenchmarkError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(table(cells, memory, BARE))
    print("\nEach ratio is the median of ratios within a round: to the bare route, and to pgbench on as many accounts.")
    print(f"Medians of {options.rounds} runs of {options.seconds:g} s; {time.monotonic() - started:.0f} s in all.")
    for problem in problems:
        print(f"bench: {problem}", file=sys.stderr)
    if options.json is not None:
        _write_json(options.json, cells, memory, problems)
    return 1 if problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5, help="how long a run counts")
    parser.add_argument("--rounds", type=int, default=3, help="how many runs of each target are counted")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 32], help="how many calls at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run and ratio there as well")
    return parser.parse_args()


def _measure(running: Bench, connections: Sequence[int], rounds: int, seconds: float) -> list[Cell]:
    pace = Pace(RAMP_SECONDS, seconds)
    for case in running.cases:
        _say(f"warming up: {case.target.name}")
        case.target.measure(max(connections), pace)
    cells = []
    for number in connections:
        cases = [case for case in running.cases if number >= case.connections_min]
        runs: dict[str, list[Run]] = {case.target.name: [] for case in cases}
        for round_ in range(rounds):
            for case in cases:
                _say(f"{number} at a time, round {round_ + 1} of {rounds}: {case.target.name}")
                runs[case.target.name].append(case.target.measure(number, pace))
        cells += [
            Cell(
                case.target.name,
                number,
                runs[case.target.name],
                runs[case.bare] if case.bare else None,
                runs[case.pgbench] if case.pgbench else None,
            )
            for case in cases
        ]
    _say("")
    return cells


def _busy_clients(cells: Sequence[Cell]) -> list[str]:
    return [
        f"{cell.name} at {cell.connections}: the load generator was busy {run.client_cpu:.0%} of the time"
        for cell in cells
        for run in cell.runs
        if run.client_cpu is not None and run.client_cpu > CLIENT_CPU_MAX
    ]


def _say(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)


def _write_json(path: Path, cells: Sequence[Cell], memory: dict[str, Memory], problems: list[str]) -> None:
    report = {
        "machine": platform.platform(),
        "python": platform.python_version(),
        "cells": [cell.as_json() for cell in cells],
        "memory_mb": {name: {"at_rest": one.at_rest, "peak": one.peak} for name, one in memory.items()},
        "problems": problems,
    }
    path.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
