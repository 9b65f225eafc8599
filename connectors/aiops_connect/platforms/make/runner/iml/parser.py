"""Tokens to syntax, by precedence climbing (Pratt)."""

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite

from aiops_connect.platforms.make.runner.iml.errors import ImlSyntaxError, Span
from aiops_connect.platforms.make.runner.iml.syntax import (
    Binary,
    Call,
    Index,
    Literal,
    Node,
    Path,
    Property,
    Segment,
    Unary,
)
from aiops_connect.platforms.make.runner.iml.tokens import Kind, Token, tokenize
from aiops_connect.platforms.make.runner.limits import EXPRESSION_CHARS, EXPRESSION_DEPTH

# As in Make; all group to the left.
PRECEDENCE = {
    "*": 14, "/": 14, "%": 14,
    "+": 13, "++": 13, "-": 13,
    "<": 11, "<=": 11, ">": 11, ">=": 11,
    "=": 10, "!=": 10,
    "&": 6,
    "|": 5,
}  # fmt: skip
NOT_PRECEDENCE = 16


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between `{{` and `}}`; `end` is where the text goes on."""

    node: Node
    end: int


def parse_expression(text: str, start: int = 0) -> Node:
    """A whole text as one expression, without the braces.

    :raises ImlSyntaxError:
    """
    parser = _Parser(text, start)
    node = parser.expression(0)
    parser.expect_end()
    return node


@lru_cache(maxsize=4096)
def parse_embedded(text: str, start: int) -> Expression:
    """The expression whose `{{` ends at `start`.

    :raises ImlSyntaxError:
    """
    parser = _Parser(text, start)
    node = parser.expression(0)
    closing = parser.expect("}}", "The expression is not closed with }}.")
    return Expression(node, closing.span.end)


class _Parser:
    def __init__(self, text: str, start: int) -> None:
        if len(text) - start > EXPRESSION_CHARS and text.find("}}", start, start + EXPRESSION_CHARS) < 0:
            raise ImlSyntaxError(
                f"The expression is longer than {EXPRESSION_CHARS} characters.", text, Span(start, start + 1)
            )
        self.text = text
        self.tokens = tokenize(text, start)
        self.token = next(self.tokens)
        self.nesting = 0

    def advance(self) -> Token:
        token = self.token
        self.token = next(self.tokens, Token(Kind.END, "", Span(len(self.text), len(self.text))))
        return token

    def at(self, *symbols: str) -> bool:
        return self.token.kind is Kind.SYMBOL and self.token.value in symbols

    def expect(self, symbol: str, message: str) -> Token:
        if not self.at(symbol):
            raise self.error(message)
        return self.advance()

    def expect_end(self) -> None:
        if self.token.kind is not Kind.END:
            raise self.error(f"Unexpected {self.token.value!r} after the end of the expression.")

    def error(self, message: str, span: Span | None = None) -> ImlSyntaxError:
        place = span or self.token.span
        return ImlSyntaxError(message, self.text, Span(place.start, max(place.end, place.start + 1)))

    def bounded(self, node: Node) -> Node:
        if node.depth > EXPRESSION_DEPTH:
            raise self.error(f"The expression is nested more than {EXPRESSION_DEPTH} deep.", node.span)
        return node

    def expression(self, minimum: int) -> Node:
        self.nesting += 1
        if self.nesting > EXPRESSION_DEPTH:
            raise self.error(f"The expression is nested more than {EXPRESSION_DEPTH} deep.")
        left = self.operand()
        while self.token.kind is Kind.SYMBOL and PRECEDENCE.get(self.token.value, -1) > minimum:
            operator = self.advance().value
            right = self.expression(PRECEDENCE[operator])
            span = Span(left.span.start, right.span.end)
            left = self.bounded(Binary(operator, left, right, span, 1 + max(left.depth, right.depth)))
        self.nesting -= 1
        return left

    def operand(self) -> Node:
        token = self.token
        if token.kind is Kind.TEXT:
            self.advance()
            return Literal(token.value, token.span)
        if token.kind is Kind.NUMBER:
            return self.number(1)
        if token.kind in (Kind.NAME, Kind.QUOTED_NAME):
            return self.path_or_call()
        if self.at("!"):
            self.advance()
            operand = self.expression(NOT_PRECEDENCE)
            return self.bounded(Unary("!", operand, Span(token.span.start, operand.span.end), operand.depth + 1))
        if self.at("("):
            return self.parenthesised()
        if self.at("-"):
            self.advance()
            if self.token.kind is Kind.NUMBER:
                return self.number(-1, token.span.start)
            raise self.error("Only a number can follow this minus. Write 0 - value.", token.span)
        if self.at("["):
            raise self.error("IML has no array literals. Use split('a,b', ','), add() or emptyarray.")
        if self.at("{{"):
            raise self.error("An expression cannot stand inside an expression.")
        raise self.error("A value is missing here.")

    def number(self, sign: int, start: int | None = None) -> Literal:
        token = self.advance()
        span = Span(token.span.start if start is None else start, token.span.end)
        if self.token.kind is Kind.NAME and self.token.span.start == token.span.end:
            raise self.error(
                "A name cannot begin with a digit. Put it between backticks.", Span(span.start, self.token.span.end)
            )
        if "." in token.value or len(token.value) > len(str(2**53)):
            value = sign * float(token.value)
            if not isfinite(value):
                raise self.error("The number is too large.", span)
            return Literal(value, span)
        return Literal(sign * int(token.value), span)

    def parenthesised(self) -> Node:
        self.advance()
        node = self.expression(0)
        self.expect(")", "A closing ) is missing here.")
        if self.at(".", "["):
            raise self.error("Nothing can be reached from a computed value. Use get(value, 'name').")
        return node

    def path_or_call(self) -> Node:
        first = self.advance()
        if first.kind is Kind.NAME and self.at("("):
            return self.call(first)
        segments: list[Segment] = [Property(first.value)]
        end, depth = first.span.end, 1
        while self.at(".", "[") and self.token.span.start == end:
            segment = self.property() if self.at(".") else self.index()
            if isinstance(segment, Index) and not isinstance(segment.position, int):
                depth = max(depth, segment.position.depth + 1)
            segments.append(segment)
            end = self.previous_end
        return self.bounded(Path(tuple(segments), Span(first.span.start, end), depth))

    def property(self) -> Property:
        self.advance()
        if self.token.kind not in (Kind.NAME, Kind.QUOTED_NAME, Kind.NUMBER):
            raise self.error("A name is missing after the dot.")
        token = self.advance()
        self.previous_end = token.span.end
        return Property(token.value)

    def index(self) -> Index:
        self.advance()
        position: int | Node = 1
        if self.at("{{"):
            self.advance()
            position = self.expression(0)
            self.expect("}}", "The index is not closed with }}.")
        elif not self.at("]"):
            literal = self.operand()
            if not isinstance(literal, Literal) or not isinstance(literal.value, int):
                raise self.error("An index is a whole number counted from 1. Use get(array, index).", literal.span)
            position = literal.value
        self.previous_end = self.expect("]", "A closing ] is missing here.").span.end
        return Index(position)

    def call(self, name: Token) -> Call:
        self.advance()
        arguments: list[Node] = []
        while not self.at(")"):
            arguments.append(self.argument())
            if not self.at(")"):
                self.expect(",", "A comma or a closing ) is missing here.")
                if self.at(")"):
                    arguments.append(Literal(None, self.token.span))
        closing = self.advance()
        if self.at(".", "["):
            raise self.error("Nothing can be reached from the result of a function. Use get(value, 'name').")
        depth = 1 + max((argument.depth for argument in arguments), default=0)
        call = Call(name.value, tuple(arguments), Span(name.span.start, closing.span.end), name.span, depth)
        self.bounded(call)
        return call

    def argument(self) -> Node:
        if self.at(","):
            return Literal(None, self.token.span)
        return self.expression(0)
