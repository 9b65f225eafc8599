"""Values that Make takes for a parameter, what it makes of them, and what it says of others."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aiops_connect.platforms.make.runner.errors import InputError
from aiops_connect.platforms.make.runner.parameters import prepare

PRAGUE = ZoneInfo("Europe/Prague")

# The specification without its name, the value given, and what the component sees.
TAKEN: list[tuple[dict[str, Any], Any, Any]] = [
    ({"type": "text"}, "a", "a"),
    ({"type": "text"}, 12, "12"),
    ({"type": "text"}, True, "true"),
    ({"type": "text"}, b"a file", "a file"),
    ({"type": "text"}, None, None),
    ({"type": "number"}, "1.5", 1.5),
    ({"type": "integer"}, "-3", -3),
    ({"type": "uinteger"}, 3.0, 3),
    ({"type": "boolean"}, "true", True),
    ({"type": "boolean"}, False, False),
    ({"type": "date"}, "2026-03-04T12:00:00", datetime(2026, 3, 4, 11, tzinfo=UTC)),
    ({"type": "date"}, "2026-03-04T12:00:00Z", datetime(2026, 3, 4, 12, tzinfo=UTC)),
    ({"type": "buffer"}, "text", b"text"),
    ({"type": "buffer"}, b"\xff", b"\xff"),
    ({"type": "any"}, {"a": 1}, {"a": 1}),
    ({"type": "array"}, [1, "2"], [1, "2"]),
    ({"type": "array", "spec": {"type": "number"}}, ["1", 2], [1, 2]),
    ({"type": "array", "spec": [{"name": "n", "type": "number"}]}, [{"n": "1"}], [{"n": 1}]),
    ({"type": "collection", "spec": [{"name": "n", "type": "number"}]}, {"n": "1"}, {"n": 1}),
    ({"type": "select", "options": [{"label": "A", "value": "a"}]}, "a", "a"),
    ({"type": "select", "options": [{"label": "G", "options": [{"label": "A", "value": "a"}]}]}, "a", "a"),
    ({"type": "select", "options": "rpc://list"}, "anything", "anything"),
    ({"type": "select", "multiple": True, "options": {"store": [{"value": 1}, {"value": 2}]}}, [1, 2], [1, 2]),
    ({"type": "text", "multiple": True}, ["a", 1], ["a", "1"]),
    ({"type": "text", "validate": {"min": 2, "max": 3, "pattern": "^[a-z]+$"}}, "abc", "abc"),
    ({"type": "text", "validate": {"min": 2, "pattern": r"^\W+$"}}, "😀", "😀"),
    ({"type": "array", "validate": {"minItems": 1, "maxItems": 2}}, [1], [1]),
]


@pytest.mark.parametrize(("spec", "given", "seen"), TAKEN)
def test_taken(spec: dict[str, Any], given: Any, seen: Any) -> None:
    assert prepare([{"name": "x", **spec}], {"x": given}, PRAGUE) == {"x": seen}


# The specification without its name, the value given, and what is said of it.
REFUSED: list[tuple[dict[str, Any], Any, str]] = [
    ({"type": "text", "required": True}, "", "x: It is required."),
    ({"type": "text", "required": True}, None, "x: It is required."),
    ({"type": "text"}, {"a": 1}, "x: It has to be a text, and this is collection."),
    ({"type": "text"}, b"\xff", "x: It has to be a text, and the file is not UTF-8."),
    ({"type": "number"}, "many", "x: It has to be a number, and this is text 'many'."),
    ({"type": "number"}, [1], "x: It has to be a number, and this is array '1'."),
    ({"type": "integer"}, 1.5, "x: It has to be a whole number, and this is 1.5."),
    ({"type": "uinteger"}, -1, "x: It cannot be negative, and this is -1."),
    ({"type": "boolean"}, "yes", "x: It has to be true or false, and this is text 'yes'."),
    ({"type": "date"}, "tomorrow", "x: 'tomorrow' is not a valid date."),
    ({"type": "array"}, "a", "x: It has to be an array, and this is text."),
    ({"type": "array", "spec": {"type": "number"}}, [1, "b"], "x[2]: It has to be a number, and this is text 'b'."),
    ({"type": "collection", "spec": []}, "a", "x: It has to be a collection, and this is text."),
    (
        {"type": "collection", "spec": [{"name": "n", "type": "text", "required": True}]},
        {"m": 1},
        "x.n: It is required.\nx.m: There is no such parameter. There is n.",
    ),
    ({"type": "select", "options": [{"value": "a"}, {"value": "b"}]}, "c", "x: 'c' is not one of a, b."),
    ({"type": "text", "validate": {"min": 2}}, "a", "x: It has to be at least 2 characters, and this is 1."),
    ({"type": "number", "validate": {"max": 5}}, 6, "x: It has to be at most 5, and this is 6."),
    ({"type": "array", "validate": {"maxItems": 1}}, [1, 2], "x: It has to be at most 1 items, and this is 2."),
    ({"type": "text", "validate": {"pattern": "^a$"}}, "a\n", "x: It has to fit the pattern ^a$."),
    ({"type": "text", "validate": {"pattern": "^/"}}, "a", "x: It has to fit the pattern ^/."),
    (
        {"type": "text", "validate": {"pattern": "("}},
        "a",
        "x: The pattern '(' cannot be used: missing ).",
    ),
    ({"type": "array", "validate": {"enum": ["a", "b"]}}, ["c"], "x: It has to be one of a, b."),
]


@pytest.mark.parametrize(("spec", "given", "message"), REFUSED, ids=[row[2][:50] for row in REFUSED])
def test_refused(spec: dict[str, Any], given: Any, message: str) -> None:
    with pytest.raises(InputError) as raised:
        prepare([{"name": "x", **spec}], {"x": given}, PRAGUE)
    assert str(raised.value) == message


def test_a_default_stands_in_for_what_is_absent_only() -> None:
    specification = [{"name": "x", "type": "number", "default": "5"}]
    assert prepare(specification, {}, PRAGUE) == {"x": 5}
    assert prepare(specification, {"x": None}, PRAGUE) == {"x": None}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    specification = [{"name": "prompt", "type": "text", "required": True}, {"name": "count", "type": "number"}]
    with pytest.raises(InputError) as raised:
        prepare(specification, {"promt": "a", "count": "b"}, PRAGUE)
    assert str(raised.value).splitlines() == [
        "prompt: It is required.",
        "count: It has to be a number, and this is text 'b'.",
        "promt: There is no such parameter. Did you mean 'prompt'?",
    ]


def test_an_rpc_may_bring_any_parameter() -> None:
    assert prepare(["rpc://fields", {"name": "a", "type": "text"}], {"b": 1}, PRAGUE) == {"b": 1}


def test_nested_parameters_come_with_their_option() -> None:
    nested = [{"name": "size", "type": "number", "required": True}]
    options = [{"value": "custom", "nested": nested}, {"value": "auto"}]
    specification = [{"name": "mode", "type": "select", "options": options}]
    assert prepare(specification, {"mode": "custom", "size": "3"}, PRAGUE) == {"mode": "custom", "size": 3}
    assert prepare(specification, {"mode": "auto"}, PRAGUE) == {"mode": "auto"}
    with pytest.raises(InputError, match=r"^size: It is required\.$"):
        prepare(specification, {"mode": "custom"}, PRAGUE)


def test_a_banner_is_no_parameter() -> None:
    with pytest.raises(InputError, match=r"^note: There is no such parameter"):
        prepare([{"name": "note", "type": "banner", "text": "Hello"}], {"note": "x"}, PRAGUE)
