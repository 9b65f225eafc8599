"""Rules for the base, the connections and the errors."""

from collections.abc import Iterator
from typing import Any

from aiops_connect.platforms.make.review.source import Source
from aiops_connect.platforms.make.runner.app import MANIFEST

Found = Iterator[tuple[str, str]]

TYPES = {
    "401": "InvalidAccessTokenError", "429": "RateLimitError", "501": "ConnectionError", "502": "ConnectionError",
    "503": "ConnectionError", "504": "ConnectionError",
}  # fmt: skip
TIMEOUT_MILLISECONDS = 300_000


def base_is_complete(source: Source) -> Found:
    """R5."""
    base, path = source.general("base"), source.general_path("base")
    if not base.get("baseUrl"):
        yield path, "There is no baseUrl."
    if not base.get("response", {}).get("error"):
        yield path, "There is no response.error."
    sent = {name: str(value) for place in ("headers", "qs") for name, value in base.get(place, {}).items()}
    secret = [name for name, value in sent.items() if "connection." in value]
    if source.parts("connection") and not secret:
        yield path, "The credentials of the connection are not sent."
    hidden = " ".join(base.get("log", {}).get("sanitize", [])).lower()
    for name in secret:
        if name.lower() not in hidden:
            yield path, f"log.sanitize does not hide {name}."


def _errors(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    error = source.general("base").get("response", {}).get("error")
    if isinstance(error, dict):
        yield source.general_path("base"), error
    for connection in source.parts("connection"):
        for request in connection.requests:
            found = request.get("response", {}).get("error")
            if isinstance(found, dict):
                yield connection.path("communication"), found


def errors_say_something(source: Source) -> Found:
    """R6."""
    for path, error in _errors(source):
        for status, one in [("", error), *((key, one) for key, one in error.items() if key.isdecimal())]:
            message = str(one.get("message", ""))
            if not message.startswith("[{{statusCode}}] "):
                yield path, f"The message {status} does not begin with [{{{{statusCode}}}}]."
            if "{{body}}" in message:
                yield path, f"The message {status} repeats the whole body."
            if "ifempty(" not in message:
                yield path, f"The message {status} says nothing where the answer does not."


def statuses_have_their_types(source: Source) -> Found:
    """R7."""
    for path, error in _errors(source):
        for status, type_ in TYPES.items():
            if error.get(status, {}).get("type") != type_:
                yield path, f"{status} is to be a {type_}."


def connections_are_tested(source: Source) -> Found:
    """R8."""
    for one in source.parts("connection"):
        path = one.path("communication")
        request = one.requests[0] if one.requests else {}
        if not str(request.get("url", "")).startswith("https://"):
            yield path, "A connection is tested by a call to an absolute URL."
        if not request.get("response", {}).get("error"):
            yield path, "It inherits no error from the base; add one."
        if not request.get("log", {}).get("sanitize"):
            yield path, "It inherits no log.sanitize from the base; add one."
        if not request.get("response", {}).get("metadata"):
            yield path, "It does not name the account in its metadata."
        for parameter in one.parameters:
            if not (parameter.get("required") and parameter.get("editable") and parameter.get("help")):
                yield one.path("params"), f"{parameter.get('name')} has to be required, editable and explained."
        if not any(parameter.get("type") == "password" for parameter in one.parameters):
            yield one.path("params"), "No parameter of the type password hides the secret."


def waits_long_enough(source: Source) -> Found:
    """R23."""
    timeout = source.general("base").get("timeout") or source.general("common").get("timeout")
    has_files = any(
        field.get("type") == "buffer" for module in source.modules() for field in module.code("interface") or []
    )
    if has_files and timeout != TIMEOUT_MILLISECONDS:
        path = source.general_path("base")
        yield path if path != MANIFEST else MANIFEST, f"Files want a timeout of {TIMEOUT_MILLISECONDS}."
