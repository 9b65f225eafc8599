"""What FastAPI costs by itself: one route that validates the service's body by its model and answers JSON like it."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from aiops.contract.models import ImageRequest

PATH = "/api/services/image_gen"
ANSWER = {
    "image_url": "http://127.0.0.1:8000/files/9tTkq0mB3nZyW4xVbC7dQe.png?expires=1767225600&signature=Jx3mR0a9sQk2",
    "success": True,
    "job_id": "job_5f0c2b9e7d1a4c3b8e6f9a02",
    "credits_charged": 5,
    "credits_remaining": 899_999_995,
    "model": "stub-image",
    "provider": "stub",
}


def create() -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.post(PATH)
    async def generate_image(body: ImageRequest) -> Any:
        return JSONResponse(ANSWER)

    return app
