"""Hears that the process is to stop before uvicorn acts on it: a lifespan ends only after every call has ended."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def draining(drain: Callable[[], None]) -> Iterator[None]:
    """Calls `drain` in the running loop at the first signal to stop; whoever handled the signal before still does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(drain)
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
def stop_signals() -> Iterator[asyncio.Semaphore]:
    """Counts the signals to stop, for a process in which nothing else handles them."""
    told = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, told.release)
    try:
        yield told
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
