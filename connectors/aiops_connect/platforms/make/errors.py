"""The directive `error`: which of Make's errors a status is, and what it says."""

from collections.abc import Iterable
from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.make import iml
from aiops_connect.platforms.make.runner.iml.syntax import Node, Path

MESSAGE_LENGTH_MAX = 1024
_POINTERS_MAX = 2
_POINTER_LENGTH_MAX = 60
_DETAILS_MAX = 3
# Where servers and proxies have their sentence that the document says nothing of.
_USUAL = ("/error/message", "/message", "/error", "/detail", "/title")

# A DataError keeps the state of the run, so that it can be resumed; a RateLimitError and a ConnectionError are tried
# again; an InvalidAccessTokenError switches the scenario off. What costs credits is therefore never the last three.
_BY_TYPE = {
    "DataError": "400 402 404 406 409 410 411 412 413 414 415 416 422 423 424 451",
    "RuntimeError": "403 405 500",
    "InvalidAccessTokenError": "401",
    "RateLimitError": "429",
    "ConnectionError": "408 425 501 502 503 504",
}
TYPES = {status: type_ for type_, statuses in _BY_TYPE.items() for status in statuses.split()}
# What any server or proxy can answer, whatever the document says.
_ANYWHERE = frozenset(("400", "401", "402", "403", "404", "409", "422", "429", "500", "501", "502", "503", "504"))
_ADVICE = {
    "401": " Check the connection.",
    "402": " Top up, then resume the run.",
}


def directive(operations: list[ir.Operation]) -> dict[str, Any]:
    """For the errors that these operations have."""
    errors = [error for operation in operations for error in operation.errors]
    messages = _distinct(error.message for error in errors)[:_POINTERS_MAX]
    codes = _distinct(error.code for error in errors)[:_POINTERS_MAX]
    found: dict[str, Any] = {"message": message(messages, codes), "type": "RuntimeError"}
    for status in sorted(TYPES.keys() & (_ANYWHERE | {error.status for error in errors})):
        details = next((one.details for one in errors if one.status == status and one.details is not None), None)
        advice = _ADVICE.get(status, "")
        listed = details.items if details is not None else None
        said = message(messages, codes, _details(details) + advice, status, listed)
        if len(said) > MESSAGE_LENGTH_MAX:
            said = message(messages, codes, advice, status, listed)
        found[status] = {"message": said, "type": TYPES[status]}
    return found


def _details(found: ir.ErrorDetails | None) -> str:
    """The first of what is wrong, each with its input."""
    if found is None:
        return ""
    return "".join(
        _detail(found, iml.below(iml.variable("body"), f"{found.items}/{place}")) for place in range(_DETAILS_MAX)
    )


def _detail(found: ir.ErrorDetails, item: Path) -> str:
    sentence = iml.below(item, found.message)
    parts: list[Node] = [iml.text(" ")]
    if found.field is not None:
        name: Node = iml.below(item, found.field)
        parts += [iml.call("join", name, iml.text(".")) if found.is_path else name, iml.text(": ")]
    return iml.whole(iml.if_set(sentence, iml.joined(*parts, iml.as_sentence(sentence))))


def _distinct(pointers: Iterable[ir.Pointer | None]) -> list[ir.Pointer]:
    return list(dict.fromkeys(one for one in pointers if one is not None and len(one) <= _POINTER_LENGTH_MAX))


def message(
    messages: list[ir.Pointer],
    codes: list[ir.Pointer],
    advice: str = "",
    status: str = "",
    listed: ir.Pointer | None = None,
) -> str:
    """`[402] Insufficient credits (insufficient_credits). … Request ID: …`, with what of it the answer has. At `listed`
    there is a list, which is no sentence."""
    said: Node = iml.text("The API answered with an error")
    for pointer in reversed([one for one in _distinct([*messages, *_USUAL]) if one != listed]):
        said = iml.call("ifempty", iml.below(iml.variable("body"), pointer), said)
    parts = ["[{{statusCode}}] ", iml.whole(said)]
    for pointer in codes:
        code = iml.below(iml.variable("body"), pointer)
        parts.append(iml.whole(iml.if_set(code, iml.joined(iml.text(" ("), code, iml.text(")")))))
    parts += [".", advice]
    if status in ("429", "503"):
        parts.append(_header("retry-after", " Try again in ", " seconds."))
    parts.append(_header("x-request-id", " Request ID: ", "."))
    return "".join(parts)


def _header(name: str, before: str, after: str) -> str:
    header = iml.variable("headers", name)
    return iml.whole(iml.if_set(header, iml.joined(iml.text(before), header, iml.text(after))))
