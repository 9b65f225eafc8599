"""Logging: one JSON object a line, or readable lines on a terminal. Ours and that of the libraries the same way.

Calls are logged by their operation, without path, headers and body, errors as their types and the place where they
arose: a path, a trace or a message can hold a key, a statement or what a caller wrote. What libraries say below INFO is
never written, whatever level their loggers are set to: statements with their parameters are among it.
"""

import contextlib
import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LIBRARIES = ("uvicorn", "uvicorn.error")
OURS = f"{Path(__file__).parents[1]}/"
CAUSES_MAX = 4
TRACE = "Traceback (most recent call last)"
SILENT = ("uvicorn.access", "httpx", "httpcore")


class _Lossy:
    """A stream whose lines are lost where they cannot be written: on a full disk the calls must go on."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self.stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self.stream.flush()


def configure_logs(log_format: str) -> None:
    """`log_format` is json, console, or auto: console on a terminal."""
    is_console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_error,
    ]
    renderer: Processor = structlog.dev.ConsoleRenderer() if is_console else structlog.processors.JSONRenderer()
    stream = cast("TextIO", _Lossy(sys.stderr))
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setLevel(logging.INFO)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in LIBRARIES:
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in SILENT:
        logging.getLogger(name).handlers = []
        logging.getLogger(name).setLevel(logging.WARNING)


def _name_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """In place of an exception its type, those of its causes, and the line of ours in which it arose. What a library
    logs as the text of a trace is cut down to the type in its last line."""
    if str(event.get("event", "")).startswith(TRACE):
        event["error"] = event["event"].rstrip().rpartition("\n")[2].partition(":")[0]
        event["event"] = "library_error"
    exception = event.pop("exc_info", None)
    if isinstance(exception, tuple):
        exception = exception[1]
    elif exception and not isinstance(exception, BaseException):
        exception = sys.exc_info()[1]
    if exception is not None and isinstance(exception, BaseException):
        event["error"] = " from ".join(type(one).__name__ for one in _causes(exception))
        event["at"] = _place(exception)
    return event


def _causes(exception: BaseException | None) -> Iterator[BaseException]:
    """An exception and what it came from, a driver's error in SQLAlchemy's wrapping too; at most a few."""
    for _ in range(CAUSES_MAX):
        if exception is None:
            return
        yield exception
        exception = exception.__cause__ or getattr(exception, "orig", None)


def _place(exception: BaseException) -> str | None:
    frames = [frame for frame in traceback.extract_tb(exception.__traceback__) if frame.filename.startswith(OURS)]
    return f"{frames[-1].filename.removeprefix(OURS)}:{frames[-1].lineno} {frames[-1].name}" if frames else None
