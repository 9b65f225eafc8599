"""Forms with lists in them (application/x-www-form-urlencoded), written here: Make would number the items of a list in
brackets, and OpenAPI repeats the name."""

from collections.abc import Sequence
from urllib.parse import quote

from aiops_connect import ir
from aiops_connect.platforms.make import iml
from aiops_connect.platforms.make.runner.iml.syntax import Node

MEDIA_TYPE = "application/x-www-form-urlencoded"
_SEPARATOR = "\N{SYMBOL FOR UNIT SEPARATOR}"  # between the items while they are encoded; nobody enters it
_EMPTY = iml.variable("emptystring")


def has_lists(fields: Sequence[ir.Field]) -> bool:
    """Whether a list is repeated under its name, and all the rest is single values."""
    return any(map(_is_repeated, fields)) and all(_is_repeated(one) or _is_single(one.type) for one in fields)


def _is_repeated(field: ir.Field) -> bool:
    encoding = field.encoding
    is_exploded = encoding is not None and encoding.explode and encoding.style is ir.Style.FORM
    return is_exploded and isinstance(field.type, ir.Array) and _is_single(field.type.item)


def _is_single(type_: ir.FieldType) -> bool:
    return isinstance(
        type_, ir.Text | ir.Integer | ir.Number | ir.Boolean | ir.DateTime | ir.Choice | ir.Constant | ir.File
    )


def body(values: Sequence[tuple[ir.Field, Node]]) -> str:
    """The fields that are set, each with its name."""
    parts = [_part(field, value) for field, value in values]
    return iml.whole(iml.call("replace", iml.joined(*parts), iml.text("/^&/"), _EMPTY))


def _part(field: ir.Field, value: Node) -> Node:
    name = iml.text(f"&{quote(field.name, safe='')}=")
    encoded = iml.call("encodeURL", value)
    if _is_repeated(field):
        together = iml.call("encodeURL", iml.call("join", value, iml.text(_SEPARATOR)))
        encoded = iml.call("replace", together, iml.text(f"/{quote(_SEPARATOR)}/g"), name)
    is_set = iml.differs(iml.call("toString", value), _EMPTY)
    return iml.call("if", is_set, iml.joined(name, encoded), _EMPTY)
