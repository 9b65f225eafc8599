"""`error` and `valid`: which error a response is, and what it says."""

from http import HTTPStatus

from aiops_connect.platforms.make.runner.app import Block
from aiops_connect.platforms.make.runner.blocks import Request
from aiops_connect.platforms.make.runner.errors import MakeError
from aiops_connect.platforms.make.runner.iml.functions.general import ERROR_TYPES
from aiops_connect.platforms.make.runner.iml.values import is_empty, is_missing, is_truthy, to_text
from aiops_connect.platforms.make.runner.run import Run

INVALID = "Response marked as invalid."
ERROR_STATUSES = range(400, 600)


def check(run: Run, request: Request, status: int) -> None:
    """Ends the module where the response is an error by its status, or by `valid`.

    :raises MakeError: the error that the app makes of it
    """
    directive = request.response.get("error")
    if status in ERROR_STATUSES:
        raise _error(run, directive, status, _status_message(status))
    valid = request.response.get("valid")
    if valid is None:
        return
    members = valid.members() if isinstance(valid.value, dict) else {}
    condition = members.get("condition") if members else valid
    if condition is None or run.holds(condition):
        return
    if "message" in members:
        raise _specified(run, members, status, INVALID)
    raise _error(run, directive, status, INVALID, type_=members.get("type"))


def _error(run: Run, directive: Block | None, status: int, message: str, type_: Block | None = None) -> MakeError:
    """By the directive: a text is the message, a collection may have one of its own for the status."""
    if directive is None:
        return _specified(run, {"type": type_} if type_ else {}, status, message)
    if not isinstance(directive.value, dict):
        return _specified(run, {"message": directive} | ({"type": type_} if type_ else {}), status, message)
    members = directive.members()
    chosen = members[str(status)].members() if str(status) in members else members
    return _specified(run, {**chosen, "type": type_} if type_ else chosen, status, message)


def _specified(run: Run, members: dict[str, Block], status: int, message: str) -> MakeError:
    """`message` is what is said where the app says nothing."""
    said = run.evaluate_optional(members.get("message"))
    type_ = run.evaluate_optional(members.get("type"))
    if is_truthy(type_) and to_text(type_) not in ERROR_TYPES:
        place = f"{members['type'].file}: {members['type'].pointer}"
        run.trace.warn(f"{place}: Make has no error type {to_text(type_)!r}; it has {', '.join(ERROR_TYPES)}.")
    return MakeError(
        to_text(type_) if is_truthy(type_) else default_type(status),
        message if is_missing(said) or is_empty(said) else to_text(said),
        status or None,
    )


def default_type(status: int) -> str:
    """The error type of a status that the app says nothing about."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "RateLimitError"
    return "ConnectionError" if status >= 500 else "RuntimeError"


def _status_message(status: int) -> str:
    try:
        return f"[{status}] {HTTPStatus(status).phrase}"
    except ValueError:
        return f"[{status}]"
