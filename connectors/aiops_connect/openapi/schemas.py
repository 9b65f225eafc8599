"""Schemas into the types of fields. Each schema is read once, however often it is referred to, and what comes of it is
shared: so time and memory grow with the document, not with what it would be written out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from aiops_connect import ir, naming
from aiops_connect.limits import MEMBERS_MAX, TYPE_DEPTH_MAX, TYPE_FIELDS_MAX
from aiops_connect.openapi import annotations, words
from aiops_connect.openapi.choices import choice_of_alternatives, choice_of_values, option_label
from aiops_connect.openapi.facts import Facts, Parts
from aiops_connect.openapi.gathering import Gatherer
from aiops_connect.openapi.lowered import Lowered, Member, joined, within_limits
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.scalars import number, text
from aiops_connect.openapi.unions import kind_label, union


@dataclass(frozen=True, slots=True)
class Use:
    """What a schema is read for. `is_input`: it is sent, not answered. `is_raw`: it does not travel as JSON, so it can
    be bytes."""

    is_input: bool
    is_raw: bool = False


INPUT = Use(is_input=True)
OUTPUT = Use(is_input=False)
RAW_INPUT = Use(is_input=True, is_raw=True)

_Key = tuple[tuple[str, ...], frozenset[str], Use]


class Schemas:
    """Reads the schemas of one document."""

    def __init__(self, gatherer: Gatherer, mentions: annotations.Mentions) -> None:
        self.gatherer = gatherer
        self.mentions = mentions
        self._whole: dict[_Key, Lowered] = {}
        self._cut: dict[tuple[_Key, int], Lowered] = {}

    def facts(self, *parts: Node) -> Facts:
        return self.gatherer.gather(parts)

    def type_of(self, node: Node, use: Use) -> Lowered:
        """The type of a value that stands by itself: the whole of a body or of an answer."""
        return self._read(self.gatherer.gather((node,)), use, 0, frozenset())

    def field(self, name: str, parts: Parts, use: Use, *, required: bool = False) -> ir.Field:
        """One value that stands by itself under a name. Its `id` is of the name alone; whoever knows the siblings tells
        them apart."""
        return self._field(name, self.gatherer.gather(parts), use, required=required, depth=0).field

    def _field(self, name: str, facts: Facts, use: Use, *, required: bool, depth: int) -> Member:
        lowered = self.lower(facts, use, depth)
        if use.is_input and not required:
            lowered = replace(lowered, type=_asked(lowered.type))
        field = ir.Field(
            id=naming.identifier(name),
            name=name,
            label=naming.title(_label(facts), name),
            type=lowered.type,
            help=facts.texts.get("description", ""),
            required=required,
            nullable=lowered.nullable,
            default=ir.MISSING if isinstance(lowered.type, ir.Constant) else facts.default,
            example=facts.examples[0] if facts.examples else ir.MISSING,
            options=annotations.options(facts.words, self.mentions),
            is_secret=facts.texts.get("format") == "password",
            is_advanced=annotations.flag(facts.words, words.ADVANCED),
            is_credits_left=annotations.flag(facts.words, words.CREDITS_LEFT),
            deprecated=facts.deprecated,
        )
        return Member(field, lowered)

    def lower(self, facts: Facts, use: Use, depth: int, ignored: frozenset[str] = frozenset()) -> Lowered:
        """The type of a value within another, which is not read again where it has been."""
        key = (tuple(part.pointer for part in facts.parts), ignored, use)
        known = self._whole.get(key)
        if known is not None and depth + known.height <= TYPE_DEPTH_MAX:
            return known
        if (key, depth) in self._cut:
            return self._cut[key, depth]
        if depth > TYPE_DEPTH_MAX:
            return Lowered(ir.AnyJson(ir.Untyped.DEEP), facts.nullable, is_cut=True)
        lowered = within_limits(self._read(facts, use, depth, ignored))
        if lowered.is_cut:
            self._cut[key, depth] = lowered
        else:
            self._whole[key] = lowered
        return lowered

    def _read(self, facts: Facts, use: Use, depth: int, ignored: frozenset[str]) -> Lowered:
        if words.FILE in facts.words:
            return Lowered(annotations.file(facts.words[words.FILE], self.mentions), facts.nullable)
        if facts.is_recursive:
            return Lowered(ir.AnyJson(ir.Untyped.RECURSIVE), nullable=True)
        if facts.values is not None and (choice := choice_of_values(facts)) is not None:
            return Lowered(choice, facts.nullable)
        if facts.alternatives:
            choice, nullable = choice_of_alternatives(facts.alternatives[0], self.gatherer)
            if choice is not None:
                return Lowered(choice, nullable or facts.nullable)
            return union(self, facts, use, depth, ignored)
        return self._of_kinds(facts, use, depth)

    def _of_kinds(self, facts: Facts, use: Use, depth: int) -> Lowered:
        kinds = facts.kinds or set()
        if kinds == {"integer", "number"}:
            kinds = {"number"}
        if len(kinds) == 1:
            return self._of_kind(next(iter(kinds)), facts, use, depth)
        if not kinds or len(kinds) > 3:
            return Lowered(ir.AnyJson(), facts.nullable or not kinds)
        read = [self._of_kind(kind, facts, use, depth + 1) for kind in sorted(kinds)]
        variants = tuple(ir.Variant(kind_label(one.type), one.type) for one in read)
        return joined(ir.Union(variants), read, nullable=facts.nullable)

    def _of_kind(self, kind: str, facts: Facts, use: Use, depth: int) -> Lowered:
        readers: dict[str, Callable[[], Lowered]] = {
            "string": lambda: Lowered(text(facts, is_input=use.is_input, is_raw=use.is_raw), facts.nullable),
            "integer": lambda: Lowered(number(facts, is_whole=True), facts.nullable),
            "number": lambda: Lowered(number(facts, is_whole=False), facts.nullable),
            "boolean": lambda: Lowered(ir.Boolean(), facts.nullable),
            "array": lambda: self._array(facts, use, depth),
            "object": lambda: self._group(facts, use, depth),
            "null": lambda: Lowered(ir.AnyJson(), nullable=True),
        }
        return readers[kind]()

    def _array(self, facts: Facts, use: Use, depth: int) -> Lowered:
        if facts.items:
            item = self.lower(self.gatherer.gather(tuple(facts.items)), use, depth + 1)
        else:
            item = Lowered(ir.AnyJson(), nullable=True)
        item_type = _asked(item.type) if use.is_input else item.type
        whole = ir.Array(item_type, _whole(facts, "minItems"), _whole(facts, "maxItems"), facts.is_unique)
        return joined(whole, [item], nullable=facts.nullable)

    def _group(self, facts: Facts, use: Use, depth: int) -> Lowered:
        if len(facts.properties) > (TYPE_FIELDS_MAX if depth else MEMBERS_MAX):
            return Lowered(ir.AnyJson(ir.Untyped.LARGE), facts.nullable)
        members = list(self._members(facts, replace(use, is_raw=use.is_raw and depth == 0), depth + 1))
        ids = naming.identifiers(member.field.name for member in members)
        fields = (replace(one.field, id=id_) for one, id_ in zip(members, ids, strict=True))
        additional = self._additional(facts, use, depth)
        read = [one.lowered for one in members] + ([additional] if additional is not None else [])
        group = ir.Group(tuple(fields), additional.type if additional is not None else None)
        return joined(group, read, nullable=facts.nullable)

    def _members(self, facts: Facts, use: Use, depth: int) -> Iterator[Member]:
        """Those that this side sees: what only the other sets, and what is excluded, is none."""
        for name, parts in facts.properties.items():
            about = self.gatherer.gather(tuple(parts))
            is_required = name in facts.required
            is_hidden = about.read_only if use.is_input else about.write_only
            if not is_hidden and not annotations.is_excluded(about.words, is_required):
                yield self._field(name, about, use, required=is_required, depth=depth)

    def _additional(self, facts: Facts, use: Use, depth: int) -> Lowered | None:
        """The type of members of other names. An object that says nothing at all of its members takes any."""
        if facts.additional:
            return self.lower(self.gatherer.gather((facts.additional[0],)), use, depth + 1)
        if facts.properties or facts.is_closed:
            return None
        return Lowered(ir.AnyJson(), nullable=True)


def _asked(type_: ir.FieldType) -> ir.FieldType:
    """A constant that need not be sent is a choice of one value: whether it is sent has to be asked."""
    if isinstance(type_, ir.Constant):
        return ir.Choice((ir.Option(type_.value, option_label(type_.value)),))
    return type_


def _label(facts: Facts) -> str:
    """A component that is an object is called after itself, not after what it is here."""
    return facts.texts.get("title") or ("" if facts.is_object else facts.texts.get("referred title", ""))


def _whole(facts: Facts, keyword: str) -> int | None:
    bound: Any = facts.bounds.get(keyword)
    return None if bound is None else int(bound)
