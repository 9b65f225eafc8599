"""Files into plain data."""

from pathlib import Path
from typing import Any

import pytest

from aiops_connect import limits
from aiops_connect.loading import LoadError, load, loads

YAML: list[tuple[str, str, Any]] = [
    ("object", "a: 1\nb: [x, y]", {"a": 1, "b": ["x", "y"]}),
    ("words that YAML 1.1 takes for booleans", "[yes, no, on, off, y, n]", ["yes", "no", "on", "off", "y", "n"]),
    (
        "dates and times are texts",
        "[2026-01-05, 12:30, 2026-01-05T10:15:00Z]",
        ["2026-01-05", "12:30", "2026-01-05T10:15:00Z"],
    ),
    ("booleans and null", "[true, False, null, ~, ]", [True, False, None, None]),
    ("numbers", "[1, -2, 0x1F, 0o17, 1.5, 1e3, .5]", [1, -2, 31, 15, 1.5, 1000.0, 0.5]),
    ("what only looks like numbers", "[1_000, 1e999, 0b1, .inf, 1.2.3]", ["1_000", "1e999", "0b1", ".inf", "1.2.3"]),
    ("quoted", "['1', \"true\", !!str 5, ! 6]", ["1", "true", "5", "6"]),
    ("numbers are names", "200: ok\n1.5: x\ntrue: y", {"200": "ok", "1.5": "x", "true": "y"}),
    ("aliases", "a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
    ("an anchor that is set anew", "[&x 1, *x, &x 2, *x]", [1, 1, 2, 2]),
    ("nothing", "a:", {"a": None}),
    ("JSON", '{"a": [1, "\\u00e9", null]}', {"a": [1, "é", None]}),
    ("a name with a meaning", "__proto__: 1", {"__proto__": 1}),
]


@pytest.mark.parametrize(("text", "expected"), [pytest.param(*row[1:], id=row[0]) for row in YAML])
def test_yaml_is_read_by_the_rules_of_json(text: str, expected: Any) -> None:
    found = loads(text)
    assert found == expected
    assert repr(found) == repr(expected)  # 1, 1.0 and true are equal to Python


BOMB = "\n".join(
    ["a: &a [1]", *(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]" for n in range(12))]
)
FAILURES: list[tuple[str, str, bool, str]] = [
    ("a name twice", "a: 1\na: 2", False, "Line 2: 'a' stands twice in one object. Leave one."),
    ("a name twice in JSON", '{"a": 1, "a": 2}', True, "It is not JSON: 'a' stands twice in one object; leave one."),
    ("two documents", "a: 1\n---\nb: 2", False, "The file holds 2 YAML documents. Leave one."),
    ("none", "", False, "The file holds 0 YAML documents. Leave one."),
    ("a list as a name", "? [a]\n: 1", False, "Line 1: the name of a member has to be a text."),
    (
        "an alias of what has not ended",
        "a: &x [*x]",
        False,
        "Line 1: the alias *x stands for nothing that has ended before.",
    ),
    ("an alias of nothing", "a: *x", False, "Line 1: the alias *x stands for nothing that has ended before."),
    ("no YAML", "a: [1", False, "Line 2: did not find expected ',' or ']'."),
    ("too deep", "[" * 101 + "]" * 101, False, "Line 1: it is nested more than 100 levels deep. Flatten it."),
    ("too deep for any parser", "[" * 100_000, False, "Line 1: it is nested more than 100 levels deep. Flatten it."),
    ("too deep in JSON", "[" * 101 + "]" * 101, True, "It is nested more than 100 levels deep. Flatten it."),
    (
        "too deep in JSON for any parser",
        "[" * 100_000 + "]" * 100_000,
        True,
        "It is nested more than 100 levels deep. Flatten it.",
    ),
    (
        "aliases that multiply",
        BOMB,
        False,
        "Line 7: it holds more than 1,000,000 values, aliases counted as what they stand for.",
    ),
    (
        "no JSON",
        "{",
        True,
        "It is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1).",
    ),
    ("no number", '{"a": NaN}', True, "It is not JSON: NaN is no number of JSON."),
    ("a number that is too large", '{"a": 1e999}', True, "It is not JSON: 1e999 is beyond the numbers that are read."),
]


@pytest.mark.parametrize(("text", "is_json", "message"), [pytest.param(*row[1:], id=row[0]) for row in FAILURES])
def test_what_cannot_be_read_is_told_in_a_sentence(text: str, is_json: bool, message: str) -> None:
    with pytest.raises(LoadError) as failure:
        loads(text, is_json=is_json)
    assert str(failure.value) == message


def test_a_file_is_json_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert load(tmp_path / "a.json") == {"a": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "It cannot be read: No such file or directory."),
        (b"a: \xff", "It is not UTF-8 at byte 3. Save it as UTF-8."),
        (b" " * 65, "It is larger than 64 bytes."),
    ],
    ids=["missing", "latin", "large"],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    monkeypatch.setattr("aiops_connect.loading.FILE_BYTES_MAX", 64)
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LoadError) as failure:
        load(path)
    assert str(failure.value) == message


def test_many_values_are_too_many() -> None:
    with pytest.raises(LoadError, match="more than 1,000,000 values"):
        loads("[" + "1," * (limits.NODES_MAX + 1) + "1]", is_json=True)
