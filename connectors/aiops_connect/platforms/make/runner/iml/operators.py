"""The operators: arithmetic in decimals, comparison as loose as JavaScript's."""

import math
import operator
from collections.abc import Callable
from datetime import datetime
from decimal import Context, Decimal, DecimalException

from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.values import (
    Value,
    bounded_text,
    is_missing,
    is_number,
    normal_number,
    to_number,
    to_text,
    type_name,
)

DECIMAL = Context(prec=20, traps=[])


def apply(symbol: str, left: Value, right: Value) -> Value:
    """The value of `left symbol right`; `&` and `|` are not here, they do not evaluate both sides.

    :raises ImlEvaluationError: where `*`, `/` or `%` get what is no number
    """
    return OPERATORS[symbol](left, right)


def loosely_equal(left: Value, right: Value) -> bool:
    """As JavaScript's `==`: `'5' = 5`, null equals undefined only, dates and arrays equal only themselves."""
    if is_missing(left) or is_missing(right):
        return is_missing(left) and is_missing(right)
    if isinstance(left, str) and isinstance(right, str):
        return str(left) == str(right)
    if _is_object(left) and _is_object(right):
        return left is right
    if _is_object(left):
        return loosely_equal(_primitive(left), right)
    if _is_object(right):
        return loosely_equal(left, _primitive(right))
    return to_number(left) == to_number(right)


def _is_object(value: Value) -> bool:
    return not (is_missing(value) or isinstance(value, str | bool | int | float))


def _primitive(value: Value) -> Value:
    return to_text(value) if not isinstance(value, dict) else "[object Object]"


def _compare(compare: Callable[[Value, Value], bool]) -> Callable[[Value, Value], bool]:
    """As JavaScript's `<`: texts by their characters, everything else as numbers, false beside NaN."""

    def compared(left: Value, right: Value) -> bool:
        first, second = _comparable(left), _comparable(right)
        if isinstance(first, str) and isinstance(second, str):
            return compare(first.encode("utf-16-be", "surrogatepass"), second.encode("utf-16-be", "surrogatepass"))
        return compare(to_number(first), to_number(second))

    return compared


def _comparable(value: Value) -> Value:
    return value if isinstance(value, datetime) or not _is_object(value) else _primitive(value)


def _add(left: Value, right: Value) -> Value:
    """Numbers are added; null and undefined give way to the other; everything else is joined as text."""
    if is_number(left) and is_number(right):
        return _decimal("+", left, right)
    if is_missing(left) or is_missing(right):
        other = right if is_missing(left) else left
        return None if is_missing(other) else other
    return bounded_text(to_text(left) + to_text(right))


def _decimal(symbol: str, left: Value, right: Value) -> int | float:
    first, second = (to_number(side) for side in (left, right))
    for side, number in ((left, first), (right, second)):
        if is_missing(side) or (math.isnan(number) and not is_number(side)):
            raise ImlEvaluationError(f"`{symbol}` needs numbers, and {type_name(side)} {_shown(side)}is none.")
    compute = {"+": DECIMAL.add, "*": DECIMAL.multiply, "/": DECIMAL.divide, "%": DECIMAL.remainder}[symbol]
    try:
        return normal_number(float(compute(Decimal(repr(first)), Decimal(repr(second)))))
    except (DecimalException, OverflowError):
        return math.nan


def _shown(value: Value) -> str:
    return f"{value[:40]!r} " if isinstance(value, str) else ""


def _number(compute: Callable[[float, float], float]) -> Callable[[Value, Value], Value]:
    def computed(left: Value, right: Value) -> Value:
        first, second = float(to_number(left)), float(to_number(right))
        return normal_number(compute(first, second))

    return computed


OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "*": lambda left, right: _decimal("*", left, right),
    "/": lambda left, right: _decimal("/", left, right),
    "%": lambda left, right: _decimal("%", left, right),
    "+": _add,
    "++": _number(operator.add),
    "-": _number(operator.sub),
    "<": _compare(operator.lt),
    "<=": _compare(operator.le),
    ">": _compare(operator.gt),
    ">=": _compare(operator.ge),
    "=": loosely_equal,
    "!=": lambda left, right: not loosely_equal(left, right),
}
