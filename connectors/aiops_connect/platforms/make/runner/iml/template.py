"""Texts with `{{ }}` in them, and whole blocks of JSON made of such texts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlError, ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.evaluator import evaluate
from aiops_connect.platforms.make.runner.iml.parser import Expression, parse_embedded
from aiops_connect.platforms.make.runner.iml.values import (
    UNDEFINED,
    Value,
    bounded_text,
    is_missing,
    to_text,
    type_name,
)
from aiops_connect.platforms.make.runner.limits import VALUE_DEPTH

SPREAD = "{{...}}"


class BlockError(Exception):
    """An expression of a block that failed; `pointer` is the JSON pointer (RFC 6901) to its text."""

    def __init__(self, pointer: str, cause: ImlError) -> None:
        super().__init__(cause.message)
        self.pointer = pointer
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Template:
    """Literal texts and expressions in turn."""

    text: str
    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(part for part in self.parts if isinstance(part, Expression))


@lru_cache(maxsize=4096)
def parse(text: str) -> Template:
    """Cuts a text into literals and expressions.

    :raises ImlSyntaxError: for an expression that cannot be read
    """
    parts: list[str | Expression] = []
    position = 0
    while (opening := text.find("{{", position)) >= 0:
        if opening > position:
            parts.append(text[position:opening])
        expression = parse_embedded(text, opening + 2)
        parts.append(expression)
        position = expression.end
    if position < len(text):
        parts.append(text[position:])
    return Template(text, tuple(parts))


def render(text: str, context: Callable[[], Context]) -> Value:
    """The value of a text: that of its expression where it is one, else a text with the values in it.

    `context` makes a fresh context for each expression.

    :raises ImlError:
    """
    template = parse(text)
    if len(template.parts) == 1 and isinstance(template.parts[0], Expression):
        return evaluate(template.parts[0].node, context(), text)
    rendered = (
        part if isinstance(part, str) else to_text(evaluate(part.node, context(), text)) for part in template.parts
    )
    return bounded_text("".join(rendered))


def transform(block: Value, context: Callable[[], Context], pointer: str = "", depth: int = 0) -> Value:
    """A block with all its texts rendered, keys as well; a key `{{...}}` spreads a collection into its own, and
    nothing of null and of an empty text, as JavaScript does.

    :raises BlockError: with the pointer of the text that failed
    """
    if depth > VALUE_DEPTH:
        raise BlockError(pointer, ImlEvaluationError(f"The block is nested more than {VALUE_DEPTH} deep."))
    if isinstance(block, str):
        return _rendered(block, context, pointer)
    if isinstance(block, list):
        return [transform(item, context, f"{pointer}/{place}", depth + 1) for place, item in enumerate(block)]
    if isinstance(block, dict):
        return _collection(block, context, pointer, depth)
    return block


def _rendered(text: str, context: Callable[[], Context], pointer: str) -> Value:
    try:
        return render(text, context)
    except ImlError as error:
        raise BlockError(pointer, error) from None


def _collection(block: dict[str, Value], context: Callable[[], Context], pointer: str, depth: int) -> dict[str, Value]:
    result: dict[str, Value] = {}
    for key, item in block.items():
        place = f"{pointer}/{escape(key)}"
        value = transform(item, context, place, depth + 1)
        if key != SPREAD:
            name = _rendered(key, context, place) if "{{" in key else key
            result[name if isinstance(name, str) else to_text(name)] = value
        elif isinstance(value, dict):
            result |= value
        elif not is_missing(value) and value != "":
            raise BlockError(
                place, ImlEvaluationError(f"Only a collection can be spread, and this is {type_name(value)}.")
            )
    return {name: value for name, value in result.items() if value is not UNDEFINED}


def escape(key: str) -> str:
    """A key as a token of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
