"""Tasks that behave badly, for the tests of the sandbox; the child process imports them."""

import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiops.providers.base import ProviderRejectedError
from aiops.providers.embedded import decoding, transcription
from aiops.providers.embedded.child import Workspace

Arguments = Mapping[str, Any]


def greet(arguments: Arguments, workspace: Workspace) -> dict[str, Any]:
    workspace.progress(0.5)
    workspace.output.write_bytes(b"hello " + arguments["name"].encode())
    return {"folder": str(workspace.folder), "pid": os.getpid()}


def chatter(_arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    print('{"result": {"said": "by the library"}}', flush=True)
    os.write(1, b"\x00\xff not for you\n")
    return {"said": "by the task"}


def environment(_arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    return dict(os.environ)


def limits(_arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    names = ("RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_CORE")
    return {name: resource.getrlimit(getattr(resource, name)) for name in names}


def hang(arguments: Arguments, workspace: Workspace) -> dict[str, Any]:
    """Start a process of its own, tell who runs where, then never let go of the interpreter lock."""
    other = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL)
    draft = Path(arguments["report"] + ".draft")
    draft.write_text(f"{os.getpid()} {other.pid} {workspace.folder}")
    draft.rename(arguments["report"])
    workspace.progress(0.01)
    ctypes.PyDLL(None).sleep(1000)
    return {}


def take_time(_arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    begun = time.monotonic()
    time.sleep(0.4)
    return {"begun": begun, "ended": time.monotonic()}


def reject(_arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    raise ProviderRejectedError("Send something else.")


def raise_error(_arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    raise RuntimeError("a secret of the inside")


def crash(_arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def leave(_arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    os._exit(0)


def eat_memory(_arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    return {"length": len(bytearray(1024**3))}


def fill_disk(_arguments: Arguments, workspace: Workspace) -> dict[str, Any]:
    workspace.output.write_bytes(bytes(64 * 1024**2))
    return {}


def measure_all(arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    """What is said of each file: "fine", the reason of its refusal, or what nobody foresaw."""
    return {"said": [measured(Path(path)) for path in arguments["paths"]]}


def measured(path: Path) -> str:
    try:
        decoding.duration_seconds(path, 600)
    except ProviderRejectedError as error:
        return error.reason
    except Exception as error:  # noqa: BLE001 - the test says that there is none
        return repr(error)
    return "fine"


def transcribe_in_haste(arguments: Arguments, workspace: Workspace) -> dict[str, Any]:
    with patch.object(transcription, "DECODING_CPU_SECONDS", 1.0):
        return transcription.transcribe(arguments, workspace)


def transcribe_without_memory(arguments: Arguments, workspace: Workspace) -> dict[str, Any]:
    def decoded(_path: Path) -> Iterator[bytes]:
        yield bytes(decoding.MEMORY_BYTES)

    with patch.object(decoding, "decoded", decoded):
        return transcription.transcribe(arguments, workspace)


def limits_of_decoding(arguments: Arguments, workspace: Workspace) -> dict[str, Any]:
    """How much memory there is in each of the two passes, and afterwards."""

    def decoded(_path: Path) -> Iterator[bytes]:
        seen.append(resource.getrlimit(resource.RLIMIT_AS)[0])
        yield bytes(32_000)

    seen: list[int] = []
    with patch.object(decoding, "decoded", decoded), suppress(ProviderRejectedError):
        transcription.transcribe(arguments, workspace)
    return {"decoding": seen, "afterwards": resource.getrlimit(resource.RLIMIT_AS)[0]}


def answer_at_length(_arguments: Arguments, _workspace: Workspace) -> dict[str, Any]:
    return {"text": "x" * (8 * 1024**2)}


def answer_nonsense(arguments: Arguments, workspace: Workspace) -> dict[str, Any]:
    os.write(workspace._channel.descriptor, arguments["line"].encode("latin-1") + b"\n")
    return {}


def report_without_end(_arguments: Arguments, workspace: Workspace) -> dict[str, Any]:
    while True:
        workspace._channel.send({"progress": 0.5})
