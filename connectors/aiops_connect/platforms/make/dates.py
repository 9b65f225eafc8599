"""Dates in what modules put out: Make wants them parsed, and the interface says `date` only where they are.

No expression of IML makes a collection; only an output that is written out does. So objects that may be null, items of
arrays and values of several shapes come out as they are, and the dates in them are texts.

Sources: "Processing of output parameters" and "Date" in Make's documentation.
"""

from dataclasses import replace

from aiops_connect import ir
from aiops_connect.platforms.make import iml
from aiops_connect.platforms.make.runner.iml.syntax import Node, Path
from aiops_connect.platforms.make.runner.iml.template import SPREAD

Fields = tuple[ir.Field, ...]


def collection(root: Path, fields: Fields) -> tuple[ir.Json, Fields]:
    """What puts out an object as it is but for its dates, and its fields as they are then.

    Raises:
        InexpressibleError: the object cannot be reached.
    """
    members: dict[str, ir.Json] = {}
    found: list[ir.Field] = []
    for one in fields:
        try:
            path = iml.member(root, one.name)
            given, (value, field) = iml.whole(path), member(path, one)
        except iml.InexpressibleError:  # it comes out with all the others
            found.append(as_text(one))
            continue
        found.append(field)
        if value != given:
            members[iml.literal(one.name)] = value
    whole = iml.whole(root)
    return {SPREAD: whole, **members} if members else whole, tuple(found)


def member(node: Node, field: ir.Field) -> tuple[ir.Json, ir.Field]:
    """What puts out one value, and its field as it is then; null stays null, and what is missing stays away.

    Raises:
        InexpressibleError: the value cannot be reached.
    """
    match field.type:
        case ir.DateTime("date-time"):
            return iml.whole(iml.call("if", node, iml.call("parseDate", node), node)), field
        case ir.Group(fields) if field.required and not field.nullable and isinstance(node, Path):
            value, known = collection(node, fields)
            return value, replace(field, type=replace(field.type, fields=known))
    return iml.whole(node), as_text(field)


def as_text(field: ir.Field) -> ir.Field:
    """The field where no date in it is parsed."""
    return replace(field, type=_as_text(field.type))


def _as_text(type_: ir.FieldType) -> ir.FieldType:
    match type_:
        case ir.DateTime("date-time"):
            return ir.Text(format="date-time")
        case ir.Array(item):
            return replace(type_, item=_as_text(item))
        case ir.Group(fields):
            return replace(type_, fields=tuple(as_text(one) for one in fields))
        case ir.Union(variants):
            return replace(type_, variants=tuple(replace(one, type=_as_text(one.type)) for one in variants))
    return type_
