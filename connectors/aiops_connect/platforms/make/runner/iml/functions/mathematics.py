"""Math functions."""

import math
import statistics
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from decimal import Context as DecimalContext

from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.functions.registry import function
from aiops_connect.platforms.make.runner.iml.functions.text import whole
from aiops_connect.platforms.make.runner.iml.values import (
    UNDEFINED,
    Value,
    is_missing,
    is_number,
    normal_number,
    to_number,
    to_text,
    type_name,
)

DECIMALS_MAX = 100


def _required(value: Value) -> float:
    number = to_number(value)
    if is_missing(value) or math.isnan(number):
        shown = f" {value[:40]!r}" if isinstance(value, str) else ""
        raise ImlEvaluationError(f"A number is needed, and this is {type_name(value)}{shown}.")
    return number


def _finite(value: Value) -> float:
    number = _required(value)
    if math.isinf(number):
        raise ImlEvaluationError("A finite number is needed.")
    return number


@function("round(number)")
def round_(_: Context, number: Value) -> Value:
    """Halves go up, as in JavaScript: -2.5 becomes -2."""
    return normal_number(math.floor(_finite(number) + 0.5))


@function("floor(number)")
def floor(_: Context, number: Value) -> Value:
    return normal_number(math.floor(_finite(number)))


@function("ceil(number)")
def ceil(_: Context, number: Value) -> Value:
    return normal_number(math.ceil(_finite(number)))


@function("trunc(number, [decimals])")
def trunc(_: Context, number: Value, decimals: Value = UNDEFINED) -> Value:
    """Cut after so many decimals; a negative number of them makes zeros before the point."""
    places = whole(decimals)
    if abs(places) > DECIMALS_MAX:
        raise ImlEvaluationError(f"At most {DECIMALS_MAX} decimals can be asked for.")
    factor = Decimal(10) ** places
    return normal_number(float(int(Decimal(repr(_finite(number))) * factor) / factor))


@function("abs(number)")
def abs_(_: Context, number: Value) -> Value:
    return abs(_required(number))


def _numbers(values: Sequence[Value]) -> list[float]:
    """The numbers among the arguments, or in the array that is the only one; everything else is skipped."""
    flat = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    numbers = [to_number(value) for value in flat if is_number(value) or (isinstance(value, str) and value.strip())]
    return [number for number in numbers if not math.isnan(number)]


@function("min(value, ...)")
def min_(_: Context, *values: Value) -> Value:
    return min(_numbers(values), default=None)


@function("max(value, ...)")
def max_(_: Context, *values: Value) -> Value:
    return max(_numbers(values), default=None)


@function("sum(value, ...)")
def sum_(_: Context, *values: Value) -> Value:
    return _total(_numbers(values))


def _total(numbers: list[float]) -> int | float:
    """Summed exactly, so 0.1 and 0.2 are 0.3."""
    if not all(math.isfinite(number) for number in numbers):
        return sum(numbers)
    return normal_number(float(sum((Decimal(repr(number)) for number in numbers), Decimal(0))))


@function("average(value, ...)")
def average(_: Context, *values: Value) -> Value:
    numbers = _numbers(values)
    return normal_number(_total(numbers) / len(numbers)) if numbers else 0


@function("median(value, ...)")
def median(_: Context, *values: Value) -> Value:
    numbers = _numbers(values)
    return normal_number(float(statistics.median(numbers))) if numbers else None


@function("stdevS(value, ...)")
def stdev_s(_: Context, *values: Value) -> Value:
    """Of a sample: divided by one less than there are numbers."""
    numbers = [_finite(number) for number in _numbers(values)]
    return normal_number(statistics.stdev(numbers)) if len(numbers) > 1 else None


@function("stdevP(value, ...)")
def stdev_p(_: Context, *values: Value) -> Value:
    """Of a whole population."""
    numbers = [_finite(number) for number in _numbers(values)]
    return normal_number(statistics.pstdev(numbers)) if numbers else None


@function("parseNumber(number, [decimalSeparator])")
def parse_number(_: Context, number: Value, separator: Value = UNDEFINED) -> Value:
    if is_number(number) or is_missing(number):
        return number
    mark = "." if is_missing(separator) else to_text(separator)
    if mark not in (",", "."):
        raise ImlEvaluationError(f"The decimal separator is a comma or a point, not {mark!r}.")
    text = (
        to_text(number)
        .replace(" ", "")
        .replace("\u00a0", "")
        .replace("," if mark == "." else ".", "")
        .replace(mark, ".")
    )
    parsed = to_number(text)
    if not text or math.isnan(parsed):
        raise ImlEvaluationError(f"{to_text(number)[:40]!r} is not a number.")
    return parsed


@function("formatNumber(number, decimals, [decimalSeparator], [thousandsSeparator])")
def format_number(
    _: Context, number: Value, decimals: Value, point: Value = UNDEFINED, thousands: Value = UNDEFINED
) -> Value:
    """With `,` before the decimals and `.` between thousands unless told otherwise; always a text."""
    places = whole(decimals)
    if not 0 <= places <= DECIMALS_MAX:
        raise ImlEvaluationError(f"0 to {DECIMALS_MAX} decimals can be asked for, not {places}.")
    value = Decimal(repr(_finite(number)))
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _wide(value, places))
    whole_part, _point, fraction = f"{rounded:,f}".partition(".")
    grouped = whole_part.replace(",", "." if is_missing(thousands) else to_text(thousands))
    return grouped + ("," if is_missing(point) else to_text(point)) + fraction if fraction else grouped


def _wide(value: Decimal, places: int) -> DecimalContext:
    return DecimalContext(prec=max(1, value.adjusted() + 1) + places + 2)
