"""Date formats in the tokens of moment.js, which Make uses.

Neither arrow (`Z` and `ZZ` the other way round, no weeks of the year) nor pendulum (no `a`, `W`, `k`) has these tokens.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.values import EPOCH, MILLISECOND, to_milliseconds

MONTHS = [
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]  # fmt: skip
WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
DEFAULT_FORMAT = "YYYY-MM-DDTHH:mm:ss.SSSZ"
LONG_FORMATS = {
    "LTS": "h:mm:ss A",
    "LT": "h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "LLL": "MMMM D, YYYY h:mm A",
    "LL": "MMMM D, YYYY",
    "L": "MM/DD/YYYY",
    "llll": "ddd, MMM D, YYYY h:mm A",
    "lll": "MMM D, YYYY h:mm A",
    "ll": "MMM D, YYYY",
    "l": "M/D/YYYY",
}
LONG = re.compile(r"(\[[^\[]*\])|(LTS|LT|LL?L?L?|l{1,4})")
TOKEN = re.compile(
    r"\[([^\[]*)\]|\\(.)|(Mo|MM?M?M?|Do|DDDo|DD?D?D?|ddd?d?|do?|w[ow]?|W[oW]?|Qo?|YYYY|YY|Y|gggg|gg|GGGG|GG|e|E|a|A"
    r"|hh?|HH?|kk?|mm?|ss?|S{1,9}|x|X|zz?|ZZ?)",
    re.DOTALL,
)


def ordinal(number: int) -> str:
    ending = "th" if number % 100 // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _offset(moment: datetime, separator: str) -> str:
    minutes = int((moment.utcoffset() or timedelta()).total_seconds() // 60)
    sign, minutes = ("-" if minutes < 0 else "+"), abs(minutes)
    return f"{sign}{minutes // 60:02d}{separator}{minutes % 60:02d}"


def _sunday_week(moment: datetime) -> tuple[int, int]:
    """Year and week as in the United States: weeks begin on Sunday, the first holds 1 January."""
    last_day = moment + timedelta(days=6 - moment.isoweekday() % 7)
    return last_day.year, (last_day.timetuple().tm_yday - 1) // 7 + 1


def _weekday(moment: datetime) -> int:
    return moment.isoweekday() % 7


def _quarter(moment: datetime) -> int:
    return (moment.month + 2) // 3


def _day_of_year(moment: datetime) -> int:
    return moment.timetuple().tm_yday


FORMATS: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda m: f"{m.year:04d}",
    "YY": lambda m: f"{m.year % 100:02d}",
    "Y": lambda m: str(m.year),
    "Q": lambda m: str(_quarter(m)),
    "Qo": lambda m: ordinal(_quarter(m)),
    "M": lambda m: str(m.month),
    "Mo": lambda m: ordinal(m.month),
    "MM": lambda m: f"{m.month:02d}",
    "MMM": lambda m: MONTHS[m.month - 1][:3],
    "MMMM": lambda m: MONTHS[m.month - 1],
    "D": lambda m: str(m.day),
    "Do": lambda m: ordinal(m.day),
    "DD": lambda m: f"{m.day:02d}",
    "DDD": lambda m: str(_day_of_year(m)),
    "DDDo": lambda m: ordinal(_day_of_year(m)),
    "DDDD": lambda m: f"{_day_of_year(m):03d}",
    "d": lambda m: str(_weekday(m)),
    "do": lambda m: ordinal(_weekday(m)),
    "dd": lambda m: WEEKDAYS[_weekday(m)][:2],
    "ddd": lambda m: WEEKDAYS[_weekday(m)][:3],
    "dddd": lambda m: WEEKDAYS[_weekday(m)],
    "e": lambda m: str(_weekday(m)),
    "E": lambda m: str(m.isoweekday()),
    "w": lambda m: str(_sunday_week(m)[1]),
    "wo": lambda m: ordinal(_sunday_week(m)[1]),
    "ww": lambda m: f"{_sunday_week(m)[1]:02d}",
    "W": lambda m: str(m.isocalendar().week),
    "Wo": lambda m: ordinal(m.isocalendar().week),
    "WW": lambda m: f"{m.isocalendar().week:02d}",
    "gg": lambda m: f"{_sunday_week(m)[0] % 100:02d}",
    "gggg": lambda m: f"{_sunday_week(m)[0]:04d}",
    "GG": lambda m: f"{m.isocalendar().year % 100:02d}",
    "GGGG": lambda m: f"{m.isocalendar().year:04d}",
    "A": lambda m: "AM" if m.hour < 12 else "PM",
    "a": lambda m: "am" if m.hour < 12 else "pm",
    "H": lambda m: str(m.hour),
    "HH": lambda m: f"{m.hour:02d}",
    "h": lambda m: str(m.hour % 12 or 12),
    "hh": lambda m: f"{m.hour % 12 or 12:02d}",
    "k": lambda m: str(m.hour or 24),
    "kk": lambda m: f"{m.hour or 24:02d}",
    "m": lambda m: str(m.minute),
    "mm": lambda m: f"{m.minute:02d}",
    "s": lambda m: str(m.second),
    "ss": lambda m: f"{m.second:02d}",
    "z": lambda m: m.tzname() or "",
    "zz": lambda m: m.tzname() or "",
    "Z": lambda m: _offset(m, ":"),
    "ZZ": lambda m: _offset(m, ""),
    "X": lambda m: str(to_milliseconds(m) // MILLISECOND),
    "x": lambda m: str(to_milliseconds(m)),
}


def _expand(pattern: str) -> str:
    return LONG.sub(lambda found: found[1] or LONG_FORMATS[found[2]], pattern)


def format_moment(moment: datetime, pattern: str, zone: tzinfo) -> str:
    """The moment in a zone, as `pattern` asks for; text between brackets stays as it is."""
    local = moment.astimezone(zone)

    def shown(token: "re.Match[str]") -> str:
        if token[3] is None:
            return token[1] if token[1] is not None else token[2]
        if token[3].startswith("S"):
            return f"{local.microsecond * 1000:09d}"[: len(token[3])]
        return FORMATS[token[3]](local)

    return TOKEN.sub(shown, _expand(pattern))


@dataclass
class _Parts:
    """What a text says of a moment; what it does not say is the beginning of the present day's, month's or year's."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    day_of_year: int | None = None
    hour: int = 0
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    afternoon: bool | None = None
    offset: timedelta | None = None
    instant: datetime | None = None
    found: list[str] = field(default_factory=list)


