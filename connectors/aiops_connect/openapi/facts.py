"""All that a document says of one value."""

from dataclasses import dataclass, field
from typing import Any

from aiops_connect import ir
from aiops_connect.openapi.nodes import Node

Parts = tuple[Node, ...]  # schemas that hold together for one value


@dataclass(slots=True)
class Alternatives:
    """A `oneOf` or `anyOf`: where it stands, what it allows, and the discriminator beside it."""

    pointer: str
    branches: list[Node]
    discriminator: Node | None


@dataclass(slots=True)
class Facts:
    """What holds for one value. `kinds` are the types of JSON it can have, None where any. `values` are all that it can
    be, None where they are not listed. `bounds` holds limits by their keyword, the tightest of each."""

    parts: Parts
    kinds: set[str] | None = None
    nullable: bool = False
    values: list[Any] | None = None
    bounds: dict[str, int | float] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    properties: dict[str, list[Node]] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    items: list[Node] = field(default_factory=list)
    additional: list[Node] = field(default_factory=list)
    is_closed: bool = False
    is_unique: bool = False
    alternatives: list[Alternatives] = field(default_factory=list)
    default: Any = ir.MISSING
    examples: list[Any] = field(default_factory=list)
    deprecated: bool = False
    read_only: bool = False
    write_only: bool = False
    words: dict[str, Node] = field(default_factory=dict)
    is_recursive: bool = False

    @property
    def is_object(self) -> bool:
        return self.kinds is not None and "object" in self.kinds
