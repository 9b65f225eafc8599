"""Each built-in function, by the examples and rules of Make's reference."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aiops_connect.platforms.make.runner.iml.errors import ImlError
from aiops_connect.platforms.make.runner.iml.functions import FUNCTIONS
from aiops_connect.platforms.make.runner.iml.parser import parse_expression
from aiops_connect.platforms.make.runner.iml.syntax import Call
from aiops_connect.platforms.make.runner.iml.values import UNDEFINED, ErrorValue
from tests.connectors.platforms.make.runner.iml.conftest import VARIABLES, Evaluate

ANN, BOB, CID = VARIABLES["people"]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


GENERAL: list[tuple[str, Any]] = [
    ("if(five > 4, 'a', 'b')", "a"),
    ("if(0, 'a', 'b')", "b"),
    ("if(nothing, 'a')", UNDEFINED),
    ("if(emptyarray, 'a', 'b')", "a"),
    ("if(true, 1, upper(1, 2))", 1),
    ("if(five,,1)", None),
    ("if(emptystring, 'a', 'b')", "a"),
    ("if('', 'a', 'b')", "b"),
    ("ifempty(nothing, 1)", 1),
    ("ifempty(none, 1)", 1),
    ("ifempty('', 1)", 1),
    ("ifempty(emptystring, 1)", ""),
    ("ifempty(emptyarray, 1)", []),
    ("ifempty(0, 1)", 0),
    ("ifempty(false, 1)", False),
    ("ifempty(1, upper(1, 2))", 1),
    ("switch(five, 4, 'four', '5', 'five')", "five"),
    ("switch('x', 1, 'a', 'else')", "else"),
    ("switch('x', 1, 'a')", UNDEFINED),
    ("switch(nothing, 'null', 'a')", "a"),
    ("get(headers, 'content-type')", "text/html"),
    ("get(people, '[2].home.city')", "Aix"),
    ("get(people, '2.name')", "bob"),
    ("get(people[], 'home.city')", "Brno"),
    ("get(people, 1)", ANN),
    ("get(none, 'a')", UNDEFINED),
    ("pick(people[], 'name', 'age', 'no')", {"name": "Ann", "age": 30}),
    ("pick(none, 'a')", {}),
    ("omit(people[], 'home')", {"name": "Ann", "age": 30}),
    ("omit(people[], 'home', 'age')", {"name": "Ann"}),
    ("errorFactory('DataError', 'No')", ErrorValue("DataError", "No")),
]
TEXT: list[tuple[str, Any]] = [
    ("length('hello')", 5),
    ("length('😀')", 2),
    ("length(people)", 3),
    ("length(buffer)", 2),
    ("length(nothing)", 0),
    ("length(12)", 2),
    ("lower('ÄB')", "äb"),
    ("upper('straße')", "STRASSE"),
    ("capitalize('make APP')", "Make APP"),
    ("startcase('my make APP')", "My Make App"),
    ("trim('  a b ')", "a b"),
    ("trim('\ufeff\u00a0a\x1c')", "a\x1c"),
    ("substring('Hello', 0, 3)", "Hel"),
    ("substring('Hello', 3, 1)", "el"),
    ("substring('Hello', -2, 99)", "Hello"),
    ("substring('Hello', 2)", "llo"),
    ("substring('😀ab', 2, 3)", "a"),
    ("substring('a😀b', 1, 3)", "😀"),
    ("substring('😀a', 0, 1)", "\ud83d"),
    ("base64(substring('😀a', 0, 1))", "77+9"),
    ("indexOf('Make', 'e')", 3),
    ("indexOf('Make', 'x')", -1),
    ("indexOf('abcabc', 'a', 1)", 3),
    ("indexOf('😀a', 'a')", 2),
    ("indexOf('😀a😀', '😀', 1)", 3),
    ("indexOf('abc', '', 5)", 3),
    ("substring('x😀: a', indexOf('x😀: a', ':'))", ": a"),
    ("contains('Hello World', 'Hello')", True),
    ("contains('Hello', 'hello')", False),
    ("contains('Hello', 'hello', true)", True),
    ("contains(split('a,b', ','), 'b')", True),
    ("contains(split('a,b', ','), 'B')", False),
    ("contains(split('a,b', ','), 'B', true)", True),
    ("contains(nothing, 'a')", False),
    ("replace('Hello', 'l', 'L')", "HeLLo"),
    ("replace('a.b.c', '.', '-')", "a-b-c"),
    (r"replace('a1b22', '/\d+/', '#')", "a#b22"),
    (r"replace('a1b22', '/\d+/g', '#')", "a#b#"),
    (r"replace('John Smith', '/(\w+) (\w+)/', '$2, $1')", "Smith, John"),
    (r"replace('aB', '/(?<x>b)/i', '[$<x>$&$$$9]')", "a[BB$$9]"),
    ("replace('abc', '', 'x')", "abc"),
    ("replaceEmojiCharacters('a😀b👩‍👧c', '-')", "a-b-c"),
    ("replaceEmojiCharacters('1 # é', '-')", "1 # é"),
    ("split('a, b ,,c', ',')", ["a", "b", "c"]),
    ("split('a,,b', ',', true)", ["a", "", "b"]),
    ("split(nothing, ',')", []),
    ("join(split('a,b', ','), '; ')", "a; b"),
    ("join(split('a,b', ','))", "a,b"),
    ("join(nothing, ',')", ""),
    ("base64('hello')", "aGVsbG8="),
    ("base64(buffer)", "AP8="),
    ("md5('hello')", "5d41402abc4b2a76b9719d911017c592"),
    ("sha1('hello')", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
    ("sha256('hello')", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
    ("sha256('hello', 'base64')", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ("sha256('hello', 'hex', 'key')", "9307b3b915efb5171ff14d8cb55fbcc798c6c0ef1456d66ded1a6aa723a58b7b"),
    ("sha256('hello', 'hex', '6b6579', 'hex')", "9307b3b915efb5171ff14d8cb55fbcc798c6c0ef1456d66ded1a6aa723a58b7b"),
    ("sha256('hello', '', 'a2V5', 'base64')", "9307b3b915efb5171ff14d8cb55fbcc798c6c0ef1456d66ded1a6aa723a58b7b"),
    ("length(sha512('hello'))", 128),
    ("ascii('aěb', true)", "aeb"),
    ("ascii('aěb')", "ab"),
    ("toString(5)", "5"),
    ("toString(split('a,b', ','))", "a,b"),
    ("toString(date)", "2026-03-29T00:30:15.250Z"),
    ("toString(headers)", "{object}"),
    ("toString(buffer, 'hex')", "00ff"),
    ("toBinary('hi')", b"hi"),
    ("toBinary('AP8=', 'base64')", b"\x00\xff"),
    ("toBinary('AP-_', 'base64')", b"\x00\xff\xbf"),
    ("toBinary('00ff', 'hex')", b"\x00\xff"),
    ("toBinary('é', 'binary')", b"\xe9"),
    ("encodeURL('a b/é?!')", "a%20b%2F%C3%A9%3F!"),
    ("decodeURL('a%20b+%C3%A9')", "a b+é"),
    ("stripHTML('<p>A<br>b &amp; <b>c</b></p><style>x{}</style><script>alert(1)</script>')", "A\nb & c"),
    ("escapeHTML('<b>\"a\" & b</b>')", '&lt;b&gt;"a" &amp; b&lt;/b&gt;'),
    ("escapeMarkdown('# a *b*')", r"\# a \*b\*"),
    ("mime('song.mp3')", "audio/mpeg"),
    ("mime('nothing')", UNDEFINED),
]
MATHEMATICS: list[tuple[str, Any]] = [
    ("round(2.5)", 3),
    ("round(-2.5)", -2),
    ("round('2.4')", 2),
    ("floor(-1.2)", -2),
    ("ceil(1.2)", 2),
    ("trunc(1.9)", 1),
    ("trunc(-1.29, 1)", -1.2),
    ("trunc(123, -2)", 100),
    ("abs(-5)", 5),
    ("min(3, 1, 2)", 1),
    ("min(map(people, 'age'))", 4),
    ("max(3, 'x', nothing, 7)", 7),
    ("max(emptyarray)", None),
    ("sum(1, 2, 3)", 6),
    ("sum(0.1, 0.2)", 0.3),
    ("sum(map(people, 'age'))", 64),
    ("average(1, 2, 'x')", 1.5),
    ("median(3, 1, 2)", 2),
    ("median(1, 2, 3, 4)", 2.5),
    ("median(emptyarray)", None),
    ("stdevS(2, 4, 4, 4, 5, 5, 7, 9)", 2.138089935299395),
    ("stdevP(2, 4, 4, 4, 5, 5, 7, 9)", 2),
    ("parseNumber('1 756,456', ',')", 1756.456),
    ("parseNumber('1,756.5')", 1756.5),
    ("parseNumber(5)", 5),
    ("formatNumber(123456789, 3, '.', ',')", "123,456,789.000"),
    ("formatNumber(1234.567, 2)", "1.234,57"),
    ("formatNumber(-1234.5, 0, '.', ' ')", "-1 235"),
    ("formatNumber('0.005', 2, '.', '')", "0.01"),
]
DATES: list[tuple[str, Any]] = [
    ("parseDate('2026-03-04')", utc(2026, 3, 4)),
    ("parseDate('2026-03-04T10:00:00+02:00')", utc(2026, 3, 4, 8)),
    ("parseDate('2026-03-04T10:00:00.1239Z')", utc(2026, 3, 4, 10, 0, 0, 123_000)),
    ("parseDate('2026-03-04T10:00:00.123456789+00:00')", utc(2026, 3, 4, 10, 0, 0, 123_000)),
    ("formatDate(parseDate('2026-03-04T10:00:00.1239Z'), 'x')", "1772618400123"),
    ("parseDate('2026-03-04 10:00:00.1239', 'YYYY-MM-DD HH:mm:ss.SSSS')", utc(2026, 3, 4, 10, 0, 0, 123_000)),
    ("parseDate('2026-03-04 10:00:00.9+00')", utc(2026, 3, 4, 10, 0, 0, 900_000)),
    ("parseDate('Wed, 04 Mar 2026 10:00:00 GMT')", utc(2026, 3, 4, 10)),
    ("parseDate(1772625600000)", utc(2026, 3, 4, 12)),
    ("parseDate('1772625600', 'X')", utc(2026, 3, 4, 12)),
    ("parseDate('1772625600000', 'x')", utc(2026, 3, 4, 12)),
    ("parseDate('12/28/2019 6:30 PM', 'MM/DD/YYYY h:mm A')", utc(2019, 12, 28, 18, 30)),
    ("parseDate('2026-07-01 10:00', 'YYYY-MM-DD HH:mm', 'Europe/Prague')", utc(2026, 7, 1, 8)),
    ("formatDate(date, 'YYYY-MM-DD')", "2026-03-29"),
    ("formatDate(date)", "2026-03-29T00:30:15.250+00:00"),
    ("formatDate(date, 'X')", "1774744215"),
    ("formatDate('2026-03-04', 'DD.MM.YYYY')", "04.03.2026"),
    ("formatDate(date, 'HH:mm Z', 'America/New_York')", "20:30 -04:00"),
    ("dateDiff(addHours(date, 51), date, 'D')", 2),
    ("dateDiff(addMinutes(date, 3105), date, 'H')", 51),
    ("dateDiff(addMinutes(date, 3105), date, 'm')", 3105),
    ("dateDiff(addMinutes(date, 3105), date, 's')", 186_300),
    ("dateDiff(addMinutes(date, 3105), date, 'RH')", 3),
    ("dateDiff(addMinutes(date, 3105), date, 'Rm')", 45),
    ("dateDiff(addMinutes(date, 3105), date, 'Rs')", 0),
    ("addSeconds('2026-03-04', 61)", utc(2026, 3, 4, 0, 1, 1)),
    ("addMinutes('2026-03-04', -1)", utc(2026, 3, 3, 23, 59)),
    ("addHours('2026-03-04', 25)", utc(2026, 3, 5, 1)),
    ("addDays('2026-02-28', 1)", utc(2026, 3, 1)),
    ("addMonths('2026-01-31', 1)", utc(2026, 2, 28)),
    ("addMonths('2026-03-04', -3)", utc(2025, 12, 4)),
    ("addYears('2024-02-29', 1)", utc(2025, 2, 28)),
    ("setSecond('2026-03-04', 61)", utc(2026, 3, 4, 0, 1, 1)),
    ("setMinute('2026-03-04T10:30:00Z', 5)", utc(2026, 3, 4, 10, 5)),
    ("setHour('2026-03-04T10:30:00Z', 6)", utc(2026, 3, 4, 6, 30)),
    ("setHour('2026-03-04T10:30:00Z', -6)", utc(2026, 3, 3, 18, 30)),
    ("setDate('2026-03-04', 15)", utc(2026, 3, 15)),
    ("setDate('2026-03-04', 32)", utc(2026, 4, 1)),
    ("setDay('2026-03-04', 'monday')", utc(2026, 3, 2)),
    ("setDay('2026-03-04', 'tue')", utc(2026, 3, 3)),
    ("setDay('2026-03-04', 1)", utc(2026, 3, 1)),
    ("setDay('2026-03-04', 7)", utc(2026, 3, 7)),
    ("setMonth('2026-03-31', 2)", utc(2026, 2, 28)),
    ("setMonth('2026-03-04', 'january')", utc(2026, 1, 4)),
    ("setMonth('2026-03-04', 13)", utc(2027, 1, 4)),
    ("setYear('2026-03-04', 2017)", utc(2017, 3, 4)),
]
ARRAYS: list[tuple[str, Any]] = [
    ("add(split('a', ','), 'b', 1)", ["a", "b", 1]),
    ("add(nothing, 1)", [1]),
    ("remove(split('a,b,a', ','), 'a')", ["b"]),
    ("remove(add(emptyarray, 1, '1', true), 1)", ["1", True]),
    ("map(people, 'name')", ["Ann", "bob", "Cid"]),
    ("map(people, 'home.city')", ["Brno", "Aix", "Brno"]),
    ("map(people, 'name', 'age', '4,5')", ["bob"]),
    ("map(people, 'name', 'home.city', 'Brno')", ["Ann", "Cid"]),
    ("map(people, 'no')", []),
    ("sort(add(emptyarray, 10, 9, 1))", [1, 9, 10]),
    ("sort(add(emptyarray, 10, nothing, 9), 'desc')", [10, 9, None]),
    ("map(sort(people, 'asc', 'name'), 'name')", ["Ann", "Cid", "bob"]),
    ("map(sort(people, 'asc ci', 'name'), 'name')", ["Ann", "bob", "Cid"]),
    ("map(sort(people, 'desc ci', 'name'), 'name')", ["Cid", "bob", "Ann"]),
    ("map(sort(people, 'desc', 'home.city'), 'name')", ["Ann", "Cid", "bob"]),
    ("reverse(split('a,b', ','))", ["b", "a"]),
    ("sort(shuffle(split('c,a,b', ',')))", ["a", "b", "c"]),
    ("slice(split('a,b,c', ','), 1)", ["b", "c"]),
    ("slice(split('a,b,c', ','), 0, -1)", ["a", "b"]),
    ("merge(split('a', ','), nothing, 'x', split('b', ','))", ["a", "b"]),
    ("flatten(nested)", [1, 2, [3, [4]]]),
    ("flatten(nested, 3)", [1, 2, 3, 4]),
    ("flatten(nested, 999999999)", [1, 2, 3, 4]),
    ("distinct(add(emptyarray, 1, '1', 2))", [1, 2]),
    ("distinct(people, 'age')", [ANN, BOB]),
    ("length(distinct(merge(people, people)))", 3),
    ("deduplicate(split('a,b,a', ','))", ["a", "b"]),
    ("keys(headers)", ["content-type", "X-Key"]),
    ("keys(split('a,b', ','))", ["0", "1"]),
    ("toCollection(people, 'name', 'age')", {"Ann": 30, "bob": 4, "Cid": 30}),
    ("toArray(headers)", [{"key": "content-type", "value": "text/html"}, {"key": "X-Key", "value": "k"}]),
    ("toArray(split('a', ','))", [{"key": 0, "value": "a"}]),
    ("first(split('a,b', ','))", "a"),
    ("first(emptyarray)", UNDEFINED),
    ("last(split('a,b', ','))", "b"),
    ("isArray(people)", True),
    ("isArray('a')", False),
    ("pop(split('a,b', ','))", "b"),
    ("shift(split('a,b', ','))", "a"),
]
DOCUMENTS: list[tuple[str, Any]] = [
    ("parseJSON('{\"a\": [1, 2.0, 1e3]}')", {"a": [1, 2, 1000]}),
    ("createJSON(people[2])", '{"name":"bob","age":4,"home":{"city":"Aix"}}'),
    ("createJSON(date)", '"2026-03-29T00:30:15.250Z"'),
    ("parseXML('<a b=\"1\">t<c>d</c><c/></a>')", {"a": {"_attributes": {"b": "1"}, "_value": "t", "c": ["d", ""]}}),
    ("createXML(parseXML('<a b=\"1\"><c>d</c></a>'))", '<a b="1"><c>d</c></a>'),
    (
        'toDataStructure(\'{"a": [1], "b": {"c": "x"}}\')',
        [
            {"name": "a", "type": "array", "spec": {"type": "number"}},
            {"name": "b", "type": "collection", "spec": [{"name": "c", "type": "text"}]},
        ],
    ),
]
ROWS = [*GENERAL, *TEXT, *MATHEMATICS, *DATES, *ARRAYS, *DOCUMENTS]


@pytest.mark.parametrize(("expression", "value"), ROWS, ids=[row[0][:60] for row in ROWS])
def test_value(evaluate: Evaluate, expression: str, value: Any) -> None:
    assert evaluate("{{" + expression + "}}") == value


def test_every_function_has_a_row() -> None:
    shown = {"cryptoSign", "jwt", "generateJwtWithKeyId"}  # in test_crypto
    for expression, _ in ROWS:
        node = parse_expression(expression)
        nodes = [node]
        while nodes:
            one = nodes.pop()
            if isinstance(one, Call):
                shown.add(one.name)
                nodes.extend(one.arguments)
    assert set(FUNCTIONS) - shown == set()


ERRORS: list[tuple[str, str]] = [
    ("length(headers)", "`length`: A collection has no length. Use length(keys(collection))."),
    ("join('a', ',')", "`join`: An array is needed, and this is text."),
    ("first('a')", "`first`: An array is needed, and this is text."),
    ("pick('a', 'b')", "`pick`: A collection is needed, and this is text."),
    ("round('a')", "`round`: A number is needed, and this is text 'a'."),
    ("abs(nothing)", "`abs`: A number is needed, and this is null."),
    ("parseNumber('a')", "`parseNumber`: 'a' is not a number."),
    ("parseNumber('1', ';')", "`parseNumber`: The decimal separator is a comma or a point, not ';'."),
    ("parseDate('')", "`parseDate`: '' is not a valid date."),
    ("parseDate('soon', 'YYYY')", "`parseDate`: 'soon' is not a valid date."),
    ("parseDate('2026-13-01', 'YYYY-MM-DD')", "`parseDate`: '2026-13-01' is not a valid date."),
    ("parseDate('1', 'w')", "`parseDate`: A date cannot be read by the token 'w'."),
    ("formatDate(none, 'X')", "`formatDate`: A date is needed, and this is undefined."),
    ("formatDate(now, 'X', 'Prague')", "`formatDate`: Unknown time zone 'Prague'. Use a name like Europe/Prague."),
    ("dateDiff(now, addDays(now, 1), 'D')", "`dateDiff`: The start date is after the end date."),
    ("dateDiff(now, now, 'd')", "`dateDiff`: Unknown unit 'd'. Make has D, H, m, s, RH, Rm, Rs."),
    ("addDays(now, 'x')", "`addDays`: A number is needed, and this is text."),
    (
        "setDay(now, 'someday')",
        "`setDay`: Unknown name 'someday'. It is one of Sunday, Monday, Tuesday, Wednesday, "
        "Thursday, Friday, Saturday.",
    ),
    ("sort(people, 'up')", "`sort`: Unknown order 'up'. Make has asc, desc, asc ci, desc ci."),
    ("replace('a', '/(/', '')", "`replace`: The regular expression '/(/' is not valid: missing )."),
    (
        "toBinary('zz', 'hex')",
        "`toBinary`: The text is not hex: non-hexadecimal number found in fromhex() arg at position 0.",
    ),
    (
        "toBinary('a', 'rot13')",
        "`toBinary`: Unknown encoding 'rot13'. Make has utf8, utf-8, ascii, hex, base64, binary, latin1.",
    ),
    ("decodeURL('%ff')", "`decodeURL`: The text is not URL-encoded UTF-8."),
    (
        "parseJSON('{')",
        "`parseJSON`: The text is not valid JSON: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1).",
    ),
    ("parseJSON('NaN')", "`parseJSON`: The text is not valid JSON: NaN is not JSON."),
    ("parseXML('<a>')", "`parseXML`: The text is not valid XML: no element found: line 1, column 3."),
    (
        "parseXML('<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>')",
        "`parseXML`: The text is not valid XML: entities are disabled.",
    ),
    (
        "createXML(headers)",
        "`createXML`: The collection cannot be written as XML: it needs exactly one member, the root.",
    ),
    ("toDataStructure(headers, 'xml')", "`toDataStructure`: Only the type 'json' is known."),
    ("jwt('a', 'b')", "`jwt`: The payload is a collection."),
    ("jwt(headers, 'b', 'XS1')", "`jwt`: The token cannot be signed: Algorithm not supported."),
    ("cryptoSign('SHA256', 'a', 'b')", "`cryptoSign`: The key is not a private key in PEM format without a password."),
]


@pytest.mark.parametrize(("expression", "message"), ERRORS, ids=[row[0][:60] for row in ERRORS])
def test_error(evaluate: Evaluate, expression: str, message: str) -> None:
    with pytest.raises(ImlError) as raised:
        evaluate("{{" + expression + "}}")
    assert raised.value.message == message
    assert raised.value.caret().splitlines()[1].count("^") == len(expression)


def test_an_unknown_error_type_is_told_with_those_there_are(evaluate: Evaluate) -> None:
    with pytest.raises(ImlError, match=r"Unknown error type 'Oops'. Make has DataError, UnknownError, RuntimeError"):
        evaluate("{{errorFactory('Oops', 'a')}}")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("formatDate(addDays('2026-03-28T12:00:00Z', 1), 'DD HH:mm')", "29 13:00"),
        ("formatDate(addHours('2026-03-28T12:00:00Z', 24), 'DD HH:mm')", "29 14:00"),
        ("formatDate(setHour('2026-03-04T23:30:00Z', 0), 'DD HH:mm')", "05 00:30"),
        ("parseDate('2026-03-04')", utc(2026, 3, 3, 23)),
        ("formatDate(date, 'Z')", "+01:00"),
    ],
)
def test_days_and_hours_are_those_of_the_scenarios_zone(evaluate: Evaluate, expression: str, value: Any) -> None:
    """On 29 March 2026 Prague goes from 2 to 3 o'clock."""
    assert evaluate("{{" + expression + "}}", timezone="Europe/Prague") == value


def test_pop_and_shift_take_items_out_of_the_array_itself(evaluate: Evaluate) -> None:
    items = [1, 2, 3]
    assert evaluate("{{pop(items)}}{{shift(items)}}", items=items) == "31"
    assert items == [2]


def test_functions_leave_their_arguments_alone(evaluate: Evaluate) -> None:
    items = [3, 1, 2]
    evaluate("{{sort(items)}}{{reverse(items)}}{{add(items, 1)}}{{remove(items, 1)}}{{shuffle(items)}}", items=items)
    assert items == [3, 1, 2]
