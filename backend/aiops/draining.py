"""Hears that the process is to stop before uvicorn acts on it: a lifespan ends only after every call has ended."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def draining(drain: Callable[[], None], hurry: Callable[[], None]) -> Iterator[None]:
    """Calls `drain` in the running loop at the first signal to stop; whoever handled the signal before still does.
    `hurry` is called where uvicorn too is in a hurry, at a SIGINT that is not the first signal: one Ctrl-C reaches a
    process of several twice, as SIGINT and as their parent's SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    is_told = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal is_told
        if not is_told:
            is_told = True
            loop.call_soon_threadsafe(drain)
        elif number == signal.SIGINT:
            loop.call_soon_threadsafe(hurry)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)


@contextmanager
def stop_signals(drain: Callable[[], None], hurry: Callable[[], None]) -> Iterator[None]:
    """Calls `drain` at the first signal to stop and `hurry` at each one after it, for a process in which nothing else
    handles them."""
    loop = asyncio.get_running_loop()
    is_told = False

    def handle() -> None:
        nonlocal is_told
        (hurry if is_told else drain)()
        is_told = True

    for number in SIGNALS:
        loop.add_signal_handler(number, handle)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
