"""Every error the API answers with. Each class carries its status, its code and the schema that the document gives it.

`tests/test_errors.py` holds each class against `openapi/aiops.yaml`.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from aiops.contract import models

PAYMENT_PATH = "/billing"  # a page for people
DATABASE_RETRY_SECONDS = 5
STORAGE_RETRY_SECONDS = 5
DETAILS_MAX = 100
FIELD_LENGTH_MAX = 200
MESSAGE_LENGTH_MAX = 1000


class ApiError(Exception):
    """An answer that is not a success. `members` are those of the body beyond `error` and `code`."""

    status: ClassVar[int]
    code: ClassVar[str]
    schema: ClassVar[type[BaseModel]]

    def __init__(self, error: str, *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(error)
        self.headers = headers or {}
        self.body: dict[str, Any] = {"error": error[:MESSAGE_LENGTH_MAX], "code": self.code, **members}


class MalformedRequestError(ApiError):
    status = 400
    code = "malformed_request"
    schema = models.MalformedRequestError


class UnauthorizedError(ApiError):
    """One answer for a missing, unknown, expired and revoked key, so that none can be told from another."""

    status = 401
    code = "unauthorized"
    schema = models.UnauthorizedError

    def __init__(
        self, error: str = 'Missing or invalid API key. Send it as "Authorization: Bearer aiops_sk_…".'
    ) -> None:
        super().__init__(error, headers={"WWW-Authenticate": "Bearer"})


class InsufficientCreditsError(ApiError):
    status = 402
    code = "insufficient_credits"
    schema = models.InsufficientCreditsError

    def __init__(self, credits_left: int, cost: int) -> None:
        super().__init__(
            "Insufficient credits",
            headers={"Link": f'<{PAYMENT_PATH}>; rel="payment"'},
            credits=credits_left,
            cost=cost,
        )


class NotFoundError(ApiError):
    status = 404
    code = "not_found"
    schema = models.NotFoundError


class MethodNotAllowedError(ApiError):
    status = 405
    code = "method_not_allowed"
    schema = models.MethodNotAllowedError

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        names = ", ".join(allowed)
        super().__init__(f"This path takes {names}, not {method}.", headers={"Allow": names})


class JobRunningError(ApiError):
    status = 409
    code = "job_running"
    schema = models.JobRunningError

    def __init__(self, job_id: str, retry_after_seconds: int) -> None:
        super().__init__(
            "The job is still running. Get it under Location, or repeat the call with its Idempotency-Key to wait on.",
            headers={"Retry-After": str(retry_after_seconds), "Location": f"/api/jobs/{job_id}"},
            job_id=job_id,
        )


class JobCancelledError(ApiError):
    status = 409
    code = "job_cancelled"
    schema = models.JobCancelledError

    def __init__(self, job_id: str) -> None:
        super().__init__(
            "The job was cancelled. Its credits are back.",
            headers={"Location": f"/api/jobs/{job_id}"},
            job_id=job_id,
        )


class RequestTooLargeError(ApiError):
    status = 413
    code = "request_too_large"
    schema = models.RequestTooLargeError

    def __init__(self, size_max_bytes: int, what: str = "body") -> None:
        super().__init__(f"The {what} is larger than {size_max_bytes:,} bytes.")


class UnsupportedMediaTypeError(ApiError):
    status = 415
    code = "unsupported_media_type"
    schema = models.UnsupportedMediaTypeError

    def __init__(
        self, error: str = 'Send the body as JSON, uncompressed, with the header "Content-Type: application/json".'
    ) -> None:
        super().__init__(error)


class RangeNotSatisfiableError(ApiError):
    status = 416
    code = "range_not_satisfiable"
    schema = models.RangeNotSatisfiableError

    def __init__(self, *, headers: dict[str, str] | None = None) -> None:
        super().__init__("The file has no such range of bytes.", headers=headers)


class InvalidInputError(ApiError):
    """`details` are pairs of a field's name and what is wrong with it."""

    status = 422
    code = "invalid_input"
    schema = models.InvalidInputError

    def __init__(self, details: Sequence[tuple[str, str]]) -> None:
        listed = [
            {"field": field[:FIELD_LENGTH_MAX], "message": message[:MESSAGE_LENGTH_MAX]}
            for field, message in details[:DETAILS_MAX]
        ]
        super().__init__("Invalid input", details=listed)


