"""What holds for any text and any value."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aiops_connect.platforms.make.runner.clock import InstantClock
from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlError, ImlSyntaxError, Span
from aiops_connect.platforms.make.runner.iml.functions import FUNCTIONS
from aiops_connect.platforms.make.runner.iml.moment import format_moment, parse_moment
from aiops_connect.platforms.make.runner.iml.operators import OPERATORS, loosely_equal
from aiops_connect.platforms.make.runner.iml.parser import PRECEDENCE, parse_expression
from aiops_connect.platforms.make.runner.iml.printer import to_source
from aiops_connect.platforms.make.runner.iml.syntax import Binary, Call, Index, Literal, Node, Path, Property, Unary
from aiops_connect.platforms.make.runner.iml.template import BlockError, parse, render, transform
from aiops_connect.platforms.make.runner.iml.values import UNDEFINED, number_text, to_json
from aiops_connect.platforms.make.runner.run import merged

NOWHERE = Span(0, 0)
FRAGMENTS = (
    "{{",
    "}}",
    "(",
    ")",
    "[",
    "]",
    "`",
    "'",
    '"',
    "\\",
    ",",
    ".",
    "-",
    "!",
    "=",
    "&",
    "if",
    "a",
    "1",
    " ",
    "é",
)
source_texts = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join))

names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,5}", fullmatch=True)
segments = st.one_of(
    st.text(st.characters(exclude_characters="`", codec="utf-8"), min_size=1).map(Property),
    st.integers(-9, 9).map(Index),
)
texts = st.text(st.characters(exclude_characters="\\", codec="utf-8"))
numbers = st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9, allow_nan=False))
literals = st.one_of(texts, numbers).map(lambda value: Literal(value, NOWHERE))
paths = st.builds(
    lambda first, rest: Path((Property(first), *rest), NOWHERE), names, st.lists(segments, max_size=3).map(tuple)
)


def _composed(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(lambda one: Unary("!", one, NOWHERE, one.depth + 1), inner),
        st.builds(
            lambda symbol, left, right: Binary(symbol, left, right, NOWHERE, max(left.depth, right.depth) + 1),
            st.sampled_from(sorted(PRECEDENCE)), inner, inner,
        ),
        st.builds(
            lambda name, arguments: Call(
                name, tuple(arguments), NOWHERE, NOWHERE, 1 + max((one.depth for one in arguments), default=0)
            ),
            names, st.lists(inner, max_size=3),
        ),
    )  # fmt: skip


nodes = st.recursive(st.one_of(literals, paths), _composed, max_leaves=12)

values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.just(UNDEFINED), st.booleans(), st.integers(-(2**53), 2**53), st.floats(), st.text(max_size=8),
        st.binary(max_size=4), st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC)),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


def context(**variables: Any) -> Context:
    return Context(variables, InstantClock(datetime(2026, 3, 4, 12, tzinfo=UTC)), random=Random(1))


def failure(attempt: Callable[[], object]) -> ImlError | None:
    """The error of IML that it ends in, if any; any other error is a mistake of ours."""
    try:
        attempt()
    except ImlError as error:
        return error
    return None


@given(source_texts)
def test_any_text_is_a_template_or_a_syntax_error_with_a_place(text: str) -> None:
    error = failure(lambda: parse(text))
    assert error is None or (error.span is not None and 0 <= error.span.start <= len(text) and "^" in error.caret())


@given(source_texts)
def test_a_text_without_braces_is_itself(text: str) -> None:
    if "{{" not in text:
        assert render(text, context) == text


@given(nodes)
def test_what_is_printed_parses_to_the_same(node: Node) -> None:
    assert parse_expression(to_source(node)) == node


@given(source_texts)
def test_what_is_parsed_prints_and_parses_again(text: str) -> None:
    try:
        node = parse_expression(text)
    except ImlSyntaxError:
        return
    assert parse_expression(to_source(node)) == node


@given(nodes, values)
def test_evaluation_ends_in_a_value_or_an_error_of_iml(node: Node, value: Any) -> None:
    source = "{{" + to_source(node) + "}}"
    failure(lambda: to_json(render(source, lambda: context(a=value))))


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(values, max_size=5))
def test_any_function_takes_any_values_or_says_why_not(name: str, arguments: list[Any]) -> None:
    variables = {f"v{place}": value for place, value in enumerate(arguments)}
    source = "{{" + f"{name}({', '.join(variables)})" + "}}"
    error = failure(lambda: to_json(render(source, lambda: context(**variables))))
    assert error is None or error.message


@given(st.sampled_from(sorted(OPERATORS)), values, values)
def test_any_operator_takes_any_values_or_says_why_not(symbol: str, left: Any, right: Any) -> None:
    error = failure(lambda: to_json(OPERATORS[symbol](left, right)))
    assert error is None or error.message


@given(values, values)
def test_equality_is_symmetric(left: Any, right: Any) -> None:
    assert loosely_equal(left, right) == loosely_equal(right, left)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_written_as_it_is_read(value: float) -> None:
    assert float(number_text(value)) == value


@given(values)
def test_json_can_be_read_again(value: Any) -> None:
    json.loads(to_json({"value": value}))


@given(values)
def test_a_block_of_json_without_expressions_stays_what_it_is(value: Any) -> None:
    block = json.loads(to_json({"value": value}))
    try:
        result = transform(block, context)
    except BlockError:
        assert "{{" in str(block)
        return
    assert "{{" in str(block) or result == block


@given(st.datetimes(datetime(1000, 1, 1), datetime(9998, 12, 31)))
def test_a_date_survives_formatting_and_reading(moment: datetime) -> None:
    exact = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    pattern = "YYYY-MM-DDTHH:mm:ss.SSSZ"
    assert parse_moment(format_moment(exact, pattern, UTC), pattern, UTC, exact) == exact


def test_merging_skips_what_is_undefined() -> None:
    assert merged({"a": 1, "b": {"c": 2}}, {"a": UNDEFINED, "b": {"c": UNDEFINED, "d": None}}) == {
        "a": 1,
        "b": {"c": 2, "d": None},
    }


@given(values, values)
def test_merging_keeps_what_the_new_value_has(old: Any, new: Any) -> None:
    result = merged(old, new)
    if isinstance(new, dict):
        assert all(key in result for key, value in new.items() if value is not UNDEFINED)
    elif isinstance(new, list):
        assert len(result) >= len(new)
    else:
        assert result is new or math.isnan(new)
