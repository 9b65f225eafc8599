"""Python values as TypeScript: text of a document is always inside quotes, whatever is in it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aiops_connect.ir import Json


@dataclass(frozen=True, slots=True)
class Code:
    """TypeScript of ours that is printed as it stands; never text of a document."""

    text: str


Value: TypeAlias = "bool | int | float | str | Code | Sequence[Value] | Mapping[str, Value] | None"

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]|['\\]")
LINE_LENGTH_MAX = 100


def text(value: str) -> str:
    """A literal in single quotes. What cannot be seen, or turns the line's direction, is escaped (CVE-2021-42574)."""
    return "'" + _UNSAFE.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}", value) + "'"


def literal(value: Value, indent: int = 0) -> str:
    """An expression. Keys are unquoted where they can be: n8n's linter only sees those."""
    match value:
        case Code(code):
            return code
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return json.dumps(value)
        case str():
            return text(value)
        case Mapping():
            members = [f"{_key(key)}: {literal(one, indent + 1)}" for key, one in value.items()]
            return _items(members, "{}", indent)
        case _:
            return _items([literal(one, indent + 1) for one in value], "[]", indent)


def of_json(value: Json) -> Value:
    """A value of a document, which holds no code."""
    match value:
        case list():
            return [of_json(one) for one in value]
        case dict():
            return {key: of_json(one) for key, one in value.items()}
        case _:
            return value


def _key(name: str) -> str:
    if name == "__proto__":
        return "['__proto__']"  # a computed one is a member like any other
    return name if _NAME.fullmatch(name) else text(name)


def _items(ones: list[str], brackets: str, indent: int) -> str:
    opening, closing = brackets[0], brackets[1]
    if not ones:
        return brackets
    space = " " if brackets == "{}" else ""
    line = f"{opening}{space}{', '.join(ones)}{space}{closing}"
    if len(line) + 4 * indent <= LINE_LENGTH_MAX and "\n" not in line and (brackets == "[]" or len(ones) <= 2):
        return line
    tabs = "\t" * (indent + 1)
    return "\n".join([opening, *(f"{tabs}{one}," for one in ones), "\t" * indent + closing])
