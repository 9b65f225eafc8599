"""Logging: one JSON object a line, or readable lines on a terminal. Ours and that of the libraries the same way.

Paths are logged without their query, requests without headers and bodies: no key, no signature, no prompt.
"""

import logging
import sys

import structlog
from structlog.typing import Processor

LIBRARIES = ("uvicorn", "uvicorn.error")
SILENT = ("uvicorn.access", "httpx", "httpcore")


def configure_logs(log_format: str) -> None:
    """`log_format` is json, console, or auto: console on a terminal."""
    is_console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers: list[Processor] = (
        # The plain formatter: the pretty one prints the variables of every frame, and with them the caller's key.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in LIBRARIES:
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in SILENT:
        logging.getLogger(name).handlers = []
        logging.getLogger(name).setLevel(logging.WARNING)
