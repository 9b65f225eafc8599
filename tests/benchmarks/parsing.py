"""`make bench`, the generator: time and memory of reading the largest document of AIOPS_SPECS, beside connectorgen, the
generator of connectors on PyPI, and how both grow with the number of operations.

Each reading is a process of its own; the two take turns, so that whatever else the machine does meets both. It ends
with 1 where either reads fewer operations than there are, or ours grows faster than the document.
"""

import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aiops_connect.loading import load
from tests.benchmarks.measured import BenchmarkError

DOCUMENT = "openai.yaml"
NAMES = ("aiops-connect", "connectorgen")
COPIES = (1, 2, 4)  # of the document in one
GROWTH_MAX = 1.25  # of the exponent: 1 is linear
_REFERENCE = re.compile(r"(#/components/(?!securitySchemes)\w+/)")
REPEATS = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a document took: seconds, and MB beyond what the process had before."""

    seconds: float
    memory_mb: float
    operations: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.parsing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each takes its turn")
    options = parser.parse_args()
    try:
        tree = load(_document())
        with tempfile.TemporaryDirectory(prefix="aiops-bench-") as folder:
            cells = {number: _rounds(_copies(tree, number, Path(folder)), options.rounds) for number in COPIES}
    except BenchmarkError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print("\n".join(_lines(cells)))
    problems = list(_problems(cells, {number: number * _count(tree) for number in COPIES}))
    for problem in problems:
        print(f"bench: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _document() -> Path:
    path = Path(os.environ.get("AIOPS_SPECS", "")) / DOCUMENT
    if "AIOPS_SPECS" not in os.environ or not path.is_file():
        raise BenchmarkError(
            f"set AIOPS_SPECS to a folder that holds {DOCUMENT}, the OpenAPI document of the OpenAI API"
        )
    return path


def _copies(tree: dict[str, Any], number: int, folder: Path) -> Path:
    """The document as it was published, or, of larger ones, so many copies of its operations and components in one."""
    if number == 1:
        return _document()
    paths: dict[str, Any] = {}
    components: dict[str, Any] = {"securitySchemes": tree["components"]["securitySchemes"]}
    for copy in range(number):
        text = _REFERENCE.sub(rf"\1c{copy}_", json.dumps({name: tree[name] for name in ("paths", "components")}))
        part = json.loads(text)
        paths |= {f"/c{copy}{path}": _renamed(item, copy) for path, item in part["paths"].items()}
        for kind, named in part["components"].items():
            if kind != "securitySchemes":
                components.setdefault(kind, {}).update({f"c{copy}_{name}": one for name, one in named.items()})
    path = folder / f"copies{number}.yaml"
    others = {name: value for name, value in tree.items() if name != "webhooks"}
    path.write_text(yaml.dump({**others, "paths": paths, "components": components}, Dumper=yaml.CSafeDumper))
    return path


def _renamed(item: dict[str, Any], copy: int) -> dict[str, Any]:
    return {
        method: {**node, "operationId": f"{node['operationId']}_{copy}"} if "operationId" in node else node
        for method, node in item.items()
    }


def _count(tree: dict[str, Any]) -> int:
    methods = {"get", "put", "post", "delete", "patch"}
    return sum(method in methods for item in tree["paths"].values() for method in item)


def _rounds(path: Path, rounds: int) -> dict[str, Reading]:
    runs: dict[str, list[Reading]] = {name: [] for name in NAMES}
    for number in range(rounds):
        for name in NAMES:
            if sys.stderr.isatty():
                print(
                    f"\r\033[K{path.name}, round {number + 1} of {rounds}: {name}", end="", file=sys.stderr, flush=True
                )
            runs[name].append(_read(name, path))
    return {
        name: Reading(
            statistics.median(one.seconds for one in found),
            statistics.median(one.memory_mb for one in found),
            found[0].operations,
        )
        for name, found in runs.items()
    }


def _read(name: str, path: Path) -> Reading:
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.parse_once", name, str(path), str(REPEATS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchmarkError(f"{name} did not read {path.name}: {done.stderr.strip().splitlines()[-1:]}")
    found = json.loads(done.stdout)
    return Reading(found["seconds"], found["peak_mb"] - found["at_rest_mb"], found["operations"])


def _lines(cells: dict[int, dict[str, Reading]]) -> Iterator[str]:
    head = "".join(f"{name:>16}{'of it':>8}" for name in NAMES[:1]) + f"{NAMES[1]:>16}"
    for title, measure in (("ms", "seconds"), ("MB", "memory_mb")):
        yield f"\n{'Reading, ' + title:<24}{head}"
        for cell in cells.values():
            one, other = (getattr(cell[name], measure) * (1000 if title == "ms" else 1) for name in NAMES)
            yield f"  {cell[NAMES[0]].operations:>5} operations      {one:16,.0f}{one / other:8.2f}{other:16,.0f}"
    yield ""
    for name in NAMES:
        yield f"{name} grows with the operations to the power of {_growth(cells, name):.2f} (1 is linear)"


def _growth(cells: dict[int, dict[str, Reading]], name: str) -> float:
    """The slope of time over operations, both as logarithms."""
    first, last = cells[COPIES[0]][name], cells[COPIES[-1]][name]
    return math.log(last.seconds / first.seconds) / math.log(last.operations / first.operations)


def _problems(cells: dict[int, dict[str, Reading]], expected: dict[int, int]) -> Iterator[str]:
    for number, cell in cells.items():
        for name, reading in cell.items():
            if reading.operations != expected[number]:
                yield f"{name} read {reading.operations} of {expected[number]} operations"
    growth = _growth(cells, NAMES[0])
    if growth > GROWTH_MAX:
        yield f"time grows with the operations to the power of {growth:.2f}"


if __name__ == "__main__":
    sys.exit(main())
