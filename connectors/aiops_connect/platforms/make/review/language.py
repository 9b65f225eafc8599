"""The rule for expressions."""

from collections.abc import Iterator

from aiops_connect.platforms.make.review.expressions import parts
from aiops_connect.platforms.make.review.source import Source, texts
from aiops_connect.platforms.make.runner.iml.context import KEYWORDS
from aiops_connect.platforms.make.runner.iml.errors import ImlError
from aiops_connect.platforms.make.runner.iml.functions.registry import FUNCTIONS
from aiops_connect.platforms.make.runner.iml.syntax import Call, Index, Node, Path, Property
from aiops_connect.platforms.make.runner.iml.template import SPREAD, parse

Found = Iterator[tuple[str, str]]

VARIABLES = frozenset(KEYWORDS) | frozenset((
    "parameters", "connection", "common", "temp", "body", "headers", "statusCode", "item", "iterate", "pagination",
    "data", "webhook", "payload", "query", "method", "environment", "scenario", "executionId", "oauth", "output",
    "metadata", "now", "timestamp", "uuid", "random", "emptyarray",
))  # fmt: skip


def expressions_are_valid(source: Source) -> Found:
    """R25."""
    own = {function.id for function in source.parts("function")}
    for path, content in source.files.items():
        for text in texts(content):
            if text == SPREAD or "{{" not in text:
                continue
            try:
                template = parse(text)
            except ImlError as error:
                yield path, f"{text[:60]}: {error.message}"
                continue
            for expression in template.expressions:
                for message in _mistakes(expression.node, own):
                    yield path, f"{text[:60]}: {message}"


def _mistakes(node: Node, own: set[str]) -> Iterator[str]:
    for part in parts(node):
        match part:
            case Call(name=name) if name not in FUNCTIONS and name not in own:
                yield f"Make has no function {name}()."
            case Path(segments=segments):
                first = segments[0]
                if isinstance(first, Property) and first.name not in VARIABLES:
                    yield f"Make has no variable {first.name}."
                if any(isinstance(one, Index) and one.position == 0 for one in segments):
                    yield "Positions are counted from 1; [0] is nothing."
