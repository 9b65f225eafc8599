"""The values of a component's parameters, checked and converted as Make does before a component runs.

Source: "Parameters" and `validate` in Make's documentation, and its schema of parameters.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from difflib import get_close_matches
from typing import Any

import regex

from aiops_connect.platforms.make.runner.errors import InputError, InputProblem
from aiops_connect.platforms.make.runner.iml.errors import ImlError
from aiops_connect.platforms.make.runner.iml.moment import guess_moment
from aiops_connect.platforms.make.runner.iml.patterns import matches
from aiops_connect.platforms.make.runner.iml.values import (
    Value,
    is_missing,
    is_number,
    to_number,
    to_text,
    type_name,
    utf8,
    utf16,
)
from aiops_connect.platforms.make.runner.limits import REGEX_SECONDS, VALUE_DEPTH

TEXTS = frozenset((
    "text", "email", "url", "password", "filename", "hidden", "color", "path", "pkey", "cert", "uuid", "json",
))  # fmt: skip
NUMBERS = frozenset(("number", "integer", "uinteger", "port", "timestamp"))
WHOLE = frozenset(("integer", "uinteger", "port"))
SILENT = "banner"


class _RefusedError(Exception):
    """A value that the parameter does not take."""


@dataclass
class _Check:
    """One look at a set of values; `dynamic` where an RPC decides which there are."""

    zone: tzinfo
    problems: list[InputProblem] = field(default_factory=list)

    def collection(self, specs: Sequence[Any], given: Mapping[str, Value], path: str) -> dict[str, Value]:
        """The values by their specifications; those of nested parameters stand beside their parents."""
        values: dict[str, Value] = {}
        known: dict[str, Mapping[str, Any]] = {}
        dynamic = self._take(specs, given, path, values, known)
        for name in given:
            if name not in known and not name.startswith("__"):
                values[name] = given[name]
                if not dynamic:
                    self._refuse(f"{path}{name}", _unknown(name, known))
        return values

    def _take(
        self,
        specs: Sequence[Any],
        given: Mapping[str, Value],
        path: str,
        values: dict[str, Value],
        known: dict[str, Mapping[str, Any]],
    ) -> bool:
        dynamic = False
        for spec in specs:
            if not isinstance(spec, dict):
                dynamic = True
            elif isinstance(name := spec.get("name"), str) and spec.get("type") != SILENT:
                known[name] = spec
                value = self._value(spec, given.get(name, spec.get("default")), f"{path}{name}")
                if not (is_missing(value) and name not in given):
                    values[name] = value
                nested = _nested(spec, value)
                dynamic |= not isinstance(nested, list) or self._take(nested, given, path, values, known)
        return dynamic

    def _value(self, spec: Mapping[str, Any], value: Value, path: str) -> Value:
        if is_missing(value) or value == "":
            if spec.get("required") is True:
                self._refuse(path, "It is required.")
            return value
        try:
            kind = spec.get("type", "any")
            if kind == "array":
                return self._array(spec, value, path)
            if kind == "collection":
                return self._members(spec, value, path)
            several = spec.get("multiple") is True and isinstance(value, list)
            converted = (
                [_convert(kind, one, self.zone) for one in value] if several else _convert(kind, value, self.zone)
            )
            if kind == "select":
                _check_options(spec, converted)
            _check_rules(spec.get("validate"), converted)
        except _RefusedError as refusal:
            self._refuse(path, str(refusal))
            return value
        return converted

    def _array(self, spec: Mapping[str, Any], value: Value, path: str) -> Value:
        if not isinstance(value, list):
            raise _RefusedError(f"It has to be an array, and this is {type_name(value)}.")
        _check_rules(spec.get("validate"), value)
        item = spec.get("spec")
        if isinstance(item, list):
            item = {"type": "collection", "spec": item}
        if not isinstance(item, dict):
            return value
        return [self._value(item, one, f"{path}[{place}]") for place, one in enumerate(value, 1)]

    def _members(self, spec: Mapping[str, Any], value: Value, path: str) -> Value:
        if not isinstance(value, dict):
            raise _RefusedError(f"It has to be a collection, and this is {type_name(value)}.")
        if path.count(".") > VALUE_DEPTH:
            raise _RefusedError("It is nested too deep.")
        inner = spec.get("spec")
        return self.collection(inner, value, f"{path}.") if isinstance(inner, list) else value

    def _refuse(self, path: str, message: str) -> None:
        self.problems.append(InputProblem(path, message))


def prepare(specs: Sequence[Any], given: Mapping[str, Value], zone: tzinfo) -> dict[str, Value]:
    """Defaults filled in, texts turned into the numbers, dates and buffers that the parameters are.

    :raises InputError: with everything that is wrong
    """
    check = _Check(zone)
    values = check.collection(specs, given, "")
    if check.problems:
        raise InputError(check.problems)
    return values


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"There is {', '.join(known) or 'none'}."
    return f"There is no such parameter. {hint}"


def _nested(spec: Mapping[str, Any], value: Value) -> Any:
    """The parameters that the chosen option, or `nested` itself, brings with it; no list where an RPC says which."""
    nested = spec.get("nested", [])
    options = spec.get("options")
    if isinstance(options, dict):
        nested, options = options.get("nested", nested), options.get("store")
    if isinstance(options, list):
        chosen = [one for one in _options(options) if one.get("value") == value]
        nested = chosen[0].get("nested", nested) if chosen else nested
    if isinstance(nested, dict):
        nested = nested.get("store", [])
    return nested if value or isinstance(nested, list) is False else []


def _options(options: Sequence[Any]) -> list[Mapping[str, Any]]:
    """The options, out of their groups too."""
    flat: list[Mapping[str, Any]] = []
    for option in options:
        if isinstance(option, dict):
            flat += _options(option["options"]) if isinstance(option.get("options"), list) else [option]
    return flat


def _check_options(spec: Mapping[str, Any], value: Value) -> None:
    options = spec.get("options")
    if isinstance(options, dict):
        options = options.get("store")
    if not isinstance(options, list) or spec.get("dynamic") is True:
        return
    allowed = [to_text(option.get("value")) for option in _options(options)]
    for one in value if isinstance(value, list) and spec.get("multiple") is True else [value]:
        if to_text(one) not in allowed:
            shown = ", ".join(allowed[:20])
            raise _RefusedError(f"{to_text(one)[:40]!r} is not one of {shown}.")


def _convert(kind: Any, value: Value, zone: tzinfo) -> Value:
    if kind in TEXTS:
        return _text(value)
    if kind in NUMBERS:
        return _number(kind, value)
    conversions: dict[str, Callable[[Value], Value]] = {
        "boolean": _boolean,
        "date": lambda one: _date(one, zone),
        "buffer": lambda one: one if isinstance(one, bytes) else utf8(_text(one)),
    }
    return conversions[kind](value) if kind in conversions else value


def _text(value: Value) -> str:
    if isinstance(value, dict | list):
        raise _RefusedError(f"It has to be a text, and this is {type_name(value)}.")
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise _RefusedError("It has to be a text, and the file is not UTF-8.") from None
    return to_text(value)


def _number(kind: str, value: Value) -> Value:
    number = to_number(value) if is_number(value) or isinstance(value, str) else math.nan
    if math.isnan(number):
        raise _RefusedError(f"It has to be a number, and this is {type_name(value)} {to_text(value)[:40]!r}.")
    if kind in WHOLE and number != int(number):
        raise _RefusedError(f"It has to be a whole number, and this is {to_text(number)}.")
    if kind in ("uinteger", "port") and number < 0:
        raise _RefusedError(f"It cannot be negative, and this is {to_text(number)}.")
    return number


def _boolean(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise _RefusedError(f"It has to be true or false, and this is {type_name(value)} {to_text(value)[:40]!r}.")


def _date(value: Value, zone: tzinfo) -> Value:
    if isinstance(value, datetime):
        return value
    try:
        return guess_moment(to_text(value), zone)
    except ImlError as error:
        raise _RefusedError(error.message) from None


def _check_rules(rules: Any, value: Value) -> None:
    """`validate`: bounds of a number, of a text's length, of an array's items; a pattern; an enumeration."""
    if not isinstance(rules, dict):
        return
    size = _size(value)
    for name, wrong in (("min", "at least"), ("max", "at most"), ("minItems", "at least"), ("maxItems", "at most")):
        bound: Any = rules.get(name)
        items = name.endswith("Items")
        if not is_number(bound) or size is None or items is not isinstance(value, list):
            continue
        if (size < bound) if name.startswith("min") else (size > bound):
            unit = " items" if items else " characters" if isinstance(value, str) else ""
            raise _RefusedError(f"It has to be {wrong} {to_text(bound)}{unit}, and this is {to_text(size)}.")
    if isinstance(rules.get("enum"), list) and not set(map(to_text, _each(value))) <= set(map(to_text, rules["enum"])):
        raise _RefusedError(f"It has to be one of {', '.join(map(to_text, rules['enum']))}.")
    if isinstance(rules.get("pattern"), str) and isinstance(value, str) and not _fits(rules["pattern"], value):
        raise _RefusedError(f"It has to fit the pattern {rules['pattern']}.")


def _size(value: Value) -> float | None:
    if isinstance(value, str | list):
        return len(utf16(value) if isinstance(value, str) else value)
    return value if is_number(value) else None


def _each(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _fits(pattern: str, value: str) -> bool:
    try:
        return any(matches(utf16(pattern), "", utf16(value), REGEX_SECONDS))
    except (regex.error, TimeoutError) as error:
        raise _RefusedError(f"The pattern {pattern!r} cannot be used: {getattr(error, 'msg', error)}.") from None
