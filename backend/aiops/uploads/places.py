"""How many files arrive at once. It bounds what this process has on its disk before anybody knows what it is, so it is
counted in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aiops.errors import RateLimitExceededError, ServerBusyError

PLACES = 32
PLACES_AN_ACCOUNT = 4
RETRY_SECONDS = 5


class Places:
    """The uploads that this process receives at the moment, by their accounts."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    @contextmanager
    def take(self, account_id: str) -> Iterator[None]:
        """Has a place for the time of the `with`.

        Raises:
            ServerBusyError: all are taken.
            RateLimitExceededError: the account has as many as it may.
        """
        if self._taken.total() >= PLACES:
            raise ServerBusyError(RETRY_SECONDS)
        if self._taken[account_id] >= PLACES_AN_ACCOUNT:
            raise RateLimitExceededError(RETRY_SECONDS)
        self._taken[account_id] += 1
        try:
            yield
        finally:
            self._taken[account_id] -= 1
            self._taken += Counter()  # leaves out who has none
