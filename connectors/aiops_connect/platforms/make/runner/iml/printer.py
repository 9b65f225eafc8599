"""Syntax back to text: what is printed parses to the same syntax."""

from decimal import Decimal
from typing import assert_never

from aiops_connect.platforms.make.runner.iml.parser import NOT_PRECEDENCE, PRECEDENCE
from aiops_connect.platforms.make.runner.iml.syntax import (
    Binary,
    Call,
    Constant,
    Index,
    Literal,
    Node,
    Path,
    Property,
    Unary,
)
from aiops_connect.platforms.make.runner.iml.tokens import NAME, TEXT, unescape

ATOM = NOT_PRECEDENCE + 1


def to_source(node: Node) -> str:
    """The expression without the braces around it."""
    match node:
        case Literal():
            return _constant(node.value)
        case Path():
            return "".join(_segment(segment, first=number == 0) for number, segment in enumerate(node.segments))
        case Call():
            return f"{node.name}({_arguments(node.arguments)})"
        case Unary():
            return f"!{_operand(node.operand, NOT_PRECEDENCE)}"
        case Binary():
            precedence = PRECEDENCE[node.operator]
            left, right = _operand(node.left, precedence), _operand(node.right, precedence + 1)
            return f"{left} {node.operator} {right}"
    assert_never(node)


def _arguments(arguments: tuple[Node, ...]) -> str:
    return ", ".join(to_source(argument) for argument in arguments)


def _precedence(node: Node) -> int:
    match node:
        case Binary():
            return PRECEDENCE[node.operator]
        case Unary():
            return NOT_PRECEDENCE
        case _:
            return ATOM


def _operand(node: Node, minimum: int) -> str:
    source = to_source(node)
    return source if _precedence(node) >= minimum else f"({source})"


def _segment(segment: Property | Index, *, first: bool) -> str:
    if isinstance(segment, Property):
        plain = NAME.fullmatch(segment.name) is not None
        return ("" if first else ".") + (segment.name if plain else f"`{segment.name}`")
    if isinstance(segment.position, int):
        return "[]" if segment.position == 1 else f"[{segment.position}]"
    return f"[{{{{{to_source(segment.position)}}}}}]"


def _constant(value: Constant) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _quoted(value)
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)


def _quoted(value: str) -> str:
    """In the quotes that need no escape, else in those that can have one.

    :raises ValueError: for a backslash before a quote of each kind, or at the end; nothing parses to that
    """
    for quote in sorted("'\"", key=value.count):
        source = quote + value.replace(quote, "\\" + quote) + quote
        if (match := TEXT[quote].fullmatch(source)) and unescape(match[1], quote) == value:
            return source
    raise ValueError(f"IML cannot express the text {value!r}")
