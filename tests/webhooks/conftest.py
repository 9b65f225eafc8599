from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.fixtures.receiver import Receiver, receiving


@pytest.fixture
async def receiver(tmp_path: Path, database_url: str) -> AsyncIterator[Receiver]:
    """A service and a server that takes all it is sent, on each database."""
    async with receiving(tmp_path, database_url) as both:
        yield both


@pytest.fixture
async def sqlite_receiver(tmp_path: Path, new_database: Callable[[str], str]) -> AsyncIterator[Receiver]:
    async with receiving(tmp_path, new_database("sqlite")) as both:
        yield both
