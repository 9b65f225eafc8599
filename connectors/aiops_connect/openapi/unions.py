"""Alternatives: values that have one of several shapes, and what tells the shapes apart."""

from dataclasses import replace
from typing import TYPE_CHECKING

from aiops_connect import ir, naming
from aiops_connect.limits import ALTERNATIVES_DEPTH_MAX, VARIANTS_MAX
from aiops_connect.openapi.facts import Alternatives, Facts
from aiops_connect.openapi.lowered import Lowered, joined
from aiops_connect.openapi.nodes import Node

if TYPE_CHECKING:
    from aiops_connect.openapi.schemas import Schemas, Use


def union(schemas: "Schemas", facts: Facts, use: "Use", depth: int, ignored: frozenset[str]) -> Lowered:
    """The union that alternatives are; one shape where null is all there is beside it, or where all shapes are one."""
    alternatives = facts.alternatives[0]
    if len(alternatives.branches) > VARIANTS_MAX:
        return Lowered(ir.AnyJson(ir.Untyped.LARGE), nullable=True)
    if len(ignored) == ALTERNATIVES_DEPTH_MAX:
        return Lowered(ir.AnyJson(ir.Untyped.DEEP), nullable=True)
    ignored |= {alternatives.pointer}
    nullable = facts.nullable
    branches: list[tuple[Node, Facts]] = []
    for branch in alternatives.branches:
        about = schemas.gatherer.gather((branch,))
        nullable |= about.nullable
        if about.kinds != {"null"}:
            branches.append((branch, about))
    together = [schemas.gatherer.gather((*facts.parts, branch), ignored) for branch, _ in branches]
    if len(together) == 1:
        only = schemas.lower(together[0], use, depth, ignored)
        return replace(only, nullable=only.nullable or nullable)
    read = [schemas.lower(one, use, depth + 1, ignored) for one in together]
    merged = _merged([one.type for one in read])
    if merged is not None:
        return Lowered(merged, nullable)
    variants = [
        ir.Variant(_label(branch, about, one.type), one.type)
        for (branch, about), one in zip(branches, read, strict=True)
    ]
    told = _told_apart(variants, alternatives, [branch for branch, _ in branches])
    return joined(told, read, nullable=nullable)


def _merged(types: list[ir.FieldType]) -> ir.FieldType | None:
    """One type in place of several that people would not tell apart."""
    if not types:
        return ir.AnyJson()
    first = types[0]
    if all(one == first for one in types):
        return first
    if all(isinstance(one, ir.Text) for one in types):
        return ir.Text(is_multiline=any(isinstance(one, ir.Text) and one.is_multiline for one in types))
    if all(isinstance(one, ir.Integer | ir.Number) for one in types):
        return ir.Number()
    return None


def _label(branch: Node, about: Facts, type_: ir.FieldType) -> str:
    title = about.texts.get("title") or about.texts.get("referred title", "")
    if title:
        return naming.title(title, title)
    reference = branch.get("$ref")
    if isinstance(reference, str) and isinstance(type_, ir.Group):
        return naming.label(reference.rpartition("/")[2])
    return kind_label(type_)


def _told_apart(variants: list[ir.Variant], alternatives: Alternatives, branches: list[Node]) -> ir.Union:
    """The union, with its selector where a member of each shape tells which it is."""
    if not all(isinstance(variant.type, ir.Group) for variant in variants):
        return ir.Union(tuple(variants))
    selector = alternatives.discriminator.text("propertyName") if alternatives.discriminator is not None else ""
    if selector and alternatives.discriminator is not None:
        values: list[ir.Scalar | None] = [_mapped(alternatives.discriminator, branch) for branch in branches]
        values = [
            value if value is not None else _constant(variant, selector)
            for value, variant in zip(values, variants, strict=True)
        ]
    else:
        selector = _telling(variants)
        values = [_constant(variant, selector) for variant in variants]
    if not selector or None in values or len(set(values)) < len(values):
        return ir.Union(tuple(variants))
    told = [
        _with_constant(one, selector, value) for one, value in zip(variants, values, strict=True) if value is not None
    ]
    return ir.Union(tuple(told), selector)


def _mapped(discriminator: Node, branch: Node) -> str | None:
    """The value by which a discriminator names a branch: by its mapping, else the name of the component."""
    reference = branch.get("$ref")
    if not isinstance(reference, str):
        return None
    name = reference.rpartition("/")[2]
    for value, target in discriminator.members("mapping").items():
        if target.value in (reference, name):
            return value
    return name if not discriminator.has("mapping") else None


def _telling(variants: list[ir.Variant]) -> str:
    """The first member that is a constant in every shape; empty where there is none."""
    first = variants[0].type
    if isinstance(first, ir.Group):
        for field in first.fields:
            if all(_constant(variant, field.name) is not None for variant in variants):
                return field.name
    return ""


def _constant(variant: ir.Variant, name: str) -> ir.Scalar | None:
    if isinstance(variant.type, ir.Group):
        for field in variant.type.fields:
            match field:
                case ir.Field(name=found, type=ir.Constant(value) | ir.Choice((ir.Option(value),))) if found == name:
                    return value
    return None


def _with_constant(variant: ir.Variant, name: str, value: ir.Scalar) -> ir.Variant:
    """The variant with its selector as a constant that is always there."""
    if not isinstance(variant.type, ir.Group):
        return variant
    label = next((field.label for field in variant.type.fields if field.name == name), naming.label(name))
    constant = ir.Field(naming.identifier(name), name, label, ir.Constant(value), required=True)
    others = [field for field in variant.type.fields if field.name != name]
    group = replace(variant.type, fields=(constant, *others))
    return replace(variant, type=group, value=value)


def kind_label(type_: ir.FieldType) -> str:
    """What to call a shape that has no title."""
    match type_:
        case ir.Text() | ir.Choice() | ir.Constant():
            return "Text"
        case ir.Integer() | ir.Number():
            return "Number"
        case ir.Boolean():
            return "Yes or no"
        case ir.DateTime():
            return "Date"
        case ir.File():
            return "File"
        case ir.Array(item):
            return f"List of {kind_label(item).lower()}s" if not isinstance(item, ir.Boolean | ir.AnyJson) else "List"
        case ir.Group() | ir.Union():
            return "Object"
        case ir.AnyJson():
            return "JSON"