class IdempotencyKeyReusedError(ApiError):
    status = 422
    code = "idempotency_key_reused"
    schema = models.IdempotencyKeyReusedError

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body. Take a new key for new work.")


class UnprocessableError(ApiError):
    status = 422
    code = "unprocessable"
    schema = models.UnprocessableError

    def __init__(self, reason: str, job_id: str) -> None:
        super().__init__("The input cannot be processed", reason=reason, refunded=True, job_id=job_id)


class RateLimitExceededError(ApiError):
    status = 429
    code = "rate_limit_exceeded"
    schema = models.RateLimitExceededError

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            "Rate limit exceeded",
            headers={"Retry-After": str(retry_after_seconds)},
            retry_after=retry_after_seconds,
        )


class QueueFullError(ApiError):
    status = 429
    code = "queue_full"
    schema = models.QueueFullError

    def __init__(self, jobs_queued: int, retry_after_seconds: int) -> None:
        super().__init__(
            f"{jobs_queued} jobs are waiting in your queue already",
            headers={"Retry-After": str(retry_after_seconds)},
            retry_after=retry_after_seconds,
        )


class StorageFullError(ApiError):
    status = 429
    code = "storage_full"
    schema = models.StorageFullError

    def __init__(self, files_max: int, megabytes_max: int, retry_after_seconds: int) -> None:
        super().__init__(
            f"Your plan keeps {files_max:,} uploaded files and {megabytes_max:,} MB at a time, "
            "and there is no room for this one.",
            headers={"Retry-After": str(retry_after_seconds)},
            retry_after=retry_after_seconds,
        )


class GenerationFailedError(ApiError):
    status = 500
    code = "generation_failed"
    schema = models.GenerationFailedError

    def __init__(self, reason: str, credits_left: int, job_id: str) -> None:
        super().__init__("Generation failed", reason=reason, refunded=True, credits=credits_left, job_id=job_id)


class InternalError(ApiError):
    status = 500
    code = "internal_error"
    schema = models.InternalError

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side.")


class ModelUnavailableError(ApiError):
    status = 503
    code = "model_unavailable"
    schema = models.ModelUnavailableError

    def __init__(self, model: str, available: Sequence[str]) -> None:
        super().__init__(f"The model {model} is not available on this server", available=list(available))


class DatabaseUnavailableError(ApiError):
    """Only for calls that have submitted nothing: of a job that was accepted, its call says so."""

    status = 503
    code = "database_unavailable"
    schema = models.DatabaseUnavailableError

    def __init__(self) -> None:
        super().__init__(
            "The service cannot reach its database at the moment. Nothing was charged; try again.",
            headers={"Retry-After": str(DATABASE_RETRY_SECONDS)},
        )


class StorageUnavailableError(ApiError):
    status = 503
    code = "storage_unavailable"
    schema = models.StorageUnavailableError

    def __init__(self) -> None:
        super().__init__(
            "The service cannot reach its files at the moment. Try again.",
            headers={"Retry-After": str(STORAGE_RETRY_SECONDS)},
        )


class ServerBusyError(ApiError):
    """Answered before a call is read."""

    status = 503
    code = "server_busy"
    schema = models.ServerBusyError

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            "The server cannot take this call at the moment. Nothing was charged; try again.",
            headers={"Retry-After": str(retry_after_seconds)},
        )


class NotReadyError(ApiError):
    status = 503
    code = "not_ready"
    schema = models.NotReadyError
