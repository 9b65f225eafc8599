from collections.abc import Iterator

import pytest

from tests.connectors.platforms.make.runner.service import Service, running


@pytest.fixture(scope="session")
def _service() -> Iterator[Service]:
    with running() as service:
        yield service


@pytest.fixture
def service(_service: Service) -> Iterator[Service]:
    _service.answers, _service.received, _service.mistakes = [], [], []
    yield _service
    _service.verify()
