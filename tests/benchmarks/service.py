"""The whole service, with a provider that takes no time, and without the limit of calls that no plan sets."""

from fastapi import FastAPI

from aiops.accounts import rate_limits
from aiops.app import create_app, create_runtime
from aiops.logs import configure_logs
from aiops.providers.base import Call, Media
from aiops.settings import Settings
from tests.fixtures.providers import StubProvider, png

UNLIMITED = 1_000_000_000


def create() -> FastAPI:
    image = Media(png(), "image/png", "stub-image")

    async def behave(_call: Call) -> Media:
        return image

    rate_limits.OTHER_REQUESTS_PER_MINUTE = UNLIMITED
    settings = Settings()
    configure_logs("json")
    return create_app(create_runtime(settings, providers=[StubProvider(behave=behave)]))
