"""Rules for the base, the connections and the errors."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiops_connect.platforms.make.review.expressions import expressions, names, parts, paths
from aiops_connect.platforms.make.review.source import Part, Source, directive, mapping
from aiops_connect.platforms.make.runner.iml.syntax import Binary, Call

Found = Iterator[tuple[str, str]]

TYPES = {
    "401": "InvalidAccessTokenError", "429": "RateLimitError", "501": "ConnectionError", "502": "ConnectionError",
    "503": "ConnectionError", "504": "ConnectionError",
}  # fmt: skip
TIMEOUT_MILLISECONDS = 300_000
_SECRETS = ("password", "pkey", "cert")
_HASHES = ("md5", "sha1", "sha256", "sha512")
_NOT_IN_A_NAME = re.compile(r"`|\[[^\]]*\]")
_LINK = re.compile(r"\]\(https://[^)\s]+\)")


def base_is_complete(source: Source) -> Found:
    """R5."""
    base, path = source.general("base"), source.general_path("base")
    if not base.get("baseUrl"):
        yield path, "There is no baseUrl."
    if not directive(base, "response", "error"):
        yield path, "There is no response.error."
    carried = list(_carrying(base, "connection"))
    if source.parts("connection") and not carried:
        yield path, "The credentials of the connection are not sent."
    for place, name in carried:
        if not _is_hidden(base, "request", place, name):
            yield path, f"log.sanitize does not hide {name}."
    for webhook in source.parts("webhook"):
        yield from _hides_its_secrets(webhook)


def _hides_its_secrets(webhook: Part) -> Found:
    """What a webhook is verified by is answered when it is attached, and would stand in the log of that."""
    used = {path for path in _verified_by(webhook) if path[0] == "webhook" and len(path) > 1}
    for attach in webhook.items("attach"):
        kept = mapping(directive(attach, "response", "data"))
        for _, name, *rest in sorted(used):
            for root, *steps in paths(kept.get(name)):
                if root == "body" and not _is_hidden(attach, "response", root, *steps, *rest):
                    yield webhook.path("attach"), f"log.sanitize does not hide {'.'.join((root, *steps, *rest))}."


def _verified_by(webhook: Part) -> Iterator[tuple[str, ...]]:
    """The paths that a webhook puts into a hash, or compares with a header, before it takes a call."""
    for request in webhook.requests:
        for node in expressions([request.get("condition"), request.get("verification")]):
            for part in parts(node):
                inner = [found for one in parts(part) if (found := names(one))]
                if (isinstance(part, Call) and part.name in _HASHES) or (
                    isinstance(part, Binary) and part.operator == "=" and any(one[0] == "headers" for one in inner)
                ):
                    yield from inner


def _carrying(request: Mapping[str, Any], root: str, secret: set[str] | None = None) -> Iterator[tuple[str, str]]:
    """The headers and the members of the query with something of a connection in them; or with what is secret of it."""
    for place in ("headers", "qs"):
        for name, value in mapping(request.get(place)).items():
            held = {path[1] for path in paths(value) if path[0] == root and len(path) > 1}
            if held if secret is None else held & secret:
                yield place, name


def _is_hidden(request: Mapping[str, Any], *steps: str) -> bool:
    """Whether log.sanitize has the path, such as `request.headers.name`, or one above it; with backticks or without."""
    sanitized = directive(request, "log", "sanitize")
    known = {_NOT_IN_A_NAME.sub("", str(one)).lower() for one in sanitized} if isinstance(sanitized, list) else set()
    return any(".".join(steps[:length]).lower() in known for length in range(2, len(steps) + 1))


def _errors(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those of the base, and of what inherits nothing from it."""
    requests = [(source.general_path("base"), source.general("base"))]
    for connection in source.parts("connection"):
        if connection.metadata.get("connectionType") != "oauth":
            requests += [(connection.path("communication"), one) for one in connection.requests]
    for webhook in source.parts("webhook"):
        requests += [(webhook.path(code), one) for code in ("attach", "detach") for one in webhook.items(code)]
    for path, request in requests:
        error = directive(request, "response", "error")
        if isinstance(error, dict):
            yield path, error


def errors_say_something(source: Source) -> Found:
    """R6."""
    for path, error in _errors(source):
        for status, one in [("for all others", error), *((key, one) for key, one in error.items() if key.isdecimal())]:
            said = str(mapping(one).get("message", ""))
            found = [part for node in expressions(said) for part in parts(node)]
            named = [names(part) for part in found]
            if not said.startswith("[{{statusCode}}] "):
                yield path, f"The message {status}: does not begin with [{{{{statusCode}}}}]."
            if ("body",) in named:
                yield path, f"The message {status} repeats the whole body."
            if not any(one[0] == "body" and len(one) > 1 for one in named if one):
                yield path, f"The message {status} has nothing of what the API says."
            if not any(isinstance(part, Call) and part.name == "ifempty" for part in found):
                yield path, f"The message {status} says nothing where the answer does not."


def statuses_have_their_types(source: Source) -> Found:
    """R7."""
    for path, error in _errors(source):
        for status, type_ in TYPES.items():
            if directive(error, status, "type") != type_:
                yield path, f"{status} is to be a {type_}."


def connections_are_tested(source: Source) -> Found:
    """R8."""
    for one in source.parts("connection"):
        is_oauth = one.metadata.get("connectionType") == "oauth"
        request = mapping(directive({"it": one.code("communication")}, "it", "info")) if is_oauth else _first(one)
        secret = {str(each.get("name")) for each in one.parameters if each.get("type") in _SECRETS}
        yield from _tests(one.path("communication"), request, secret)
        yield from _asks(one, secret)


def _first(one: Part) -> Mapping[str, Any]:
    return one.requests[0] if one.requests else {}


def _tests(path: str, request: Mapping[str, Any], secret: set[str]) -> Found:
    if not str(request.get("url", "")).startswith("https://"):
        yield path, "A connection is tested by a call to an absolute URL."
    if not directive(request, "response", "error"):
        yield path, "It inherits no error from the base; add one."
    carried = [*_carrying(request, "parameters", secret), *_carrying(request, "connection")]
    if not carried:
        yield path, "The call that tests it carries no credentials."
    for place, name in carried:
        if not _is_hidden(request, "request", place, name):
            yield path, f"log.sanitize does not hide {name}."
    metadata = directive(request, "response", "metadata")
    if directive({"it": metadata}, "it", "type") not in ("text", "email") or not mapping(metadata).get("value"):
        yield path, "It does not name the account in its metadata."


def _asks(one: Part, secret: set[str]) -> Found:
    path = one.path("params")
    for parameter in one.parameters:
        if not (parameter.get("required") and parameter.get("editable") and parameter.get("help")):
            yield path, f"{parameter.get('name')} has to be required, editable and explained."
    if not secret:
        yield path, "No parameter of the type password hides the secret."
    elif not any(_LINK.search(str(parameter.get("help"))) for parameter in one.parameters):
        yield path, "No help links to the page where the credentials are found."


def waits_long_enough(source: Source) -> Found:
    """R23."""
    timeout = source.general("base").get("timeout") or source.general("common").get("timeout")
    fields = [*(field for module in source.modules() for field in (*module.items("interface"), *module.all_parameters))]
    if any(field.get("type") == "buffer" for field in fields) and timeout != TIMEOUT_MILLISECONDS:
        yield source.general_path("base"), f"Files want a timeout of {TIMEOUT_MILLISECONDS}."
