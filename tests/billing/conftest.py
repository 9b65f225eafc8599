from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.service import running_service
from tests.fixtures.shop import Shop
from tests.fixtures.stripe.server import StripeServer, stripe_server


@pytest.fixture
def stripe_() -> Iterator[StripeServer]:
    """Stripe on loopback; in the end, it was asked for nothing that Stripe does not know."""
    with stripe_server() as running:
        yield running


@pytest.fixture
async def shop(tmp_path: Path, database_url: str, stripe_: StripeServer) -> AsyncIterator[Shop]:
    """A server that sells, on each database."""
    async with running_service(tmp_path, database_url, **stripe_.settings) as service:
        yield Shop(service, stripe_)


@pytest.fixture
async def sqlite_shop(tmp_path: Path, new_database: Callable[[str], str], stripe_: StripeServer) -> AsyncIterator[Shop]:
    async with running_service(tmp_path, new_database("sqlite"), **stripe_.settings) as service:
        yield Shop(service, stripe_)
