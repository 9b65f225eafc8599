"""What a run sent and received, without what `log.sanitize` hides."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from aiops_connect.platforms.make.runner.iml.values import Value, plain

HIDDEN = "[sanitized]"
BUFFER_SHOWN = "[{} bytes]"
SECRET_CHARS_MIN = 6
STEP = re.compile(r"\[(-?\d*)\]|`([^`]*)`|([^.`\[\]]+)")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response, as Make's log would show them; times in seconds."""

    request: dict[str, Any]
    response: dict[str, Any] | None
    seconds: float
    step: str
    page: int
    failure: str | None = None


@dataclass
class Trace:
    """The exchanges of a run, and warnings. `secrets` are values that must not be shown, by their names.

    The `listener` is told of each exchange as soon as it is over.
    """

    secrets: dict[str, str] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    listener: Callable[[Exchange], None] = lambda _exchange: None

    def warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    def record(self, exchange: Exchange, sanitize: Sequence[str]) -> None:
        """Keeps an exchange without what is to be hidden; a secret that nothing hides is hidden with a warning."""
        request, response = shown(exchange.request), shown(exchange.response)
        for path in sanitize:
            first, *rest = _steps(path)
            hide({"request": request, "response": response}.get(first), rest)
        if request.get("qs"):
            request["url"] = _hide_query(request["url"], request["qs"])
        for name, secret in self.secrets.items():
            request, found = mask(request, secret)
            response, found_too = mask(response, secret)
            if found or found_too:
                side = "request" if found else "response"
                self.warn(
                    f"{exchange.step}: log.sanitize does not hide connection.{name} in the {side}; Make would log it."
                )
        kept = replace(exchange, request=request, response=response)
        self.exchanges.append(kept)
        self.listener(kept)


def shown(value: Value) -> Any:
    """The value in JSON, buffers by their size."""
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return BUFFER_SHOWN.format(len(value)) if isinstance(value, bytes) else plain(value)


def _steps(path: str) -> list[str]:
    return [match[1] or match[2] or match[3] or "" for match in STEP.finditer(path)] or [""]


def hide(value: Any, steps: Iterable[str]) -> None:
    """Replaces what a path reaches; a path without the position of an array reaches all its items."""
    match [*steps]:
        case []:
            return
        case [name, *rest]:
            if isinstance(value, list):
                for item in value:
                    hide(item, rest if name == "" or name.lstrip("-").isdecimal() else [name, *rest])
            elif isinstance(value, dict):
                _hide_member(value, name, rest)


def _hide_member(value: dict[str, Any], name: str, rest: list[str]) -> None:
    for key, item in value.items():
        if key.lower() != name.lower():
            continue
        if rest and isinstance(item, dict | list):
            hide(item, rest)
        elif item is not None:
            value[key] = HIDDEN


def _hide_query(url: str, qs: dict[str, Any]) -> str:
    """The URL without the values that are hidden in the query string."""
    for name, value in qs.items():
        if value == HIDDEN:
            url = re.sub(rf"(?<=[?&])({re.escape(quote(name, safe=''))})=[^&]*", rf"\1={HIDDEN}", url)
    return url


def mask(value: Any, secret: str) -> tuple[Any, bool]:
    """The value without the secret, and whether it was there."""
    if len(secret) < SECRET_CHARS_MIN:
        return value, False
    if isinstance(value, str):
        return value.replace(secret, HIDDEN), secret in value
    if isinstance(value, list):
        pairs = [mask(item, secret) for item in value]
        return [item for item, _ in pairs], any(found for _, found in pairs)
    if isinstance(value, dict):
        members = {key: mask(item, secret) for key, item in value.items()}
        return {key: item for key, (item, _) in members.items()}, any(found for _, found in members.values())
    return value, False