def _numeric(name: str) -> Callable[[_Parts, str], None]:
    return lambda parts, text: setattr(parts, name, int(text.rstrip("stndrh")))


def _two_digit_year(parts: _Parts, text: str) -> None:
    parts.year = int(text) + (1900 if int(text) > 68 else 2000)


def _month_name(parts: _Parts, text: str) -> None:
    parts.month = [month[:3].lower() for month in MONTHS].index(text[:3].lower()) + 1


def _meridiem(parts: _Parts, text: str) -> None:
    parts.afternoon = text[0].lower() == "p"


def _fraction(parts: _Parts, text: str) -> None:
    """JavaScript's dates have milliseconds; what is finer is cut off."""
    parts.microsecond = int(text[:3].ljust(3, "0")) * MILLISECOND


def _parse_offset(parts: _Parts, text: str) -> None:
    digits = text.replace(":", "")
    if digits.upper() == "Z":
        parts.offset = timedelta()
        return
    size = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5] or 0))
    parts.offset = -size if digits[0] == "-" else size


def _instant(divisor: int) -> Callable[[_Parts, str], None]:
    def store(parts: _Parts, text: str) -> None:
        parts.instant = EPOCH + timedelta(milliseconds=float(text) * MILLISECOND / divisor)

    return store


_MONTH_NAMES = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in MONTHS)
_NUMBER = r"\d{1,2}"
_NAMED: dict[str, tuple[str, Callable[[_Parts, str], None]]] = {
    "YYYY": (r"\d{1,4}", _numeric("year")),
    "YY": (r"\d{2}", _two_digit_year),
    "Y": (r"[+-]?\d{1,4}", _numeric("year")),
    "MMM": (_MONTH_NAMES, _month_name),
    "MMMM": (_MONTH_NAMES, _month_name),
    "Do": (r"\d{1,2}(?:st|nd|rd|th)?", _numeric("day")),
    "DDD": (r"\d{1,3}", _numeric("day_of_year")),
    "DDDD": (r"\d{3}", _numeric("day_of_year")),
    "A": (r"[ap]\.?m?\.?", _meridiem),
    "a": (r"[ap]\.?m?\.?", _meridiem),
    "Z": (r"Z|[+-]\d\d:?\d?\d?", _parse_offset),
    "ZZ": (r"Z|[+-]\d\d:?\d?\d?", _parse_offset),
    "X": (r"[+-]?\d+(?:\.\d{1,3})?", _instant(1)),
    "x": (r"[+-]?\d+", _instant(MILLISECOND)),
}
_SAME = {"M": "month", "D": "day", "H": "hour", "h": "hour", "k": "hour", "m": "minute", "s": "second"}
PARSERS = {
    token: (re.compile(pattern, re.IGNORECASE | re.ASCII), store)
    for token, (pattern, store) in {
        **_NAMED,
        **{token * times: (_NUMBER, _numeric(name)) for token, name in _SAME.items() for times in (1, 2)},
        **{"S" * digits: (r"\d+", _fraction) for digits in range(1, 10)},
        **dict.fromkeys(("dd", "ddd", "dddd"), (r"[a-z]+", lambda _parts, _text: None)),
    }.items()
}


