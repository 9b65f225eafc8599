"""The program, as `aiops` or `python -m aiops`."""

import contextlib
import os
import sys
from typing import NoReturn

from aiops.cli import main


def run() -> NoReturn:
    """Runs a command, and ends the process with its code.

    Python is not taken down before: a thread of obstore's that has yet to return from its last word to us would have
    that end in SIGABRT (PyO3/pyo3-async-runtimes, issue 40).
    """
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    run()
