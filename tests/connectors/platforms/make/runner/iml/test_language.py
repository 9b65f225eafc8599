"""Texts, paths, operators and keywords, as Make's documentation of IML describes them."""

import math
from typing import Any

import pytest

from aiops_connect.platforms.make.runner.iml import functions
from aiops_connect.platforms.make.runner.iml.errors import ImlError
from aiops_connect.platforms.make.runner.iml.values import UNDEFINED
from tests.connectors.platforms.make.runner.iml.conftest import Evaluate

VALUES: list[tuple[str, Any]] = [
    # Texts: an expression alone keeps its type, others are joined.
    ("plain", "plain"),
    ("", ""),
    ("{{five}}", 5),
    (" {{five}}", " 5"),
    ("{{five}}{{five}}", "55"),
    ("a {{nothing}}{{none}} b", "a  b"),
    ("{{'}}'}} and {{\"{{\"}}", "}} and {{"),
    ("is {{true}} at {{date}}", "is true at 2026-03-29T00:30:15.250Z"),
    ("{{split('a,b', ',')}}!", "a,b!"),
    ("{{headers}}!", "{object}!"),
    # Literals
    (r"{{'it\'s'}}", "it's"),
    (r"{{'\d'}}", r"\d"),
    ('{{"a\'b"}}', "a'b"),
    ("{{1.50}}", 1.5),
    ("{{-3}}", -3),
    ("{{'é'}}", "é"),
    # Paths
    ("{{headers.`X-Key`}}", "k"),
    ("{{odd.`first name`}}", "Ann"),
    ("{{odd.1}}", "one"),
    ("{{people[1].name}}", "Ann"),
    ("{{people[].name}}", "Ann"),
    ("{{people[2].home.city}}", "Aix"),
    ("{{people[-1].name}}", "Cid"),
    ("{{people[0]}}", UNDEFINED),
    ("{{people[4]}}", UNDEFINED),
    ("{{people.2.name}}", "bob"),
    ("{{people.name}}", UNDEFINED),
    ("{{people[{{five - 3}}].name}}", "bob"),
    ("{{text[].x}}", UNDEFINED),
    ("{{text[]}}", "Hello"),
    ("{{none.at.all}}", UNDEFINED),
    ("{{nested[2][2][1]}}", 3),
    # Arithmetic: in decimals, by precedence, from the left
    ("{{1 + 2 * 3}}", 7),
    ("{{(1 + 2) * 3}}", 9),
    ("{{10 - 4 - 3}}", 3),
    ("{{0.1 + 0.2}}", 0.3),
    ("{{0.1 * 3}}", 0.3),
    ("{{7 / 2}}", 3.5),
    ("{{7 % 4}}", 3),
    ("{{-7 % 4}}", -3),
    ("{{'2' * '3'}}", 6),
    ("{{'2' - 1}}", 1),
    ("{{' 2\n' * '.5'}}", 1),
    ("{{'0x10' * 2}}", 32),
    ("{{'0b11' * '0O17'}}", 45),
    ("{{'1e2' * '-2.'}}", -200),
    ("{{'Infinity' * 2}}", math.inf),
    ("{{'-Infinity' < 0}}", True),
    ("{{'' * 2}}", 0),
    ("{{'1_000' > 0}}", False),
    ("{{'inf' > 0}}", False),
    ("{{'2' + 1}}", "21"),
    ("{{'2' ++ 1}}", 3),
    ("{{nothing + 'a'}}", "a"),
    ("{{5 + none}}", 5),
    ("{{nothing + none}}", None),
    ("{{'Hello, ' + people[].name}}", "Hello, Ann"),
    ("{{true + 1}}", "true1"),
    ("{{addSeconds(date, 2) - date}}", 2000),
    # Comparison: loose, whatever the spelling
    ("{{5 = 5}}", True),
    ("{{'5' == 5}}", True),
    ("{{'5' === 5}}", True),
    ("{{'' = 0}}", True),
    ("{{'a' = 'A'}}", False),
    ("{{nothing = none}}", True),
    ("{{nothing = 0}}", False),
    ("{{nothing = ''}}", False),
    ("{{true = 1}}", True),
    ("{{true = 'true'}}", False),
    ("{{'a' != 'b'}}", True),
    ("{{5 !== '5'}}", False),
    ("{{headers = headers}}", True),
    ("{{split('1', ',') = 1}}", True),
    ("{{date = date}}", True),
    ("{{date = addSeconds(date, 0)}}", False),
    ("{{2 < 10}}", True),
    ("{{2 > 10}}", False),
    ("{{10 > 2}}", True),
    ("{{'2' < '10'}}", False),
    ("{{'2' < 10}}", True),
    ("{{5 >= 5}}", True),
    ("{{nothing < 1}}", True),
    ("{{none < 1}}", False),
    ("{{date < addDays(date, 1)}}", True),
    ("{{date <= '2026'}}", False),
    # Logic: the operands themselves, and no more of them than needed
    ("{{five & text}}", "Hello"),
    ("{{nothing && text}}", None),
    ("{{empty | text}}", "Hello"),
    ("{{five || text}}", 5),
    ("{{false & errorFactory('x', 'y')}}", False),
    ("{{!nothing}}", True),
    ("{{!five = false}}", True),
    ("{{1 = 1 & 2 = 3 | true}}", True),
    ("{{true | false & false}}", True),
    ("{{!emptyarray}}", False),
    ("{{!'0'}}", False),
    ("{{!0}}", True),
    # Keywords and variables
    ("{{erase}}", None),
    ("{{null}}", None),
    ("{{ignore}}", UNDEFINED),
    ("{{undefined}}", UNDEFINED),
    ("{{emptystring}}", ""),
    ("{{emptyarray}}", []),
    ("[{{space}}{{nbsp}}{{tab}}{{newline}}{{carriagereturn}}]", "[ \u00a0\t\n\r]"),
    ("{{pi}}", 3.141592653589793),
    ("{{timestamp}}", 1_772_625_600),
    ("at {{now}}", "at 2026-03-04T12:00:00.000Z"),
    ("{{length(uuid)}}", 36),
    ("{{random >= 0 & random < 1}}", True),
    ("{{true}}", True),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_value(evaluate: Evaluate, text: str, value: Any) -> None:
    result = evaluate(text)
    assert result == value
    assert type(result) is type(value) or isinstance(result, str)


# The text, and the caret and message of its error.
ERRORS: list[tuple[str, str]] = [
    ("{{}}", "{{}}\n  ^^\nA value is missing here."),
    ("{{a", "{{a\n   ^\nThe expression is not closed with }}."),
    ("{{'a}}", "{{'a}}\n  ^\nThe text is not closed with '."),
    ("{{`a}}", "{{`a}}\n  ^\nThe name is not closed with `."),
    ("{{a b}}", "{{a b}}\n    ^\nThe expression is not closed with }}."),
    (
        "{{if(a; b; c)}}",
        "{{if(a; b; c)}}\n      ^\nUnexpected character ';'. Arguments are separated by commas in an "
        "app; semicolons belong to the scenario editor.",
    ),
    ("{{[1, 2]}}", "{{[1, 2]}}\n  ^\nIML has no array literals. Use split('a,b', ','), add() or emptyarray."),
    (
        "{{f({a: 1})}}",
        "{{f({a: 1})}}\n    ^\nUnexpected character '{'. IML has no collection literals. Build the "
        "collection in `temp`, or use parseJSON().",
    ),
    (
        "{{a ? b : c}}",
        "{{a ? b : c}}\n    ^\nUnexpected character '?'. IML has no conditional operator. "
        "Use if(condition, value, otherwise).",
    ),
    (
        "{{first(a).b}}",
        "{{first(a).b}}\n          ^\nNothing can be reached from the result of a function. Use get(value, 'name').",
    ),
    ("{{(a).b}}", "{{(a).b}}\n     ^\nNothing can be reached from a computed value. Use get(value, 'name')."),
    (
        "{{headers['a']}}",
        "{{headers['a']}}\n          ^^^\nAn index is a whole number counted from 1. Use get(array, index).",
    ),
    ("{{-five}}", "{{-five}}\n  ^\nOnly a number can follow this minus. Write 0 - value."),
    ("{{a.}}", "{{a.}}\n    ^^\nA name is missing after the dot."),
    ("{{a[1}}", "{{a[1}}\n     ^^\nA closing ] is missing here."),
    ("{{(a}}", "{{(a}}\n    ^^\nA closing ) is missing here."),
    ("{{1st}}", "{{1st}}\n  ^^^\nA name cannot begin with a digit. Put it between backticks."),
    ("{{a {{b}} }}", "{{a {{b}} }}\n    ^^\nThe expression is not closed with }}."),
    ("x\n{{\n upper(\n}}", "}}\n^^\nA value is missing here."),
    ("{{'a' * 2}}", "{{'a' * 2}}\n  ^^^^^^^\n`*` needs numbers, and text 'a' is none."),
    ("{{'1_000' * 2}}", "{{'1_000' * 2}}\n  ^^^^^^^^^^^\n`*` needs numbers, and text '1_000' is none."),
    ("{{'٣' * 2}}", "{{'٣' * 2}}\n  ^^^^^^^\n`*` needs numbers, and text '٣' is none."),
    ("{{'inf' * 2}}", "{{'inf' * 2}}\n  ^^^^^^^^^\n`*` needs numbers, and text 'inf' is none."),
    ("{{'-0x10' * 2}}", "{{'-0x10' * 2}}\n  ^^^^^^^^^^^\n`*` needs numbers, and text '-0x10' is none."),
    ("{{none / 2}}", "{{none / 2}}\n  ^^^^^^^^\n`/` needs numbers, and undefined is none."),
    ("{{uper('a')}}", "{{uper('a')}}\n  ^^^^\nUnknown function `uper`. Did you mean `upper`?"),
    (
        "{{object('a')}}",
        "{{object('a')}}\n  ^^^^^^\nUnknown function `object`. This runner executes Make's built-in functions only.",
    ),
    (
        "{{1 + round(2.5, 1)}}",
        "{{1 + round(2.5, 1)}}\n      ^^^^^^^^^^^^^\n`round` takes round(number), and gets 2 arguments.",
    ),
    (
        "{{if(true, 1 + upper(lower()))}}",
        "{{if(true, 1 + upper(lower()))}}\n                     ^^^^^^^\n`lower` takes "
        "lower(text), and gets 0 arguments.",
    ),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_error(evaluate: Evaluate, text: str, message: str) -> None:
    with pytest.raises(ImlError) as raised:
        evaluate(text)
    assert f"{raised.value.caret()}\n{raised.value.message}" == message


def test_a_variable_of_the_run_comes_before_a_built_in_one(evaluate: Evaluate) -> None:
    assert evaluate("{{pi}} {{now}}", pi=3, now="noon") == "3 noon"


def test_a_long_line_is_cut_around_the_caret(evaluate: Evaluate) -> None:
    with pytest.raises(ImlError) as raised:
        evaluate("x" * 500 + "{{nope()}}" + "y" * 500)
    line, caret = raised.value.caret().splitlines()
    assert len(line) == 100
    assert line[caret.index("^") :].startswith("nope()")


LIMITS = [
    ("{{" + "(" * 101 + "1" + ")" * 101 + "}}", "The expression is nested more than 100 deep."),
    ("{{" + "!" * 101 + "1}}", "The expression is nested more than 100 deep."),
    ("{{" + "upper(" * 101 + "1" + ")" * 101 + "}}", "The expression is nested more than 100 deep."),
    ("{{" + " + ".join(["1"] * 102) + "}}", "The expression is nested more than 100 deep."),
    ("{{" + "x" * 20_000, "The expression is longer than 16384 characters."),
    ("{{" + "9" * 400 + "}}", "The number is too large."),
    ("{{formatNumber(1, 101)}}", "`formatNumber`: 0 to 100 decimals can be asked for, not 101."),
    ("{{addYears(now, 9999)}}", "`addYears`: The date would be outside of the years 1 to 9999."),
    ("{{addSeconds(now, 999999999999)}}", "`addSeconds`: The date would be outside of the years 1 to 9999."),
]


@pytest.mark.parametrize(("text", "message"), LIMITS, ids=[row[1] for row in LIMITS])
def test_limit(evaluate: Evaluate, text: str, message: str) -> None:
    with pytest.raises(ImlError) as raised:
        evaluate(text)
    assert raised.value.message == message


def test_regular_expressions_are_bounded(evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions.text, "REGEX_SECONDS", 0.02)
    with pytest.raises(ImlError) as raised:
        evaluate("{{replace('" + "a" * 40 + "b', '/(a|a)*c|(a|aa)+$/', '')}}")
    assert raised.value.message == "`replace`: The regular expression '/(a|a)*c|(a|aa)+$/' takes more than 0.02 s."


def test_texts_are_bounded(evaluate: Evaluate) -> None:
    with pytest.raises(ImlError, match=r"^The text is longer than 67108864 characters\.$"):
        evaluate("{{big + big}}", big="x" * 40_000_000)
