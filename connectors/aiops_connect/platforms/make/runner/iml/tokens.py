"""Text of an expression to tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from aiops_connect.platforms.make.runner.iml.errors import ImlSyntaxError, Span


class Kind(Enum):
    NUMBER = auto()
    TEXT = auto()
    NAME = auto()
    QUOTED_NAME = auto()
    SYMBOL = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    value: str
    span: Span


# The longest spelling first. Make reads those of JavaScript as its own: `===` compares loosely like `=`.
SPELLINGS = {
    "===": "=",
    "==": "=",
    "=": "=",
    "!==": "!=",
    "!=": "!=",
    "&&": "&",
    "&": "&",
    "||": "|",
    "|": "|",
    "++": "++",
}
SYMBOLS = tuple(sorted((*SPELLINGS, "<=", ">=", "}}", "{{", *"+-*/%<>!(),.[]"), key=len, reverse=True))
NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
NAME = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
TEXT = {quote: re.compile(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", re.DOTALL) for quote in "'\""}
QUOTED_NAME = re.compile(r"`([^`]*)`")

HINTS = {
    ";": "Arguments are separated by commas in an app; semicolons belong to the scenario editor.",
    "{": "IML has no collection literals. Build the collection in `temp`, or use parseJSON().",
    "?": "IML has no conditional operator. Use if(condition, value, otherwise).",
    ":": "IML has no collection literals and no conditional operator. Use parseJSON() or if().",
}


def tokenize(text: str, start: int) -> Iterator[Token]:
    """The tokens from `start` on; ends at the `}}` that closes the expression, or at the end of the text.

    :raises ImlSyntaxError: at a character that begins no token
    """
    position, nesting = start, 0
    while True:
        while position < len(text) and text[position].isspace():
            position += 1
        token = _token(text, position)
        yield token
        nesting += (token.value == "{{") - (token.value == "}}") if token.kind is Kind.SYMBOL else 0
        if token.kind is Kind.END or nesting < 0:
            return
        position = token.span.end


def _token(text: str, position: int) -> Token:
    if position >= len(text):
        return Token(Kind.END, "", Span(position, position))
    for kind, pattern in ((Kind.NUMBER, NUMBER), (Kind.NAME, NAME), (Kind.QUOTED_NAME, QUOTED_NAME)):
        if match := pattern.match(text, position):
            value = match[1] if kind is Kind.QUOTED_NAME else match[0]
            return Token(kind, value, Span(position, match.end()))
    character = text[position]
    if character in TEXT:
        return _text(text, position, character)
    for symbol in SYMBOLS:
        if text.startswith(symbol, position):
            return Token(Kind.SYMBOL, SPELLINGS.get(symbol, symbol), Span(position, position + len(symbol)))
    hint = HINTS.get(character, "")
    problem = "The name is not closed with `." if character == "`" else f"Unexpected character {character!r}."
    raise ImlSyntaxError(f"{problem} {hint}".rstrip(), text, Span(position, position + 1))


def _text(text: str, position: int, quote: str) -> Token:
    match = TEXT[quote].match(text, position)
    if not match:
        raise ImlSyntaxError(f"The text is not closed with {quote}.", text, Span(position, position + 1))
    return Token(Kind.TEXT, unescape(match[1], quote), Span(position, match.end()))


def unescape(text: str, quote: str) -> str:
    """A backslash before the quote keeps the quote; before anything else it stays, as regular expressions need it."""
    return text.replace("\\" + quote, quote)
