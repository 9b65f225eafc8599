"""Array functions."""

from collections.abc import Callable
from functools import cmp_to_key

from aiops_connect.platforms.make.runner.iml import operators
from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.functions.registry import function
from aiops_connect.platforms.make.runner.iml.functions.text import whole
from aiops_connect.platforms.make.runner.iml.paths import follow
from aiops_connect.platforms.make.runner.iml.values import (
    UNDEFINED,
    Value,
    bounded,
    is_missing,
    to_json,
    to_text,
    type_name,
)
from aiops_connect.platforms.make.runner.limits import VALUE_DEPTH

ORDERS = ("asc", "desc", "asc ci", "desc ci")


def items_of(value: Value) -> list[Value]:
    """The items of an array; none of null.

    :raises ImlEvaluationError: for what is no array
    """
    if is_missing(value):
        return []
    if not isinstance(value, list):
        raise ImlEvaluationError(f"An array is needed, and this is {type_name(value)}.")
    return value


@function("add(array, value, ...)")
def add(_: Context, array: Value, *values: Value) -> Value:
    return [*items_of(array), *values]


@function("remove(array, value, ...)")
def remove(_: Context, array: Value, *values: Value) -> Value:
    """Only texts, numbers, booleans and null can be removed."""
    unwanted = [value for value in values if not isinstance(value, list | dict)]
    return [item for item in items_of(array) if not any(_same(item, value) for value in unwanted)]


def _same(first: Value, second: Value) -> bool:
    return type(first) is type(second) and bool(first == second)


@function("map(array, key, [filterKey], [filterValues])")
def map_(
    _: Context, array: Value, key: Value, filter_key: Value = UNDEFINED, filter_values: Value = UNDEFINED
) -> Value:
    """The values of a key; only of items whose other key has one of the values, which commas divide."""
    items = items_of(array)
    if not is_missing(filter_key):
        wanted = {value.strip() for value in to_text(filter_values).split(",")}
        items = [item for item in items if to_text(follow(item, to_text(filter_key))) in wanted]
    values = [follow(item, to_text(key)) for item in items]
    return [value for value in values if value is not UNDEFINED]


@function("sort(array, [order], [key])")
def sort(_: Context, array: Value, order: Value = UNDEFINED, key: Value = UNDEFINED) -> Value:
    """`ci` ignores case; a key may be a path in dot notation. What is missing comes last."""
    wanted = to_text(order) or "asc"
    if wanted not in ORDERS:
        raise ImlEvaluationError(f"Unknown order {wanted!r}. Make has {', '.join(ORDERS)}.")

    def sort_value(item: Value) -> Value:
        value = item if is_missing(key) else follow(item, to_text(key))
        return value.lower() if wanted.endswith("ci") and isinstance(value, str) else value

    def compare(one: tuple[Value, Value], other: tuple[Value, Value]) -> int:
        return int(operators.apply(">", one[0], other[0])) - int(operators.apply("<", one[0], other[0]))

    pairs = [(sort_value(item), item) for item in items_of(array)]
    present = [pair for pair in pairs if not is_missing(pair[0])]
    present.sort(key=cmp_to_key(compare), reverse=wanted.startswith("desc"))
    return [item for _, item in (*present, *(pair for pair in pairs if is_missing(pair[0])))]


@function("reverse(array)")
def reverse(_: Context, array: Value) -> Value:
    return items_of(array)[::-1]


@function("shuffle(array)")
def shuffle(context: Context, array: Value) -> Value:
    return context.random.sample(items_of(array), len(items_of(array)))


@function("slice(array, start, [end])")
def slice_(_: Context, array: Value, start: Value, end: Value = UNDEFINED) -> Value:
    """Positions from 0, negative ones from the end."""
    return items_of(array)[whole(start) : None if is_missing(end) else whole(end)]


@function("merge(array, ...)")
def merge(_: Context, *arrays: Value) -> Value:
    """What is no array is left out."""
    return [item for array in arrays if isinstance(array, list) for item in array]


@function("flatten(array, [depth])")
def flatten(_: Context, array: Value, depth: Value = UNDEFINED) -> Value:
    items = items_of(array)
    for _level in range(min(whole(depth, 1), VALUE_DEPTH)):
        items = bounded([inner for item in items for inner in (item if isinstance(item, list) else [item])])
    return list(items)


@function("distinct(array, [key])")
def distinct(_: Context, array: Value, key: Value = UNDEFINED) -> Value:
    """Collections are the same when all their members are, everything else when its text is."""
    return _distinct(array, lambda item: item if is_missing(key) else follow(item, to_text(key)))


@function("deduplicate(array)")
def deduplicate(_: Context, array: Value) -> Value:
    return _distinct(array, lambda item: item)


def _distinct(array: Value, subject: Callable[[Value], Value]) -> list[Value]:
    first: dict[str, Value] = {}
    for item in items_of(array):
        value = subject(item)
        identity = _canonical(value) if isinstance(value, dict | list) else to_text(value)
        first.setdefault(identity, item)
    return list(first.values())


def _canonical(value: Value, depth: int = 0) -> str:
    """One text for equal collections, whatever the order of their members."""
    if isinstance(value, dict) and depth <= VALUE_DEPTH:
        return f"{{{','.join(f'{key!r}:{_canonical(item, depth + 1)}' for key, item in sorted(value.items()))}}}"
    if isinstance(value, list) and depth <= VALUE_DEPTH:
        return f"[{','.join(_canonical(item, depth + 1) for item in value)}]"
    return to_json(value)


@function("keys(collection)")
def keys(_: Context, collection: Value) -> Value:
    if isinstance(collection, list):
        return [str(position) for position in range(len(collection))]
    return list(collection) if isinstance(collection, dict) else []


@function("toCollection(array, key, value)")
def to_collection(_: Context, array: Value, key: Value, value: Value) -> Value:
    return {to_text(follow(item, to_text(key))): follow(item, to_text(value)) for item in items_of(array)}


@function("toArray(collection)")
def to_array(_: Context, collection: Value) -> Value:
    if isinstance(collection, list):
        return [{"key": position, "value": item} for position, item in enumerate(collection)]
    return [{"key": key, "value": value} for key, value in collection.items()] if isinstance(collection, dict) else []


@function("first(array)")
def first(_: Context, array: Value) -> Value:
    return next(iter(items_of(array)), UNDEFINED)


@function("last(array)")
def last(_: Context, array: Value) -> Value:
    return next(reversed(items_of(array)), UNDEFINED)


@function("isArray(value)")
def is_array(_: Context, value: Value) -> Value:
    return isinstance(value, list)


@function("pop(array)")
def pop(_: Context, array: Value) -> Value:
    """Takes the last item out of the array itself."""
    items = items_of(array)
    return items.pop() if items else UNDEFINED


@function("shift(array)")
def shift(_: Context, array: Value) -> Value:
    """Takes the first item out of the array itself."""
    items = items_of(array)
    return items.pop(0) if items else UNDEFINED
