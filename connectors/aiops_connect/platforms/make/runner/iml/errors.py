"""What can be wrong with an expression, with the place where it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` up to `end` of a text."""

    start: int
    end: int


class ImlError(Exception):
    """An expression that cannot be read or evaluated.

    `text` is the whole text it stands in, `span` the part that is to blame.
    """

    def __init__(self, message: str, text: str = "", span: Span | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.span = span

    def located(self, text: str, span: Span) -> "ImlError":
        """The same error with its place, unless it already has one."""
        return self if self.span is not None else type(self)(self.message, text, span)

    def caret(self, width: int = 100) -> str:
        """The line of the text that is to blame, with carets under the place; empty without a place."""
        if self.span is None:
            return ""
        line_start = self.text.rfind("\n", 0, self.span.start) + 1
        line_end = self.text.find("\n", self.span.start)
        line = self.text[line_start : line_end if line_end >= 0 else len(self.text)].replace("\t", " ")
        column = self.span.start - line_start
        cut = max(0, column - width // 2)
        shown = line[cut : cut + width]
        carets = max(1, min(self.span.end, line_start + len(line)) - self.span.start)
        return f"{shown}\n{' ' * (column - cut)}{'^' * min(carets, max(1, width - (column - cut)))}"


class ImlSyntaxError(ImlError):
    """The text is not IML."""


class ImlEvaluationError(ImlError):
    """The expression asks for what cannot be done with these values."""


class LimitError(ImlEvaluationError):
    """The expression would use more than an expression may."""
