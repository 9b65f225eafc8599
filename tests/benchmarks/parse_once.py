"""A process that reads one document with one generator, several times, and prints what it took as JSON."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path


def ours() -> Callable[[Path], int]:
    from aiops_connect.openapi import parse_file  # noqa: PLC0415 - what is not measured is not imported

    def read(path: Path) -> int:
        parsed = parse_file(path)
        assert parsed.app is not None
        return len(list(parsed.app.operations))

    return read


def connectorgen() -> Callable[[Path], int]:
    from connectorgen import connector_from_openapi  # noqa: PLC0415 - as above

    return lambda path: len(connector_from_openapi(str(path)).actions)


READERS = {"aiops-connect": ours, "connectorgen": connectorgen}


def peak_mb() -> float:
    """Of this process alone: what `getrusage` tells begins with that of whoever started it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not tell VmHWM")


def main() -> None:
    name, path, repeats = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    read = READERS[name]()
    at_rest = peak_mb()
    seconds, operations, first_peak = [], 0, 0.0
    for number in range(repeats):
        started = time.perf_counter()
        operations = read(path)
        seconds.append(time.perf_counter() - started)
        first_peak = first_peak if number else peak_mb()
    print(json.dumps({
        "seconds": statistics.median(seconds), "operations": operations, "at_rest_mb": at_rest, "peak_mb": first_peak,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
