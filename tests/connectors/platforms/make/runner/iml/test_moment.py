"""The tokens of moment.js; the expected texts are those of its documentation."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from aiops_connect.platforms.make.runner.iml.moment import FORMATS, PARSERS, format_moment, parse_moment

PRAGUE = ZoneInfo("Europe/Prague")
MOMENT = datetime(2026, 1, 4, 14, 5, 9, 87_000, tzinfo=UTC)  # a Sunday, 15:05 in Prague
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)

FORMATTED = [
    ("YYYY YY Y", "2026 26 2026"),
    ("Q Qo", "1 1st"),
    ("M Mo MM MMM MMMM", "1 1st 01 Jan January"),
    ("D Do DD", "4 4th 04"),
    ("DDD DDDo DDDD", "4 4th 004"),
    ("d do dd ddd dddd", "0 0th Su Sun Sunday"),
    ("e E", "0 7"),
    ("w wo ww gg gggg", "2 2nd 02 26 2026"),
    ("W Wo WW GG GGGG", "1 1st 01 26 2026"),
    ("A a", "PM pm"),
    ("H HH h hh k kk", "15 15 3 03 15 15"),
    ("m mm s ss", "5 05 9 09"),
    ("S SS SSS SSSS SSSSSSSSS", "0 08 087 0870 087000000"),
    ("z zz Z ZZ", "CET CET +01:00 +0100"),
    ("X x", "1767535509 1767535509087"),
    ("LT | LTS | L | LL", "3:05 PM | 3:05:09 PM | 01/04/2026 | January 4, 2026"),
    ("LLL | LLLL", "January 4, 2026 3:05 PM | Sunday, January 4, 2026 3:05 PM"),
    ("l | ll | lll | llll", "1/4/2026 | Jan 4, 2026 | Jan 4, 2026 3:05 PM | Sun, Jan 4, 2026 3:05 PM"),
    ("[YYYY is] YYYY", "YYYY is 2026"),
    (r"\Y YYYY", "Y 2026"),
    ("YYYY-MM-DDTHH:mm:ss.SSSZ", "2026-01-04T15:05:09.087+01:00"),
]


@pytest.mark.parametrize(("pattern", "text"), FORMATTED)
def test_format(pattern: str, text: str) -> None:
    assert format_moment(MOMENT, pattern, PRAGUE) == text


def test_every_token_is_tried() -> None:
    tried = {token for pattern, _ in FORMATTED for token in pattern.split()}
    assert set(FORMATS) <= tried


def test_midnight() -> None:
    midnight = datetime(2026, 1, 11, tzinfo=UTC)
    assert format_moment(midnight, "H h k A Do", ZoneInfo("UTC")) == "0 12 24 AM 11th"


def at(*parts: int) -> datetime:
    year, month, day, hour, minute, second, micro = (*parts, *(1, 1, 1, 0, 0, 0, 0)[len(parts) :])
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)


PARSED = [
    ("2026-03-04", "YYYY-MM-DD", at(2026, 3, 4)),
    ("2026-03-04T10:20:30.456Z", "YYYY-MM-DDTHH:mm:ss.SSSZ", at(2026, 3, 4, 10, 20, 30, 456_000)),
    ("2026-03-04 10:20 +02:00", "YYYY-MM-DD HH:mm Z", at(2026, 3, 4, 8, 20)),
    ("2026-03-04 10:20 -0230", "YYYY-MM-DD HH:mm ZZ", at(2026, 3, 4, 12, 50)),
    ("4.3.26", "D.M.YY", at(2026, 3, 4)),
    ("1.1.69", "D.M.YY", at(1969)),
    ("March 4th, 2026", "MMMM Do, YYYY", at(2026, 3, 4)),
    ("Wed 04-mar-2026", "ddd DD-MMM-YYYY", at(2026, 3, 4)),
    ("12:30 am", "hh:mm a", at(2026, 3, 4, 0, 30)),
    ("12:30 PM", "h:mm A", at(2026, 3, 4, 12, 30)),
    ("2026 063", "YYYY DDDD", at(2026, 3, 4)),
    ("24:00 2026-03-04", "HH:mm YYYY-MM-DD", at(2026, 3, 5)),
    ("2026", "YYYY-MM-DD", at(2026)),
    ("1.5", "X", at(1970, 1, 1, 0, 0, 1, 500_000)),
    ("1/4/2026 3:05 PM", "l LT", at(2026, 1, 4, 15, 5)),
]


@pytest.mark.parametrize(("text", "pattern", "moment"), PARSED)
def test_parse(text: str, pattern: str, moment: datetime) -> None:
    assert parse_moment(text, pattern, ZoneInfo("UTC"), NOW) == moment


@pytest.mark.parametrize("token", sorted(set(PARSERS) & set(FORMATS) - {"z", "zz"}))
def test_what_is_formatted_can_be_read(token: str) -> None:
    pattern = f"YYYY-MM-DD HH:mm:ss [|] {token}"
    text = format_moment(MOMENT, pattern, ZoneInfo("UTC"))
    assert parse_moment(text, pattern, ZoneInfo("UTC"), NOW).date() == MOMENT.date()
