"""`make bench`: the service beside a bare FastAPI route and beside its own SQL by pgbench, in one run, as ratios.

First calls over HTTP, to one process and to several, then how soon a job's end is told, then holds and claims by the
service's own functions, then pages and lists of an account with 100,000 jobs. Each round runs every target once, one
after the other, so that whatever else the machine does meets all of them. The first round of all is for warming up. It
ends with 1 where an answer was not right, a ledger is not in order, or a script is no longer what the service sends.
"""

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks.calls import calls
from tests.benchmarks.claims import claims
from tests.benchmarks.databases import postgresql
from tests.benchmarks.holds import holds
from tests.benchmarks.measured import BenchmarkError, Pace, Run
from tests.benchmarks.pages import pages
from tests.benchmarks.processes import processes
from tests.benchmarks.report import Cell, Memory, Section
from tests.benchmarks.suite import Case, Suite
from tests.benchmarks.told import told

RAMP_SECONDS = 0.5
CLIENT_CPU_MAX = 0.8  # beyond, the load and not the server is what was measured


def main() -> int:
    options = _options()
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="aiops-bench-") as name:
            sections = _run(Path(name), options)
    except BenchmarkError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    problems = [problem for section in sections for problem in section.problems]
    print("\n".join(line for section in sections for line in section.lines()))
    print("\nEach ratio is the median of ratios within a round: to the bare route, and to the same SQL without aiops")
    print("(pgbench, or sqlite3) on as many accounts; a whole `submit` is held against the SQL of a hold.")
    print(f"Medians of {options.rounds} runs; {time.monotonic() - started:.0f} s in all.")
    for problem in problems:
        print(f"bench: {problem}", file=sys.stderr)
    if options.json is not None:
        _write_json(options.json, sections)
    return 1 if problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5, help="how long a run counts, one of holds half of it")
    parser.add_argument("--rounds", type=int, default=3, help="how many runs of each target are counted")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 32], help="how many calls at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run and ratio there as well")
    return parser.parse_args()


def _run(folder: Path, options: argparse.Namespace) -> list[Section]:
    sections = []
    with postgresql(folder / "postgresql") as server:
        for make in (calls, processes, told, holds, claims, pages):
            with make(folder, server) as suite:
                sections.append(_section(suite, options))
    return sections


def _section(suite: Suite, options: argparse.Namespace) -> Section:
    at_rest = {name: server.memory_mb("VmRSS") for name, server in suite.servers.items()}
    pace = Pace(RAMP_SECONDS * suite.share_of_time, options.seconds * suite.share_of_time)
    cells = _measure(suite, options.connections, options.rounds, pace)
    memory = {name: Memory(at_rest[name], server.memory_mb("VmHWM")) for name, server in suite.servers.items()}
    return Section(suite.unit, cells, memory, [*_busy_clients(cells), *suite.findings(), *suite.drift])


def _measure(suite: Suite, connections: Sequence[int], rounds: int, pace: Pace) -> list[Cell]:
    for case in suite.cases:
        _say(f"warming up: {case.target.name}")
        case.target.measure(min(max(connections), case.connections_max), pace)
    cells = []
    for number in connections:
        cases = [case for case in suite.cases if case.connections_min <= number <= case.connections_max]
        runs: dict[str, list[Run]] = {case.target.name: [] for case in cases}
        for round_ in range(rounds):
            for case in cases:
                _say(f"{number} at a time, round {round_ + 1} of {rounds}: {case.target.name}")
                runs[case.target.name].append(case.target.measure(number, pace))
        cells += [_cell(case, number, runs) for case in cases]
    _say("")
    return cells


def _cell(case: Case, connections: int, runs: Mapping[str, list[Run]]) -> Cell:
    baselines = {word: runs[name] for word, name in case.baselines.items()}
    return Cell(case.target.name, connections, runs[case.target.name], baselines)


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


def _write_json(path: Path, sections: Sequence[Section]) -> None:
    report = {
        "machine": platform.platform(),
        "python": platform.python_version(),
        **{section.unit: section.as_json() for section in sections},
    }
    path.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
