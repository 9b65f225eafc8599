"""What each keyword of a schema adds to the facts of a value. Keywords of 3.0 and 3.1 are read side by side: documents
mix them, and none means two things."""

import json
import math
from typing import Any

from aiops_connect import ir
from aiops_connect.openapi.facts import Alternatives, Facts
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.words import WORDS

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
_KINDS = {"string", "integer", "number", "boolean", "array", "object", "null"}


def add_part(facts: Facts, part: Node, ignored: frozenset[str], *, is_referred: bool, is_base: bool) -> None:
    """Takes in what one schema says itself. `is_referred`: it was reached by a reference; `is_base`: by `allOf`."""
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
    elif "discriminator" in keywords and not is_base:
        _add_descendants(facts, part, ignored)
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


def _add_descendants(facts: Facts, part: Node, ignored: frozenset[str]) -> None:
    """The schemas that a discriminator maps to, each of which builds on this one by `allOf`."""
    discriminator = part.child("discriminator")
    if discriminator is None or discriminator.pointer in ignored:
        return
    branches = [
        Node({"$ref": _as_reference(target.value)}, target.pointer, target.file)
        for target in discriminator.members("mapping").values()
        if isinstance(target.value, str)
    ]
    if branches:
        facts.alternatives.append(Alternatives(discriminator.pointer, branches, discriminator))


def _as_reference(target: str) -> str:
    """What a mapping leads to: a reference, or the name of a component (OpenAPI 3.1, section 4.8.25.2)."""
    return target if "/" in target or "." in target or "#" in target else f"#/components/schemas/{target}"


def _is_constraint(branch: Node) -> bool:
    """Whether a branch only says which members must be there: that is left to the API."""
    return (
        isinstance(branch.value, dict)
        and branch.value.keys() <= {"required", "not", "type", "title", "description"}
        and "required" in branch.value
    )
