"""What a schema comes to, with its measure, and how what is too large is kept within limits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiops_connect import ir
from aiops_connect.limits import TYPE_FIELDS_MAX


@dataclass(frozen=True, slots=True)
class Lowered:
    """A type, whether it can be null, how many fields it has on all levels, itself among them, and how many levels.
    `is_cut`: it has fewer than the document says, since the limit of levels was met."""

    type: ir.FieldType
    nullable: bool = False
    fields: int = 1
    height: int = 0
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A field, and the measure of its type."""

    field: ir.Field
    lowered: Lowered


def joined(type_: ir.FieldType, parts: Sequence[Lowered], *, nullable: bool) -> Lowered:
    """A type that is made of others, with its measure."""
    return Lowered(
        type_,
        nullable,
        fields=1 + sum(part.fields for part in parts),
        height=1 + max((part.height for part in parts), default=0),
        is_cut=any(part.is_cut for part in parts),
    )


_LARGE = ir.AnyJson(ir.Untyped.LARGE)


def within_limits(lowered: Lowered) -> Lowered:
    """The same type where it is small enough. Otherwise its largest members become JSON, as few as will do; where it
    has too many members for that, it does itself."""
    if lowered.fields <= TYPE_FIELDS_MAX:
        return lowered
    shrunk, fields = _shrink(lowered.type)
    return replace(lowered, type=shrunk, fields=fields)


def size(type_: ir.FieldType) -> int:
    """How many fields a type has on all levels, itself among them."""
    match type_:
        case ir.Array(item):
            return 1 + size(item)
        case ir.Group(fields, additional):
            return 1 + sum(size(field.type) for field in fields) + (size(additional) if additional is not None else 0)
        case ir.Union(variants):
            return 1 + sum(size(variant.type) for variant in variants)
        case _:
            return 1


def _shrink(type_: ir.FieldType) -> tuple[ir.FieldType, int]:
    match type_:
        case ir.Group(fields):
            kept = _kept([size(field.type) for field in fields])
            if kept is None:
                return _LARGE, 1
            group = replace(
                type_,
                fields=tuple(
                    field if keep else replace(field, type=_LARGE) for field, keep in zip(fields, kept, strict=True)
                ),
            )
            return group, size(group)
        case ir.Union(variants):
            kept = _kept([size(variant.type) for variant in variants])
            if kept is None or (type_.selector is not None and not all(kept)):
                return _LARGE, 1
            union = replace(
                type_,
                variants=tuple(
                    one if keep else replace(one, type=_LARGE) for one, keep in zip(variants, kept, strict=True)
                ),
            )
            return union, size(union)
        case _:
            return _LARGE, 1


def _kept(sizes: Sequence[int]) -> list[bool] | None:
    """Which members stay as they are so that all of them are within the limit; None where that cannot be."""
    if len(sizes) + 1 > TYPE_FIELDS_MAX:
        return None
    kept = [True] * len(sizes)
    total = 1 + sum(sizes)
    for index in sorted(range(len(sizes)), key=lambda index: sizes[index], reverse=True):
        if total <= TYPE_FIELDS_MAX:
            break
        kept[index] = False
        total -= sizes[index] - 1
    return kept
