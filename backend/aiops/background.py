"""Steps that a process repeats beside the calls it answers, until it is to stop."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

PAUSE_AFTER_FAILURE_SECONDS = 0.5
STOP_SECONDS = 10


class Background:
    """`draining` is set when nothing more is to be begun."""

    def __init__(self, draining: asyncio.Event) -> None:
        self._draining = draining
        self.loops: list[asyncio.Task[None]] = []

    def start(self, *steps: Callable[[], Awaitable[None]]) -> None:
        for step in steps:
            self.loops.append(asyncio.create_task(self._repeat(step), name=f"background{step.__name__}"))

    async def stop(self) -> None:
        """Waits, once it is to stop, for the steps that are being taken. None is cut off: it may be a transaction."""
        if self.loops:
            await asyncio.wait(self.loops, timeout=STOP_SECONDS)

    async def pause(self, seconds: float) -> None:
        """Waits, unless it is time to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._draining.wait()

    async def _repeat(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeats a step; a failure, such as a database that is away, is logged and tried again."""
        while not self._draining.is_set():
            try:
                await step()
            except Exception:
                log.exception("background_step_failed", step=step.__name__)
                await self.pause(PAUSE_AFTER_FAILURE_SECONDS)
