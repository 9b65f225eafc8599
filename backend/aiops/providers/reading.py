"""Reads what a provider has said: as JSON, and for the log."""

import json
import re
from collections.abc import Iterable
from typing import Any

from aiops.http import ApiAnswer

LOGGED_CHARACTERS = 500
# Where the protocols here say why. What else is in an error, or in a result, may repeat what the caller wrote.
REASONS = frozenset({"code", "detail", "error", "error_type", "errors", "loc", "message", "msg", "param", "type"})
DEPTH_MAX = 6


def parsed(answer: ApiAnswer) -> Any:
    """The JSON of an answer, or None for what is not JSON."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def loggable(answer: ApiAnswer, keys: Iterable[str]) -> str:
    """Why an answer is none, in the provider's words: without the `keys`, which some repeat, and without what a caller
    wrote or is answered."""
    match parsed(answer):
        case dict() | list() as said:
            text = json.dumps(_reasons(said, DEPTH_MAX), ensure_ascii=False)
        case _:  # a gateway's page; of a success it would be the result
            text = "" if answer.is_success else answer.body.decode(errors="replace")
    for key in keys:  # before anything is cut, which could leave half of it
        text = re.sub(_spelled(key), "…", text)
    return text[:LOGGED_CHARACTERS]


def _spelled(key: str) -> str:
    """A pattern of the ways in which JSON may write a key: RFC 8259, section 7."""
    return "".join(rf"(?:\\?{re.escape(letter)}|(?i:\\u{ord(letter):04x}))" for letter in key)


def _reasons(said: Any, depth: int) -> Any:
    match said:
        case dict() if depth:
            return {name: _reasons(value, depth - 1) for name, value in said.items() if name in REASONS}
        case list() if depth:
            return [_reasons(one, depth - 1) for one in said]
        case dict() | list():
            return "…"
        case _:
            return said
