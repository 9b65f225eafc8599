"""Values of IML and their conversions, which are those of JavaScript.

null is None, undefined is `UNDEFINED`, a buffer is bytes, a date is a datetime in UTC, a collection is a dict.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple

from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError, LimitError
from aiops_connect.platforms.make.runner.limits import VALUE_CHARS, VALUE_DEPTH, VALUE_ITEMS

Value = Any
"""One of None, UNDEFINED, bool, int, float, str, bytes, datetime, list, dict, ErrorValue."""


class Undefined(Enum):
    """JavaScript's `undefined`: left out of collections and bodies."""

    UNDEFINED = "undefined"

    def __repr__(self) -> str:
        return self.value

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined.UNDEFINED


class EmptyText(str):
    """`emptystring`: an empty text that `ifempty` lets stand, where a plain one counts as null."""

    __slots__ = ()


EMPTY_STRING: Final = EmptyText()


class ErrorValue(NamedTuple):
    """What `errorFactory` makes; a directive that evaluates to one ends the module with it."""

    type: str
    message: str


MILLISECOND = 1000
SPACES = (
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
    (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
WHITESPACE = "".join(chr(code) for first, last in SPACES for code in range(first, last + 1))
SAFE_INTEGER = 2**53
DECIMAL = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
WHOLE = re.compile(r"0(?:[xX][0-9a-fA-F]{1,256}|[oO][0-7]{1,256}|[bB][01]{1,256})")
ASTRAL = re.compile("[\U00010000-\U0010ffff]")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_missing(value: Value) -> bool:
    """null or undefined."""
    return value is None or value is UNDEFINED


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def type_name(value: Value) -> str:
    """The name Make's documentation has for the type."""
    if is_missing(value):
        return "null" if value is None else "undefined"
    names: dict[type, str] = {
        bool: "boolean",
        int: "number",
        float: "number",
        bytes: "buffer",
        datetime: "date",
        list: "array",
        dict: "collection",
        ErrorValue: "error",
    }
    return "text" if isinstance(value, str) else names[type(value)]


def is_truthy(value: Value) -> bool:
    """As JavaScript's Boolean(value): only undefined, null, false, 0, NaN and plain empty text are false."""
    if isinstance(value, str):
        return bool(value) or isinstance(value, EmptyText)
    if is_number(value):
        return value != 0 and not math.isnan(value)
    return not is_missing(value) and value is not False


def is_empty(value: Value) -> bool:
    """What `ifempty` replaces: undefined, null and plain empty text; neither an empty array nor `emptystring`."""
    return is_missing(value) or (isinstance(value, str) and not value and not isinstance(value, EmptyText))


def normal_number(value: float) -> int | float:
    """A whole number as int, so that it is written without a fraction."""
    return int(value) if math.isfinite(value) and value == int(value) and abs(value) <= SAFE_INTEGER else value


def to_number(value: Value) -> int | float:
    """As JavaScript's Number(value): NaN where it is none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return _parse_number(value)
    if isinstance(value, datetime):
        return to_milliseconds(value)
    return 0 if value is None else math.nan


def _parse_number(text: str) -> int | float:
    """ECMA-262, section 7.1.4.1: digits of ASCII without underscores, `Infinity` in this spelling, `0x10`."""
    stripped = text.strip(WHITESPACE)
    if not stripped:
        return 0
    if DECIMAL.fullmatch(stripped):
        return normal_number(float(stripped))
    return normal_number(float(int(stripped, 0))) if WHOLE.fullmatch(stripped) else math.nan


def utf16(text: str) -> str:
    """One character for each unit of UTF-16, as JavaScript counts them; `from_utf16` is the way back."""
    return ASTRAL.sub(_halves, text)


def _halves(character: "re.Match[str]") -> str:
    high, low = divmod(ord(character[0]) - 0x10000, 0x400)
    return chr(0xD800 + high) + chr(0xDC00 + low)


def from_utf16(units: str) -> str:
    """Two halves of a character are one again; half a one that is left alone stays."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def utf8(text: str) -> bytes:
    """As Node writes it: half a character that is left alone becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def to_milliseconds(moment: datetime) -> int:
    return round((moment - EPOCH).total_seconds() * MILLISECOND)


def iso_text(moment: datetime) -> str:
    """As JavaScript's Date.toISOString()."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number_text(value: int | float) -> str:
    """As JavaScript prints numbers."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return mantissa
    if -7 < int(exponent) < 0:
        return f"{value:.{len(mantissa.replace('.', '').lstrip('-')) - int(exponent) - 1}f}".rstrip("0")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def to_text(value: Value) -> str:
    """What stands in a text where the value is mapped: nothing for null, items with commas, dates in ISO 8601."""
    if isinstance(value, str):
        return value
    if is_missing(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, datetime):
        return iso_text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return bounded_text(",".join(to_text(item) for item in value))
    return value.message if isinstance(value, ErrorValue) else "{object}"


def bounded_text(text: str) -> str:
    """:raises LimitError: for a text that is too long"""
    if len(text) > VALUE_CHARS:
        raise LimitError(f"The text is longer than {VALUE_CHARS} characters.")
    return text


def bounded(value: Value) -> Value:
    """:raises LimitError: for a text, buffer, array or collection that is too large"""
    if isinstance(value, str | bytes) and len(value) > VALUE_CHARS:
        unit = "bytes" if isinstance(value, bytes) else "characters"
        raise LimitError(f"The {type_name(value)} is longer than {VALUE_CHARS} {unit}.")
    if isinstance(value, list | dict) and len(value) > VALUE_ITEMS:
        raise LimitError(f"The {type_name(value)} has more than {VALUE_ITEMS} items.")
    return value


def parse_json(text: str | bytes) -> Value:
    """:raises ValueError: for what is not JSON, or is nested too deep"""
    try:
        return json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _number(digits: str) -> Value:
    """JavaScript has one kind of number: `1.0` is 1."""
    return normal_number(float(digits))


def _no_constant(name: str) -> Value:
    raise ValueError(f"{name} is not JSON")


def to_json(value: Value, *, indent: int | None = None) -> str:
    """As JavaScript's JSON.stringify: undefined keys are left out, undefined items are null.

    :raises ImlEvaluationError: for a value nested too deep
    """
    separators = (",", ":") if indent is None else None
    return json.dumps(plain(value), ensure_ascii=False, separators=separators, indent=indent)


def plain(value: Value, depth: int = 0) -> Value:
    """The value in what JSON has: dates and buffers as JavaScript writes them.

    :raises ImlEvaluationError: for a value nested too deep
    """
    if depth > VALUE_DEPTH:
        raise ImlEvaluationError(f"The value is nested more than {VALUE_DEPTH} deep.")
    if isinstance(value, Mapping):
        return {key: plain(item, depth + 1) for key, item in value.items() if item is not UNDEFINED}
    if isinstance(value, list):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return iso_text(value)
    if isinstance(value, bytes):
        return {"type": "Buffer", "data": list(value)}
    if isinstance(value, ErrorValue):
        return {"name": value.type, "message": value.message}
    return None if value is UNDEFINED else value
