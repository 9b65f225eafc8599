"""What is measured, a process each: `python -m tests.benchmarks.apps aiops|bare SOCKET_FD`.

`aiops` is the whole server with a provider that takes no time. `bare` is what FastAPI costs by itself: one route that
validates the same body by the same model and answers JSON of the same form. Both run under uvicorn as `aiops serve` does.
"""

import socket
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from aiops.app import create_app, create_runtime
from aiops.contract.models import ImageRequest
from aiops.logs import configure_logs
from aiops.providers.base import Call, Media
from aiops.settings import Settings
from tests.fixtures.providers import StubProvider, png

PATH = "/api/services/image_gen"
STOP_SECONDS = 5
ANSWER = {
    "image_url": "http://127.0.0.1:8000/files/9tTkq0mB3nZyW4xVbC7dQe.png?expires=1767225600&signature=Jx3mR0a9sQk2",
    "success": True,
    "job_id": "job_5f0c2b9e7d1a4c3b8e6f9a02",
    "credits_charged": 5,
    "credits_remaining": 899_999_995,
    "model": "stub-image",
    "provider": "stub",
}


def aiops_app() -> FastAPI:
    image = Media(png(), "image/png", "stub-image")

    async def behave(_call: Call) -> Media:
        return image

    settings = Settings()
    configure_logs("json")
    return create_app(create_runtime(settings, providers=[StubProvider(behave=behave)]))


def bare_app() -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.post(PATH)
    async def generate_image(body: ImageRequest) -> Any:
        return JSONResponse(ANSWER)

    return app


APPS = {"aiops": aiops_app, "bare": bare_app}


def main(kind: str, descriptor: int) -> None:
    config = uvicorn.Config(
        APPS[kind](), log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=STOP_SECONDS
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
