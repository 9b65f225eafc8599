"""YAML into plain data, by the rules of JSON and within limits.

Built on libyaml's events, not on PyYAML's loaders: those read YAML 1.1, to which `no` is false, `12:30` is 750 and
2026-01-05 is no text, and they recurse and expand as deep and as far as a document likes. Here the scalars are those of
YAML 1.2's core schema (section 10.3), as OpenAPI wants it, a name that stands twice is refused, and an alias counts as
much as what it stands for.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from aiops_connect.limits import DEPTH_MAX, NODES_MAX

_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,300}")
_OCTAL = re.compile(r"0o[0-7]{1,400}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_PLAIN: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (_NULL, lambda _: None),
    (_TRUE, lambda _: True),
    (_FALSE, lambda _: False),
    (_INTEGER, int),
    (_NUMBER, lambda text: number if math.isfinite(number := float(text)) else text),
    (_HEXADECIMAL, lambda text: int(text, 16)),
    (_OCTAL, lambda text: int(text, 8)),
)
_FIRST = frozenset("~ntfNTF-+.0123456789")
_TEXT_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})


class YamlError(Exception):
    """The text is not YAML, or more of it than is read. The message is a sentence with the line."""


@dataclass(slots=True)
class _Open:
    """A list or an object that has begun. `name` is that of the member whose value comes next, None before a name."""

    value: list[Any] | dict[str, Any]
    anchor: str | None
    name: str | None = None
    size: int = 1


def read(text: str) -> Any:
    """The one document in a YAML text.

    Raises:
        YamlError: it is none, it has more than one, or it is beyond the limits.
    """
    try:
        return _Builder().build(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise YamlError(_in_one_line(error)) from error


class _Builder:
    def __init__(self) -> None:
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.documents: list[Any] = []
        self.stack = [_Open(self.documents, None)]
        self.nodes = 0

    def build(self, events: Iterator[yaml.Event]) -> Any:
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._add(_scalar(event), 1, event.anchor, event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._open({} if isinstance(event, yaml.MappingStartEvent) else [], event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    ended = self.stack.pop()
                    self._add(ended.value, ended.size, ended.anchor, event)
                case yaml.AliasEvent():
                    value, size = self._anchored(event)
                    self._add(value, size, None, event)
        if len(self.documents) != 1:
            raise YamlError(f"The file holds {len(self.documents)} YAML documents. Leave one.")
        return self.documents[0]

    def _open(self, value: list[Any] | dict[str, Any], event: Any) -> None:
        if len(self.stack) > DEPTH_MAX:
            raise YamlError(f"Line {_line(event)}: it is nested more than {DEPTH_MAX} levels deep. Flatten it.")
        if isinstance(self.stack[-1].value, dict) and self.stack[-1].name is None:
            raise YamlError(f"Line {_line(event)}: the name of a member has to be a text.")
        if event.anchor:
            self.anchors.pop(event.anchor, None)
        self.stack.append(_Open(value, event.anchor))

    def _anchored(self, event: yaml.AliasEvent) -> tuple[Any, int]:
        if event.anchor not in self.anchors:
            raise YamlError(f"Line {_line(event)}: the alias *{event.anchor} stands for nothing that has ended before.")
        return self.anchors[event.anchor]

    def _add(self, value: Any, size: int, anchor: str | None, event: Any) -> None:
        self.nodes += 1
        parent = self.stack[-1]
        parent.size += size
        if max(self.nodes, parent.size) > NODES_MAX:
            raise YamlError(
                f"Line {_line(event)}: it holds more than {NODES_MAX:,} values, aliases counted as what they stand for."
            )
        if anchor:
            self.anchors[anchor] = (value, size)
        held = parent.value
        if isinstance(held, list):
            held.append(value)
        elif parent.name is None:
            parent.name = self._name(value, held, event)
        else:
            held[parent.name] = value
            parent.name = None

    def _name(self, value: Any, among: dict[str, Any], event: Any) -> str:
        """Numbers are names too: responses are often listed under `200` without quotes."""
        if isinstance(value, dict | list):
            raise YamlError(f"Line {_line(event)}: the name of a member has to be a text.")
        name = event.value if isinstance(event, yaml.ScalarEvent) else str(value)
        if name in among:
            raise YamlError(f"Line {_line(event)}: {name!r} stands twice in one object. Leave one.")
        return str(name)


def _scalar(event: yaml.ScalarEvent) -> Any:
    text = event.value
    if not event.implicit[0] or event.tag in _TEXT_TAGS or (text and text[0] not in _FIRST):
        return text
    for pattern, read_as in _PLAIN:
        if pattern.fullmatch(text):
            return read_as(text)
    return text


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _in_one_line(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"Line {error.problem_mark.line + 1}: {error.problem or error.context}."
    return f"It is not YAML: {' '.join(str(error).split())}."
