"""General functions: `if`, `ifempty`, `switch`, `get`, `pick`, `omit`."""

from collections.abc import Callable

from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.functions.registry import function
from aiops_connect.platforms.make.runner.iml.paths import follow
from aiops_connect.platforms.make.runner.iml.values import (
    UNDEFINED,
    ErrorValue,
    Value,
    is_empty,
    is_missing,
    is_truthy,
    to_text,
    type_name,
)

Lazy = Callable[[], Value]

ERROR_TYPES = (
    "DataError",
    "UnknownError",
    "RuntimeError",
    "InconsistencyError",
    "RateLimitError",
    "OutOfSpaceError",
    "ConnectionError",
    "InvalidConfigurationError",
    "InvalidAccessTokenError",
    "UnexpectedError",
    "MaxResultsExceededError",
    "MaxFileSizeExceededError",
    "IncompleteDataError",
    "DuplicateDataError",
    "ModuleTimeoutError",
    "ScenarioTimeoutError",
    "OperationsLimitExceededError",
    "DataSizeLimitExceededError",
    "ExecutionInterruptedError",
    "Warning",
)


@function("if(condition, value, [otherwise])", lazy=True)
def if_(_: Context, condition: Lazy, value: Lazy, otherwise: Lazy = lambda: UNDEFINED) -> Value:
    """Only the branch that is chosen is evaluated."""
    return value() if is_truthy(condition()) else otherwise()


@function("ifempty(value, otherwise)", lazy=True)
def ifempty(_: Context, value: Lazy, otherwise: Lazy) -> Value:
    """An empty array is not empty here, and `otherwise` is evaluated only when needed."""
    result = value()
    return otherwise() if is_empty(result) else result


@function("switch(expression, value, result, ...)", lazy=True)
def switch(_: Context, expression: Lazy, *cases: Lazy) -> Value:
    """Compared as texts; a last argument without a partner is what is given otherwise."""
    wanted = _case_text(expression())
    pairs, otherwise = cases[: len(cases) // 2 * 2], cases[len(cases) // 2 * 2 :]
    for value, result in zip(pairs[::2], pairs[1::2], strict=True):
        if _case_text(value()) == wanted:
            return result()
    return otherwise[0]() if otherwise else UNDEFINED


def _case_text(value: Value) -> str:
    """As JavaScript's String(value), in which null has a name."""
    return type_name(value) if is_missing(value) else to_text(value)


@function("get(collection, path)")
def get(_: Context, collection: Value, path: Value) -> Value:
    return follow(collection, to_text(path))


@function("pick(collection, key, ...)")
def pick(_: Context, collection: Value, *keys: Value) -> Value:
    wanted = {to_text(key) for key in _flat(keys)}
    return {key: value for key, value in _members(collection).items() if key in wanted}


@function("omit(collection, key, ...)")
def omit(_: Context, collection: Value, *keys: Value) -> Value:
    unwanted = {to_text(key) for key in _flat(keys)}
    return {key: value for key, value in _members(collection).items() if key not in unwanted}


def _flat(keys: tuple[Value, ...]) -> list[Value]:
    return [inner for key in keys for inner in (key if isinstance(key, list) else [key])]


def _members(collection: Value) -> dict[str, Value]:
    if is_missing(collection):
        return {}
    if not isinstance(collection, dict):
        raise ImlEvaluationError(f"A collection is needed, and this is {type_name(collection)}.")
    return collection


@function("errorFactory(type, message)")
def error_factory(_: Context, kind: Value, message: Value) -> Value:
    name = to_text(kind)
    if name not in ERROR_TYPES:
        raise ImlEvaluationError(f"Unknown error type {name!r}. Make has {', '.join(ERROR_TYPES)}.")
    return ErrorValue(name, to_text(message))
