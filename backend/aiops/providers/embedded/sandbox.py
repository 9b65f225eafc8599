"""Runs one CPU task in a subprocess that can be killed: the parent's side. The other side is `child.py`.

The parent writes one JSON line (task, arguments, workspace, limits) to the child's stdin and keeps stdin open:
its end of file tells the child that the server is gone. The child answers in JSON lines: any number of
`{"progress": 0.5}`, then one of `{"result": {...}}`, `{"rejected": "sentence"}`,
`{"unavailable": "sentence"}`, `{"failed": "memory" | "crash"}`.
Bytes come back as the file `output` in the workspace, a folder that the parent makes and removes.
"""

import asyncio
import json
import logging
import math
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from aiops.providers.base import ProviderError, ProviderRejectedError, ProviderUnavailableError

logger = logging.getLogger(__name__)

CHILD_MODULE = "aiops.providers.embedded.child"
OUTPUT_NAME = "output"
LOG_NAME = "log"

# A transcript of three hours is about 0.2 MB; progress is reported in steps of a hundredth.
LINE_BYTES_MAX = 2 * 1024 * 1024
LINES_MAX = 1000
LOG_TAIL_BYTES = 4096

# Enough to find the interpreter's libraries; nothing of ours (AIOPS_*, provider tokens) is ever passed on.
ENVIRONMENT_KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")

TOO_SLOW = "The embedded engine took too long and was stopped."
TOO_LARGE = "The embedded engine needed more memory than it may use."
CRASHED = "The embedded engine stopped unexpectedly."
NONSENSE = "The embedded engine gave an answer that makes no sense."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may use. `memory_bytes` bounds the address space, `file_bytes` each file that it writes."""

    memory_bytes: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task answered, and the bytes it left in its output file (empty if it left none)."""

    values: Mapping[str, Any]
    output: bytes


class Sandbox:
    """Runs tasks in subprocesses, at most `concurrency` at once: one instance a server process."""

    def __init__(self, concurrency: int | None = None, import_roots: Sequence[Path] = ()) -> None:
        """`concurrency` defaults to the processors at hand; `import_roots` are searched for tasks besides ours."""
        self._slots = asyncio.Semaphore(concurrency or _processors())
        self._environment = _environment(import_roots)

    async def run(
        self,
        task: str,
        arguments: Mapping[str, Any],
        *,
        limits: Limits,
        deadline_seconds: float,
        progress: Callable[[float], None] | None = None,
    ) -> Outcome:
        """Run `task` ("package.module:function") on JSON `arguments`; waiting for a free slot counts as time.

        The function takes (arguments, workspace: child.Workspace) and returns a JSON object. When this returns
        or raises, cancellation included, no process and no file of the task is left.

        Raises ProviderRejectedError as the task raised it, ProviderUnavailableError for all that went wrong.
        """
        try:
            async with asyncio.timeout(deadline_seconds), self._slots:
                with TemporaryDirectory(prefix="aiops-sandbox-", ignore_cleanup_errors=True) as folder:
                    request = {
                        "task": task,
                        "arguments": arguments,
                        "workspace": folder,
                        "limits": {**asdict(limits), "cpu_seconds": math.ceil(deadline_seconds) + 1},
                    }
                    return await self._run_in(Path(folder), request, limits, progress or _ignore)
        except TimeoutError:
            raise ProviderUnavailableError(TOO_SLOW) from None

    async def _run_in(
        self, folder: Path, request: Mapping[str, Any], limits: Limits, progress: Callable[[float], None]
    ) -> Outcome:
        async with _child(folder, self._environment) as process:
            values = await _converse(process, request, progress, folder / LOG_NAME)
            return Outcome(values, _read_output(folder / OUTPUT_NAME, limits.file_bytes))


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _environment(import_roots: Sequence[Path]) -> dict[str, str]:
    ours = Path(__file__).resolve().parents[3]
    kept = {name: os.environ[name] for name in ENVIRONMENT_KEPT if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(str(root) for root in (ours, *import_roots)),
        "LC_ALL": "C.UTF-8",
        "MALLOC_ARENA_MAX": "1",  # each further arena of glibc reserves 128 MB of the address space
    }


def _ignore(_fraction: float) -> None:
    return None


@asynccontextmanager
async def _child(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """A child in a process group of its own, which does not survive this block."""
    with _new_log(folder) as log:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # the workspace is the current directory: nothing is imported from there
                "-m",
                CHILD_MODULE,
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                limit=LINE_BYTES_MAX,
            )
        except OSError as error:
            logger.exception("the embedded engine could not be started")
            raise ProviderUnavailableError("The embedded engine could not be started.") from error
    try:
        yield process
    finally:
        _kill_group(process)
        assert process.stdin is not None
        process.stdin.close()
        await process.communicate()  # waits for the end of its pipes as well, which `wait` does not
        await _reap_group(process.pid)


def _new_log(folder: Path) -> IO[bytes]:
    # A file because RLIMIT_FSIZE bounds it; a pipe would need a reader of its own.
    return (folder / LOG_NAME).open("wb")


def _kill_group(process: Process) -> None:
    # The child's watcher stays in the group until it is killed here, so the group's id cannot be another's yet.
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


async def _reap_group(group: int) -> None:
    # What the child had started is handed to the first process of the machine or container. Where that is this
    # process, nobody else waits for them, and each would stay a zombie.
    if sys.platform != "win32":
        with suppress(ChildProcessError):
            while True:
                await asyncio.to_thread(os.waitpid, -group, 0)


async def _converse(
    process: Process, request: Mapping[str, Any], progress: Callable[[float], None], log: Path
) -> Mapping[str, Any]:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        await process.stdin.drain()
    except ConnectionError:
        pass  # it died at once: the missing answer below says so
    for _ in range(LINES_MAX):
        match await _answer(process, log):
            case {"progress": float(fraction)} if 0 <= fraction <= 1:
                progress(fraction)
            case {"result": dict(values)}:
                return values
            case answer:
                raise _failure(answer, log)
    raise ProviderUnavailableError(NONSENSE)


async def _answer(process: Process, log: Path) -> Any:
    """The next line, parsed; None for what is not JSON. Raises ProviderUnavailableError if there is none."""
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        if line:
            return json.loads(line)
    except (ValueError, RecursionError):  # longer than LINE_BYTES_MAX, not UTF-8, not JSON, or absurdly deep
        return None
    _kill_group(process)
    raise _crash(log, f"exit status {await process.wait()}")


def _failure(answer: Any, log: Path) -> ProviderError:
    match answer:
        case {"rejected": str(reason)}:
            return ProviderRejectedError(reason)
        case {"unavailable": str(reason)}:
            return ProviderUnavailableError(reason)
        case {"failed": "memory"}:
            return ProviderUnavailableError(TOO_LARGE)
        case {"failed": "crash"}:
            return _crash(log, "exception")
        case _:
            return ProviderUnavailableError(NONSENSE)


def _crash(log: Path, how: str) -> ProviderUnavailableError:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
        tail = file.read(LOG_TAIL_BYTES).decode(errors="replace")
    logger.error("the embedded engine stopped (%s): %s", how, tail)
    return ProviderUnavailableError(CRASHED)


def _read_output(path: Path, bytes_max: int) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise ProviderUnavailableError(NONSENSE)
    return data
