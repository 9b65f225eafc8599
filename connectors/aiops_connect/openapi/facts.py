"""All that a document says of one value: its schema, what that refers to, and what `allOf` adds, taken together.

Schemas that hold together for one value are called its parts. Nothing is copied or rewritten: a member that two parts
describe has two parts itself. So `allOf` merges at every depth, and each fact knows the place it comes from.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiops_connect import ir
from aiops_connect.limits import PARTS_MAX
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.words import WORDS

Parts = tuple[Node, ...]

_VALUES = frozenset({"const", "enum"})
_LOWER = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
_UPPER = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
_BOUNDS = frozenset({*_LOWER, *_UPPER, "multipleOf", "uniqueItems"})
_TEXTS = frozenset({"title", "description", "format", "pattern", "contentMediaType", "contentEncoding"})
_MEMBERS = frozenset(
    {"properties", "required", "items", "additionalProperties", "patternProperties", "then", "else", "dependentSchemas"}
)
_FLAGS = frozenset({"deprecated", "readOnly", "writeOnly"})
_ALTERNATIVES = frozenset({"oneOf", "anyOf"})
_OBJECT_KEYWORDS = ("properties", "additionalProperties", "patternProperties", "maxProperties")
_TEXT_KEYWORDS = ("pattern", "minLength", "maxLength", "contentMediaType", "contentEncoding")
_NUMBER_KEYWORDS = ("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum")
_TEXT_FORMATS = {"date-time", "date", "time", "uri", "url", "email", "uuid", "binary", "byte", "password", "hostname"}
_KINDS = {"string", "integer", "number", "boolean", "array", "object", "null"}


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
    is_referred: bool = False

    @property
    def is_object(self) -> bool:
        return self.kinds is not None and "object" in self.kinds


class Gatherer:
    """Gathers the facts of values. `recursive` are the references that are not to be followed."""

    def __init__(self, recursive: frozenset[str]) -> None:
        self.recursive = recursive

    def gather(self, parts: Parts, ignored: frozenset[str] = frozenset()) -> Facts:
        """The facts that these parts and what they lead to come to. Alternatives at pointers in `ignored` are left
        out."""
        facts = Facts(parts)
        waiting = [(part, False) for part in reversed(parts)]
        seen: set[str] = set()
        while waiting:
            part, is_referred = waiting.pop()
            if part.pointer in seen:
                continue
            seen.add(part.pointer)
            if len(seen) > PARTS_MAX:
                parts[0].report(f"More than {PARTS_MAX} schemas hold for this one value. Merge them.")
                break
            if isinstance(part.value, bool):
                if not part.value:
                    part.report("Nothing is allowed here. Remove it, or allow something.")
                continue
            if not isinstance(part.value, dict):
                part.report("A schema has to be an object.")
                continue
            add_part(facts, part, ignored, is_referred=is_referred)
            waiting += [(one, is_referred) for one in reversed(part.items("allOf"))]
            reference = part.value.get("$ref")
            if isinstance(reference, str):
                facts.is_referred = True
                target = self._target(facts, part, reference)
                waiting += [(target, True)] if target is not None else []
            facts.is_recursive |= "$dynamicRef" in part.value or "$recursiveRef" in part.value
        _settle(facts)
        return facts

    def _target(self, facts: Facts, part: Node, reference: str) -> Node | None:
        if part.pointer in self.recursive:
            facts.is_recursive = True
            return None
        return part.file.library.target(part, reference)


def add_part(facts: Facts, part: Node, ignored: frozenset[str], *, is_referred: bool) -> None:
    """Takes in what one schema says itself."""
    keywords = part.value.keys()
    _add_kinds(facts, part)
    if keywords & _VALUES:
        _add_values(facts, part)
    if keywords & _BOUNDS:
        _add_bounds(facts, part)
    if keywords & _TEXTS:
        _add_texts(facts, part, is_referred=is_referred)
    if keywords & _MEMBERS:
        _add_members(facts, part)
    if keywords & _ALTERNATIVES:
        _add_alternatives(facts, part, ignored)
    if "default" in part.value and facts.default is ir.MISSING:
        facts.default = part.value["default"]
    if "example" in part.value:
        facts.examples.append(part.value["example"])
    if isinstance(part.value.get("examples"), list):
        facts.examples += part.value["examples"]
    if keywords & _FLAGS:
        facts.deprecated |= part.flag("deprecated")
        facts.read_only |= part.flag("readOnly")
        facts.write_only |= part.flag("writeOnly")
    for word in WORDS & keywords:
        facts.words.setdefault(word, part)


def _add_kinds(facts: Facts, part: Node) -> None:
    named = part.value.get("type")
    if named is None:
        facts.nullable |= part.value.get("nullable") is True
        return
    listed = named if isinstance(named, list) else [named]
    kinds = {kind for kind in listed if isinstance(kind, str) and kind in _KINDS}
    if named == "file":  # what Swagger 2.0 calls it
        kinds = {"string"}
        facts.texts.setdefault("format", "binary")
    elif len(kinds) < len(listed) or not listed:
        part.report(f"A type is one of {', '.join(sorted(_KINDS))}. Name one of them.", at="type")
    if part.value.get("nullable") is True or part.value.get("x-nullable") is True:
        kinds.add("null")
    if kinds:
        facts.kinds = kinds if facts.kinds is None else _both(part, facts.kinds, kinds)


def _both(part: Node, one: set[str], other: set[str]) -> set[str]:
    """The types that two schemas allow together: an integer is a number too."""
    both = one & other
    if {"integer", "number"} <= one | other and "number" in (one ^ other):
        both |= {"integer"} & (one | other)
    if not both:
        part.report("Schemas that hold together name types that no value has at once. Let them agree.", at="type")
        return one
    return both


def _add_values(facts: Facts, part: Node) -> None:
    values: list[Any] | None = None
    if "const" in part.value:
        values = [part.value["const"]]
    elif part.has("enum"):
        values = [item.value for item in part.items("enum")]
    if values is None:
        return
    if facts.values is not None:
        allowed = {_identity(value) for value in values}
        values = [value for value in facts.values if _identity(value) in allowed]
    facts.values = values


def _identity(value: Any) -> tuple[str, str]:
    """Tells values of JSON apart, as Python does not: there 1 equals true."""
    return type(value).__name__, json.dumps(value, sort_keys=True)


def _add_bounds(facts: Facts, part: Node) -> None:
    for keyword in _LOWER:
        _tighten(facts, part, keyword, max)
    for keyword in _UPPER:
        _tighten(facts, part, keyword, min)
    if "multipleOf" in part.value and (number := part.number("multipleOf")):
        facts.bounds.setdefault("multipleOf", number)
    facts.is_unique |= part.value.get("uniqueItems") is True


def _tighten(facts: Facts, part: Node, keyword: str, tighter: Any) -> None:
    """In 3.0 `exclusiveMinimum` is true or false and says what `minimum` means; in 3.1 it is a bound itself."""
    value = part.value.get(keyword)
    if value is None:
        return
    if isinstance(value, bool) and keyword.startswith("exclusive"):
        facts.excluded |= {keyword.removeprefix("exclusive").lower()} if value else set()
        return
    number = part.number(keyword)
    if number is None or not math.isfinite(number):
        return
    name = keyword
    if keyword.startswith("exclusive"):
        name = keyword.removeprefix("exclusive").lower()
        facts.excluded.add(name)
    facts.bounds[name] = tighter(facts.bounds[name], number) if name in facts.bounds else number


def _add_texts(facts: Facts, part: Node, *, is_referred: bool) -> None:
    for keyword in ("description", "format", "pattern", "contentMediaType", "contentEncoding"):
        if keyword in part.value and (text := part.text(keyword)):
            facts.texts.setdefault(keyword, text)
    if "title" in part.value and (text := part.text("title")):
        facts.texts.setdefault("referred title" if is_referred else "title", text)


def _add_members(facts: Facts, part: Node) -> None:
    for name, child in part.members("properties").items():
        facts.properties.setdefault(name, []).append(child)
    if part.has("required") and not isinstance(part.value["required"], bool):  # 2.0 and older have a flag there
        facts.required |= set(part.texts("required"))
    for keyword in ("then", "else"):
        _add_conditional(facts, part.child(keyword))
    for child in part.members("dependentSchemas").values():
        _add_conditional(facts, child)
    if (items := part.child("items")) is not None and not isinstance(items.value, list):
        facts.items.append(items)
    additional = part.child("additionalProperties")
    if additional is not None and isinstance(additional.value, bool):
        facts.is_closed |= not additional.value
    elif additional is not None:
        facts.additional.append(additional)
    facts.additional += part.members("patternProperties").values()


def _add_conditional(facts: Facts, schema: Node | None) -> None:
    """Members that there are in some cases only."""
    if schema is not None and isinstance(schema.value, dict):
        for name, child in schema.members("properties").items():
            facts.properties.setdefault(name, [child])


def _add_alternatives(facts: Facts, part: Node, ignored: frozenset[str]) -> None:
    for keyword in ("oneOf", "anyOf"):
        pointer = f"{part.pointer}/{keyword}"
        if keyword not in part.value or pointer in ignored:
            continue
        branches = part.items(keyword)
        if branches and not all(_is_constraint(branch) for branch in branches):
            facts.alternatives.append(Alternatives(pointer, branches, part.child("discriminator")))


def _is_constraint(branch: Node) -> bool:
    """Whether a branch only says which members must be there: that is left to the API."""
    return (
        isinstance(branch.value, dict)
        and branch.value.keys() <= {"required", "not", "type", "title", "description"}
        and "required" in branch.value
    )


def _settle(facts: Facts) -> None:
    """Draws the conclusions that need all parts."""
    if facts.kinds is None:
        facts.kinds = _implied_kinds(facts)
    if facts.values is not None and None in facts.values:
        facts.nullable = True
        facts.values = [value for value in facts.values if value is not None]
    if facts.kinds is not None and "null" in facts.kinds:
        facts.nullable = True
        facts.kinds = (facts.kinds - {"null"}) or {"null"}


def _implied_kinds(facts: Facts) -> set[str] | None:
    """What the keywords are about, where no type is named."""

    def has(keywords: Iterable[str]) -> bool:
        return any(
            keyword in part.value for part in facts.parts if isinstance(part.value, dict) for keyword in keywords
        )

    if facts.properties or facts.additional or has(_OBJECT_KEYWORDS):
        return {"object"}
    if facts.items or has(("items", "prefixItems", "minItems", "maxItems")):
        return {"array"}
    if has(_TEXT_KEYWORDS) or facts.texts.get("format") in _TEXT_FORMATS:
        return {"string"}
    return {"number"} if has(_NUMBER_KEYWORDS) else None