def parse_moment(text: str, pattern: str, zone: tzinfo, now: datetime) -> datetime:
    """Reads as moment.js does: each token is looked for after the one before, whatever stands between them.

    :raises ImlEvaluationError: for a text without any of the tokens, or that is no date
    """
    parts, rest = _Parts(), text
    for token in TOKEN.finditer(_expand(pattern)):
        if token[3] is None:
            continue
        if token[3] not in PARSERS:
            raise ImlEvaluationError(f"A date cannot be read by the token {token[3]!r}.")
        expression, store = PARSERS[token[3]]
        if match := expression.search(rest):
            store(parts, match[0])
            parts.found.append(token[3])
            rest = rest[match.end() :]
    if not parts.found:
        raise not_a_date(text)
    try:
        return _assemble(parts, zone, now)
    except (ValueError, OverflowError):
        raise not_a_date(text) from None


def _assemble(parts: _Parts, zone: tzinfo, now: datetime) -> datetime:
    if parts.instant is not None:
        return parts.instant
    hour = parts.hour if parts.afternoon is None else parts.hour % 12 + 12 * parts.afternoon
    today = now.astimezone(zone)
    year = today.year if parts.year is None else parts.year
    month = parts.month or (1 if parts.year is not None else today.month)
    day = parts.day or (1 if parts.year is not None or parts.month is not None else today.day)
    local = datetime(year, month, day, hour % 24, parts.minute, parts.second, parts.microsecond)
    if parts.day_of_year is not None:
        local = local.replace(month=1, day=1) + timedelta(days=parts.day_of_year - 1)
    local += timedelta(days=hour // 24)
    return local.replace(tzinfo=zone if parts.offset is None else timezone(parts.offset)).astimezone(UTC)


def guess_moment(text: str, zone: tzinfo) -> datetime:
    """A date in ISO 8601 or RFC 2822, to the millisecond; without an offset it is in the zone.

    :raises ImlEvaluationError: for anything else
    """
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text.strip())
            moment = moment.replace(microsecond=moment.microsecond // MILLISECOND * MILLISECOND)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError, IndexError, TypeError):
            continue
    raise not_a_date(text)


def not_a_date(text: str) -> ImlEvaluationError:
    return ImlEvaluationError(f"{text[:40]!r} is not a valid date.")
