"""Turns whatever ends a call into the errors of the contract."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from aiops.database.engine import CommitInDoubtError
from aiops.errors import (
    ApiError,
    DatabaseUnavailableError,
    InvalidInputError,
    MalformedRequestError,
    MethodNotAllowedError,
    NotFoundError,
    RangeNotSatisfiableError,
    StorageUnavailableError,
)
from aiops.runtime import Runtime
from aiops.storage.files import StorageError

log = structlog.get_logger()

# What the drivers raise while the database is away, refuses connections, is full, or keeps a row locked for too long.
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeoutError, CommitInDoubtError)
NO_SUCH_PATH = "There is nothing under this path. The API is described at /openapi.yaml."
NOT_JSON = 'The body is not valid JSON in UTF-8. Send an object such as {"prompt": "A lighthouse"}.'
VISIBLE_TEXT = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
HTTP_LINK = r"^https?://[^\s\u0000]+$"
PATTERNS = {
    VISIBLE_TEXT: "Input should have at least one visible character and no NUL",
    HTTP_LINK: "Input should be a link that begins with http:// or https://",
}


def add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(StorageError, _storage_away)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _database_away)


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse(error.body, error.status, error.headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems: Sequence[dict[str, Any]] = error.errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return await _api_error(request, MalformedRequestError(NOT_JSON))
    return await _api_error(request, InvalidInputError([(_field(one), message(one)) for one in problems]))


async def _database_away(request: Request, error: Exception) -> Response:
    log.error("database_unavailable", exc_info=error)
    return await _api_error(request, DatabaseUnavailableError())


async def _storage_away(request: Request, error: Exception) -> Response:
    log.error("storage_failed", reason=str(error))
    return await _api_error(request, StorageUnavailableError())


async def _http_exception(request: Request, error: Exception) -> Response:
    """What Starlette and FastAPI raise by themselves: no such path, wrong method, a body that is no JSON."""
    assert isinstance(error, HTTPException)
    return await _api_error(request, _translated(request, error))


def _translated(request: Request, error: HTTPException) -> ApiError:
    runtime: Runtime = request.app.state.runtime
    allowed = runtime.document.methods_of(request.url.path)
    if error.status_code == 405 and allowed:
        return MethodNotAllowedError(request.method, allowed)
    if error.status_code == 400:
        return MalformedRequestError(NOT_JSON)
    if error.status_code == 416:
        return RangeNotSatisfiableError()
    return NotFoundError(NO_SUCH_PATH)


def _field(problem: dict[str, Any]) -> str:
    """`details[0].name`, without the part of the request it stands in."""
    return ".".join(str(part) for part in problem["loc"][1:])


def message(problem: Mapping[str, Any]) -> str:
    """What is wrong with a field, in a sentence for people; `problem` is one of Pydantic's."""
    if problem["type"] == "string_pattern_mismatch":
        return PATTERNS.get(problem["ctx"]["pattern"], str(problem["msg"]))
    if problem["type"] in ("model_attributes_type", "model_type", "dict_type"):
        return "Input should be a JSON object"
    return str(problem["msg"])
