"""The whole service, with a provider that takes no time."""

from fastapi import FastAPI

from aiops.app import create_app, create_runtime
from aiops.logs import configure_logs
from aiops.providers.base import Call, Media
from aiops.settings import Settings
from tests.fixtures.providers import StubProvider, png


def create() -> FastAPI:
    image = Media(png(), "image/png", "stub-image")

    async def behave(_call: Call) -> Media:
        return image

    settings = Settings()
    configure_logs("json")
    return create_app(create_runtime(settings, providers=[StubProvider(behave=behave)]))
