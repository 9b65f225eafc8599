"""The parts of an expression: equal where they mean the same, wherever they stand.

`depth` bounds the recursion of everything that walks them.
"""

from dataclasses import dataclass, field

from aiops_connect.platforms.make.runner.iml.errors import Span

Constant = str | int | float | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or a number; None where an argument was left out, as in `if(a,)`."""

    value: Constant
    span: Span = field(compare=False)
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Property:
    """`.name` or ``.`name with spaces` ``, also the first name of a path."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`[2]`, counted from 1; `[]` is `[1]` and `[-1]` is the last; `[{{expression}}]` is computed."""

    position: "int | Node"


Segment = Property | Index


@dataclass(frozen=True, slots=True)
class Path:
    """A variable or keyword and what is reached from it."""

    segments: tuple[Segment, ...]
    span: Span = field(compare=False)
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; `name_span` is the name alone."""

    name: str
    arguments: "tuple[Node, ...]"
    span: Span = field(compare=False)
    name_span: Span = field(compare=False)
    depth: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`!operand`."""

    operator: str
    operand: "Node"
    span: Span = field(compare=False)
    depth: int


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`, the operator in Make's own spelling."""

    operator: str
    left: "Node"
    right: "Node"
    span: Span = field(compare=False)
    depth: int


Node = Literal | Path | Call | Unary | Binary
