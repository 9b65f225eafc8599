"""One look at the storage for all who ask at about the same time: `/ready` is open to anybody, and a bucket is paid for
by the request."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from aiops.storage.files import FileStore, StorageError

SHARED_FOR = timedelta(seconds=5)


class SharedCheck:
    """The check of a store. What has come of it holds for so long; one is under way at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._checked_at: datetime | None = None
        self._failure: str | None = None

    async def check(self, store: FileStore, clock: Callable[[], datetime]) -> None:
        """Raises StorageError where the store could not be used, when it was last tried."""
        async with self._turn:
            if not self._is_fresh(clock()):
                self._failure = await _failure_of(store)
                self._checked_at = clock()
        if self._failure is not None:
            raise StorageError(self._failure)

    def _is_fresh(self, now: datetime) -> bool:
        return self._checked_at is not None and abs(now - self._checked_at) < SHARED_FOR


async def _failure_of(store: FileStore) -> str | None:
    try:
        await store.check()
    except StorageError as error:
        return str(error)
    return None
