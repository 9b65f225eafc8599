"""Expressions of IML, built as the runner's syntax and printed by its printer, so that each one parses.

Text of a document is data: `text` makes a constant of it, `literal` lets it stand outside of expressions, `shown` is
for what people read and Make does not evaluate.
"""

from functools import reduce

from aiops_connect import ir
from aiops_connect.platforms.make.runner.iml.errors import ImlError, Span
from aiops_connect.platforms.make.runner.iml.parser import parse_expression
from aiops_connect.platforms.make.runner.iml.printer import to_source
from aiops_connect.platforms.make.runner.iml.syntax import Binary, Call, Index, Literal, Node, Path, Property
from aiops_connect.pointers import names_of

_NOWHERE = Span(0, 0)


class InexpressibleError(ValueError):
    """IML has no way to write this. The message says what."""


def variable(*names: str) -> Path:
    return Path(tuple(Property(name) for name in names), _NOWHERE)


UNDEFINED = variable("undefined")


def member(root: Path, name: str) -> Path:
    """A member of a collection, by its name."""
    return Path((*root.segments, Property(name)), _NOWHERE)


def below(root: Path, pointer: ir.Pointer) -> Path:
    """What a JSON pointer reaches from a variable."""
    segments = tuple(Index(int(one) + 1) if one.isdecimal() else Property(one) for one in names_of(pointer))
    return Path((*root.segments, *segments), _NOWHERE)


def text(value: str) -> Literal:
    return Literal(value, _NOWHERE)


def number(value: int) -> Literal:
    return Literal(value, _NOWHERE)


def call(name: str, *arguments: Node) -> Call:
    return Call(name, arguments, _NOWHERE, _NOWHERE, 1 + max((one.depth for one in arguments), default=0))


def binary(operator: str, left: Node, right: Node) -> Node:
    return Binary(operator, left, right, _NOWHERE, 1 + max(left.depth, right.depth))


def equals(left: Node, right: Node) -> Node:
    return binary("=", left, right)


def differs(left: Node, right: Node) -> Node:
    return binary("!=", left, right)


def every(*conditions: Node) -> Node:
    return reduce(lambda left, right: binary("&", left, right), conditions)


def some(*conditions: Node) -> Node:
    return reduce(lambda left, right: binary("|", left, right), conditions)


def joined(*parts: Node) -> Node:
    return reduce(lambda left, right: binary("+", left, right), parts)


def as_sentence(value: Node) -> Node:
    """With one full stop at its end."""
    return call("replace", value, text("/[.]?$/"), text("."))


def if_set(value: Node, then: Node) -> Node:
    """`then` where there is a value, else nothing at all."""
    return call("if", value, then)


def set_or_absent(value: Node) -> Node:
    """An empty input is not sent."""
    return call("ifempty", value, UNDEFINED)


def whole(node: Node) -> str:
    """The expression in its braces.

    Raises:
        InexpressibleError: a name or a text in it cannot be written.
    """
    return f"{{{{{source(node)}}}}}"


def source(node: Node) -> str:
    """The expression without braces, as `log.sanitize` names paths.

    Raises:
        InexpressibleError: a name or a text in it cannot be written.
    """
    try:
        found = to_source(node)
        if parse_expression(found) != node:
            raise InexpressibleError(f"IML cannot express {found[:80]!r}.")
    except (ValueError, ImlError) as error:
        raise InexpressibleError(str(error)) from None
    return found


def literal(value: str) -> str:
    """A text where expressions are evaluated, which comes out as it is."""
    if "{{" not in value and not value.endswith("{"):
        return value
    return value.replace("{", "{{'{'}}")


def shown(value: str) -> str:
    """A text that people read: braces that could be taken for an expression stand apart."""
    while "{{" in value or "}}" in value:
        value = value.replace("{{", "{ {").replace("}}", "} }")
    return value
