"""What a worker is woken by: jobs that were queued in this process, and those that may have been in others."""

import asyncio


class Arrivals:
    """How many looks at the queue are owed. A job that arrives here is owed one; one of another process may be any
    number of jobs, so those are looked for until there is none."""

    def __init__(self) -> None:
        self._here = 0
        self._elsewhere = False
        self._any = asyncio.Event()
        self._is_waiting = False

    @property
    def are_awaited(self) -> bool:
        """Whether a worker has a place and nothing to do, so that the next job here will be its own."""
        return self._is_waiting and not self._any.is_set()

    def here(self) -> None:
        self._here += 1
        self._any.set()

    def elsewhere(self) -> None:
        self._elsewhere = True
        self._any.set()

    async def next(self, timeout_seconds: float) -> bool:
        """Whether the look that is due now is for a job that arrived here. After the time a look is due anyway."""
        self._is_waiting = True
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._any.wait()
        except TimeoutError:
            return False
        finally:
            self._is_waiting = False
        is_here = self._here > 0
        if is_here:
            self._here -= 1
        else:
            self._elsewhere = False
        if not self._here and not self._elsewhere:
            self._any.clear()
        return is_here
