"""The subprocess that runs one task and answers in JSON lines; started by `sandbox.py`, which says the protocol."""

import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from aiops.providers.base import ProviderRejectedError, ProviderUnavailableError

try:
    import resource
except ImportError:  # Windows: the server's deadline is the only bound
    resource = None  # type: ignore[assignment]

PROGRESS_STEP = 0.01
WATCH_SECONDS_MIN = 0.05
OPEN_FILES_MAX = 64


class Channel:
    """Where answers go: the first standard output, taken away from libraries that print there."""

    def __init__(self) -> None:
        self.descriptor = os.dup(1)
        os.dup2(2, 1)

    def send(self, answer: Mapping[str, Any]) -> None:
        """Write one line."""
        line = memoryview(json.dumps(answer).encode() + b"\n")
        while line:
            line = line[os.write(self.descriptor, line) :]


class Workspace:
    """What a task has besides its arguments: an empty folder, the file its bytes go to, and who hears of progress."""

    def __init__(self, folder: Path, channel: Channel) -> None:
        self.folder = folder
        self.output = folder / "output"
        self._channel = channel
        self._reported = 0.0

    def progress(self, fraction: float) -> None:
        """Report that `fraction` (0 to 1) is done; steps below a hundredth are kept back."""
        fraction = min(1.0, float(fraction))
        if fraction - self._reported >= PROGRESS_STEP:
            self._reported = fraction
            self._channel.send({"progress": fraction})

    @contextmanager
    def time_limit(self, cpu_seconds: float, reason: str) -> Iterator[None]:
        """What computes longer is the material's fault: the task is answered as rejected, whatever it is at.

        It is ended with the process, because native code that loops on a hostile file cannot be asked to stop.
        """
        ends = time.process_time() + cpu_seconds
        finished = threading.Event()

        def watch() -> None:
            while not finished.wait(max(WATCH_SECONDS_MIN, ends - time.process_time())):
                if time.process_time() >= ends:
                    self._channel.send({"rejected": reason})
                    os._exit(0)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            finished.set()
            watcher.join()


Task = Callable[[Mapping[str, Any], Workspace], Mapping[str, Any]]


def main() -> None:
    """Run the task of the one request on stdin."""
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        return  # the server died before it had asked
    channel = Channel()
    request = json.loads(line)
    folder = Path(request["workspace"])
    die_with_server(folder, channel)
    limit_resources(**request["limits"])
    channel.send(answer_to(request, Workspace(folder, channel)))
    os._exit(0)  # nothing to tidy up, and the interpreter's own end takes time


def answer_to(request: Mapping[str, Any], workspace: Workspace) -> Mapping[str, Any]:
    """The line that ends the conversation."""
    try:
        module, _, function = request["task"].partition(":")
        task: Task = getattr(import_module(module), function)
        return {"result": task(request["arguments"], workspace)}
    except ProviderRejectedError as error:
        return {"rejected": error.reason}
    except ProviderUnavailableError as error:
        return {"unavailable": error.reason}
    except MemoryError:
        return {"failed": "memory"}
    except Exception:  # noqa: BLE001 (told to the server, and its trace is in the log)
        traceback.print_exc()
        return {"failed": "crash"}


def die_with_server(folder: Path, channel: Channel) -> None:
    """Have this process group killed, and `folder` removed, as soon as stdin ends: the server is gone then.

    A forked watcher does it, not a thread: pocketsphinx holds the interpreter lock for seconds at a time.
    """
    if not hasattr(os, "fork"):
        threading.Thread(target=exit_at_end_of_input, daemon=True).start()
        return
    worker = os.getpid()
    if os.fork() == 0:
        try:
            watch(worker, folder, channel)
        finally:
            os._exit(1)


def watch(worker: int, folder: Path, channel: Channel) -> None:
    """Wait for the end of stdin, then kill `worker` and all of its group, this process included."""
    os.close(channel.descriptor)  # else the server would wait for the answer of a worker that crashed
    while os.read(0, 4096):
        pass
    if os.getppid() == worker:
        os.kill(worker, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def exit_at_end_of_input() -> None:
    """The watcher of a platform without fork."""
    while os.read(0, 4096):
        pass
    os._exit(1)


def limit_resources(memory_bytes: int, file_bytes: int, cpu_seconds: int) -> None:
    """Bound this process and those it starts, as far as the platform can."""
    if resource is None:
        return
    wanted = {
        "RLIMIT_AS": memory_bytes,
        "RLIMIT_FSIZE": file_bytes,
        "RLIMIT_CPU": cpu_seconds,
        "RLIMIT_NOFILE": OPEN_FILES_MAX,
        "RLIMIT_CORE": 0,
    }
    for name, amount in wanted.items():
        try:
            kind = getattr(resource, name)
            ceiling = resource.getrlimit(kind)[1]
            allowed = amount if ceiling == resource.RLIM_INFINITY else min(amount, ceiling)
            resource.setrlimit(kind, (allowed, allowed))
        except (AttributeError, OSError, ValueError):  # macOS has no RLIMIT_AS that can be set
            continue


@contextmanager
def memory_limit(memory_bytes: int) -> Iterator[None]:
    """Bound the address space of this process more closely for a while, so that the rest is left for what follows."""
    if resource is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(OSError, ValueError):  # as above
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


if __name__ == "__main__":
    main()
