"""Syntax to values."""

from difflib import get_close_matches
from functools import partial
from typing import assert_never

from aiops_connect.platforms.make.runner.iml import operators
from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlError, ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.functions import FUNCTIONS
from aiops_connect.platforms.make.runner.iml.paths import reach, reach_index
from aiops_connect.platforms.make.runner.iml.syntax import Binary, Call, Index, Literal, Node, Path, Property, Unary
from aiops_connect.platforms.make.runner.iml.values import Value, bounded, is_truthy, to_number


def evaluate(node: Node, context: Context, text: str = "") -> Value:
    """The value of an expression; `text` is where it stands, for errors.

    :raises ImlError: with the place that is to blame
    """
    try:
        return _value(node, context, text)
    except ImlError as error:
        raise error.located(text, node.span) from None


def _value(node: Node, context: Context, text: str) -> Value:
    match node:
        case Literal():
            return node.value
        case Path():
            return _path(node, context, text)
        case Unary():
            return not is_truthy(evaluate(node.operand, context, text))
        case Binary("&" | "|"):
            left = evaluate(node.left, context, text)
            return evaluate(node.right, context, text) if is_truthy(left) is (node.operator == "&") else left
        case Binary():
            left = evaluate(node.left, context, text)
            return operators.apply(node.operator, left, evaluate(node.right, context, text))
        case Call():
            return _call(node, context, text)
    assert_never(node)


def _path(node: Path, context: Context, text: str) -> Value:
    first, *rest = node.segments
    assert isinstance(first, Property)
    value = context.variable(first.name)
    for segment in rest:
        match segment:
            case Property(name):
                value = reach(value, name)
            case Index(int(position)):
                value = reach_index(value, position)
            case Index(Literal() | Path() | Call() | Unary() | Binary() as computed):
                value = reach_index(value, to_number(evaluate(computed, context, text)))
    return value


def _call(node: Call, context: Context, text: str) -> Value:
    function = FUNCTIONS.get(node.name)
    if function is None:
        close = get_close_matches(node.name, FUNCTIONS, n=1)
        hint = f" Did you mean `{close[0]}`?" if close else " This runner executes Make's built-in functions only."
        raise ImlEvaluationError(f"Unknown function `{node.name}`.{hint}", text, node.name_span)
    if not function.minimum <= len(node.arguments) <= function.maximum:
        raise ImlEvaluationError(f"`{node.name}` takes {function.signature}, and gets {len(node.arguments)} arguments.")
    arguments = [partial(evaluate, argument, context, text) for argument in node.arguments]
    try:
        return bounded(
            function.call(context, *(arguments if function.lazy else [argument() for argument in arguments]))
        )
    except ImlError as error:
        raise error if error.span else type(error)(f"`{node.name}`: {error.message}", text, node.span) from None
