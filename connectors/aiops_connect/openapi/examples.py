"""Examples: those a document gives, and one made of the examples of the fields where it gives none."""

from typing import Any

from aiops_connect import ir
from aiops_connect.openapi.nodes import Node

_TEXTS = {
    "uri": "https://example.com",
    "url": "https://example.com",
    "email": "someone@example.com",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}
_TIMES = {"date-time": "2026-01-05T10:15:00Z", "date": "2026-01-05", "time": "10:15:00Z"}


def first_example(node: Node) -> ir.Json | ir.Missing:
    """The example of a media type or a parameter, or the first of its examples that stands in the document."""
    if node.has("example"):
        return _json(node.get("example"))
    if not isinstance(node.get("examples"), dict):
        return ir.MISSING
    for entry in node.members("examples").values():
        example = entry.follow()
        if example is not None and example.has("value"):
            return _json(example.get("value"))
    return ir.MISSING


def _json(value: ir.Json) -> ir.Json:
    return value


def sample(type_: ir.FieldType) -> Any:
    """A value of a type, made of the examples and defaults of its fields, and of plain values where there are none."""
    match type_:
        case ir.Text(format=form):
            return _TEXTS.get(form, "text")
        case ir.Integer(minimum) | ir.Number(minimum):
            return minimum if minimum is not None else 1
        case ir.Boolean():
            return True
        case ir.DateTime(precision):
            return _TIMES[precision]
        case ir.File(form=ir.FileForm.URL):
            return "https://example.com/file"
        case ir.File():
            return ""
        case ir.Choice(options):
            return options[0].value
        case ir.Constant(value):
            return value
        case ir.Array(item):
            return [sample(item)]
        case ir.Group(fields):
            return {field.name: _of_field(field) for field in fields}
        case ir.Union(variants):
            return sample(variants[0].type)
        case ir.AnyJson():
            return {}


def _of_field(field: ir.Field) -> Any:
    if field.example is not ir.MISSING:
        return field.example
    if field.default is not ir.MISSING:
        return field.default
    return sample(field.type)
