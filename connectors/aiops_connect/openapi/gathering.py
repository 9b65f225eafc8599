"""A schema, what it refers to, and what `allOf` adds, taken together.

Schemas that hold together for one value are called its parts. Nothing is copied or rewritten: a member that two parts
describe has two parts itself. So `allOf` merges at every depth, and each fact knows the place it comes from.
"""

from collections.abc import Iterable

from aiops_connect.limits import PARTS_MAX
from aiops_connect.openapi.facts import Facts, Parts
from aiops_connect.openapi.keywords import add_part
from aiops_connect.openapi.nodes import Node

_OBJECT_KEYWORDS = ("properties", "additionalProperties", "patternProperties", "maxProperties")
_TEXT_KEYWORDS = ("pattern", "minLength", "maxLength", "contentMediaType", "contentEncoding")
_NUMBER_KEYWORDS = ("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum")
_TEXT_FORMATS = {"date-time", "date", "time", "uri", "url", "email", "uuid", "binary", "byte", "password", "hostname"}


class Gatherer:
    """Gathers the facts of values. `recursive` are the references that are not to be followed."""

    def __init__(self, recursive: frozenset[str]) -> None:
        self.recursive = recursive
        self._known: dict[tuple[tuple[str, ...], frozenset[str]], Facts] = {}

    def gather(self, parts: Parts, ignored: frozenset[str] = frozenset()) -> Facts:
        """The facts that these parts and what they lead to come to. Alternatives at pointers in `ignored` are left
        out."""
        key = (tuple(part.pointer for part in parts), ignored)
        if key not in self._known:
            self._known[key] = self._gather(parts, ignored)
        return self._known[key]

    def _gather(self, parts: Parts, ignored: frozenset[str]) -> Facts:
        facts = Facts(parts)
        waiting = [(part, False, False) for part in reversed(parts)]
        seen: set[str] = set()
        while waiting:
            part, is_referred, is_base = waiting.pop()
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
            add_part(facts, part, ignored, is_referred=is_referred, is_base=is_base)
            waiting += [(one, is_referred, True) for one in reversed(part.items("allOf"))]
            reference = part.value.get("$ref")
            if isinstance(reference, str):
                target = self._target(facts, part, reference)
                waiting += [(target, True, is_base)] if target is not None else []
            facts.is_recursive |= "$dynamicRef" in part.value or "$recursiveRef" in part.value
        _settle(facts)
        return facts

    def _target(self, facts: Facts, part: Node, reference: str) -> Node | None:
        if part.pointer in self.recursive:
            facts.is_recursive = True
            return None
        return part.file.library.target(part, reference)


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
