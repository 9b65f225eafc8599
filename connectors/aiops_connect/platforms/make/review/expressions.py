"""The expressions in a file, for the rules that look into them."""

from collections.abc import Iterator
from typing import Any

from aiops_connect.platforms.make.review.source import texts
from aiops_connect.platforms.make.runner.iml.errors import ImlError
from aiops_connect.platforms.make.runner.iml.syntax import Binary, Call, Index, Node, Path, Property, Unary
from aiops_connect.platforms.make.runner.iml.template import SPREAD, parse


def expressions(value: Any) -> Iterator[Node]:
    """Each expression in a JSON value; those that do not parse are found by R25."""
    for text in texts(value):
        if text == SPREAD or "{{" not in text:
            continue
        try:
            yield from (expression.node for expression in parse(text).expressions)
        except ImlError:
            continue


def parts(node: Node) -> Iterator[Node]:
    """An expression and all that is in it."""
    yield node
    for one in children(node):
        yield from parts(one)


def children(node: Node) -> Iterator[Node]:
    match node:
        case Call(arguments=arguments):
            yield from arguments
        case Unary(operand=operand):
            yield operand
        case Binary(left=left, right=right):
            yield left
            yield right
        case Path(segments=segments):
            yield from (
                one.position for one in segments if isinstance(one, Index) and not isinstance(one.position, int)
            )


def names(node: Node) -> tuple[str, ...]:
    """The names in a path, such as `parameters` and `limit`; none for anything else."""
    if not isinstance(node, Path):
        return ()
    return tuple(one.name for one in node.segments if isinstance(one, Property))


def paths(value: Any) -> Iterator[tuple[str, ...]]:
    """The paths that a JSON value names."""
    for node in expressions(value):
        yield from (found for one in parts(node) if (found := names(one)))
