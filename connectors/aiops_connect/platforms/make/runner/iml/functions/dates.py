"""Date and time functions. Days, months and hours are those of the scenario's time zone."""

import calendar
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.functions.registry import function
from aiops_connect.platforms.make.runner.iml.functions.text import whole
from aiops_connect.platforms.make.runner.iml.moment import (
    DEFAULT_FORMAT,
    MONTHS,
    WEEKDAYS,
    format_moment,
    guess_moment,
    not_a_date,
    parse_moment,
)
from aiops_connect.platforms.make.runner.iml.values import (
    EPOCH,
    UNDEFINED,
    Value,
    is_missing,
    is_number,
    to_number,
    to_text,
    type_name,
)


def to_date(context: Context, value: Value) -> datetime:
    """A date, the text of one, or milliseconds since 1970.

    :raises ImlEvaluationError: for anything else
    """
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return guess_moment(value, context.zone())
    if is_number(value):
        return _shifted(EPOCH, milliseconds=value)
    raise ImlEvaluationError(f"A date is needed, and this is {type_name(value)}.")


def _shifted(moment: datetime, **amount: float) -> datetime:
    try:
        return moment + timedelta(**amount)
    except (OverflowError, ValueError):
        raise ImlEvaluationError("The date would be outside of the years 1 to 9999.") from None


@function("parseDate(date, [format], [timezone])")
def parse_date(context: Context, date: Value, pattern: Value = UNDEFINED, timezone: Value = UNDEFINED) -> Value:
    """Without a format ISO 8601, RFC 2822 and milliseconds since 1970 are understood."""
    zone = context.zone(timezone)
    if isinstance(date, datetime):
        return date
    if is_missing(date) or not (isinstance(date, str) or is_number(date)):
        raise not_a_date(type_name(date))
    if is_missing(pattern) or pattern == "":
        return guess_moment(date, zone) if isinstance(date, str) else to_date(context, date)
    return parse_moment(to_text(date), to_text(pattern), zone, context.clock.now())


@function("formatDate(date, [format], [timezone])")
def format_date(context: Context, date: Value, pattern: Value = UNDEFINED, timezone: Value = UNDEFINED) -> Value:
    """Always a text, even for `X`."""
    wanted = DEFAULT_FORMAT if is_missing(pattern) else to_text(pattern)
    return format_moment(to_date(context, date), wanted, context.zone(timezone))


@function("dateDiff(endDate, startDate, unit)")
def date_diff(context: Context, end: Value, start: Value, unit: Value) -> Value:
    """Whole days, hours, minutes or seconds; `RH`, `Rm`, `Rs` are what remains of the next larger unit."""
    elapsed = to_date(context, end) - to_date(context, start)
    if elapsed < timedelta():
        raise ImlEvaluationError("The start date is after the end date.")
    seconds = elapsed // timedelta(seconds=1)
    values = {
        "D": seconds // 86_400,
        "H": seconds // 3600,
        "m": seconds // 60,
        "s": seconds,
        "RH": seconds % 86_400 // 3600,
        "Rm": seconds % 3600 // 60,
        "Rs": seconds % 60,
    }
    name = to_text(unit)
    if name not in values:
        raise ImlEvaluationError(f"Unknown unit {name!r}. Make has {', '.join(values)}.")
    return values[name]


def _amount(value: Value) -> float:
    number = to_number(value)
    if is_missing(value) or not abs(number) < 1e15:
        raise ImlEvaluationError(f"A number is needed, and this is {type_name(value)}.")
    return number


def _declare_add(name: str, unit: str) -> None:
    @function(f"{name}(date, number)")
    def add(context: Context, date: Value, number: Value) -> Value:
        return _shifted(to_date(context, date), **{unit: _amount(number)})


for _name in ("Seconds", "Minutes", "Hours"):
    _declare_add(f"add{_name}", _name.lower())


Change = Callable[[datetime, int], datetime]


def _declare_local(signature: str, read: Callable[[Value], int], change: Change) -> None:
    """A function that changes the clock or calendar as it reads in the scenario's zone."""

    @function(signature)
    def changed(context: Context, date: Value, number: Value) -> Value:
        zone = context.zone()
        local = to_date(context, date).astimezone(zone).replace(tzinfo=None)
        try:
            return change(local, read(number)).replace(tzinfo=zone).astimezone(UTC)
        except (OverflowError, ValueError):
            raise ImlEvaluationError("The date would be outside of the years 1 to 9999.") from None


def _whole(value: Value) -> int:
    return whole(_amount(value))


def _named(names: list[str], first: int) -> Callable[[Value], int]:
    """A number, or a name or its first three letters."""

    def read(value: Value) -> int:
        if isinstance(value, str) and (wanted := value.strip().lower()).isalpha():
            for number, name in enumerate(names, first):
                if wanted in (name.lower(), name[:3].lower()):
                    return number
            raise ImlEvaluationError(f"Unknown name {value!r}. It is one of {', '.join(names)}.")
        return _whole(value)

    return read


def _add_months(local: datetime, number: int) -> datetime:
    """To the last day of the month where that is shorter."""
    year, month = divmod(local.year * 12 + local.month - 1 + number, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    return local.replace(year=year, month=month + 1, day=min(local.day, calendar.monthrange(year, month + 1)[1]))


_declare_local("addDays(date, number)", _whole, lambda local, number: local + timedelta(days=number))
_declare_local("addMonths(date, number)", _whole, _add_months)
_declare_local("addYears(date, number)", _whole, lambda local, number: _add_months(local, 12 * number))
_declare_local(
    "setSecond(date, number)", _whole, lambda local, number: local.replace(second=0) + timedelta(seconds=number)
)
_declare_local(
    "setMinute(date, number)", _whole, lambda local, number: local.replace(minute=0) + timedelta(minutes=number)
)
_declare_local("setHour(date, number)", _whole, lambda local, number: local.replace(hour=0) + timedelta(hours=number))
_declare_local("setDate(date, number)", _whole, lambda local, number: local.replace(day=1) + timedelta(days=number - 1))
_declare_local(
    "setDay(date, day)",
    _named(WEEKDAYS, 1),
    lambda local, number: local + timedelta(days=number - 1 - local.isoweekday() % 7),
)
_declare_local(
    "setMonth(date, month)", _named(MONTHS, 1), lambda local, number: _add_months(local, number - local.month)
)
_declare_local("setYear(date, year)", _whole, lambda local, number: _add_months(local, 12 * (number - local.year)))
