"""What somebody enters in Make, made of what the document says of each input."""

import json
import re
from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.make import fields, files

CANDIDATES = (
    "text",
    "1",
    "a1b2c3",
    "abc",
    "https://www.example.com",
    "you@company.example",
    "2026-01-31",
    "en",
    "#ffffff",
)
WORDS = {
    "uri": "https://www.example.com/a",
    "email": "you@company.example",
    "uuid": "0b8ce8ab-0ee4-4e4c-9b4f-7f1c9a3f0a11",
}


def parameters(operation: ir.Operation) -> dict[str, Any]:
    """A value for each input that is required."""
    found: dict[str, Any] = {}
    for field in operation.inputs:
        if field.required:
            found |= _entered(field)
    return found


def _entered(field: ir.Field) -> dict[str, Any]:
    value = value_of(field.type, field.example)
    match fields.entry(field):
        case fields.Entry.CONSTANT:
            return {}
        case fields.Entry.FILE:
            names = files.file_names(field)
            return {names.name: "file.txt", names.data: b"content"}
        case fields.Entry.FILES:
            names = files.IN_A_LIST
            return {field.id: [{names.name: "file.txt", names.data: b"content"}]}
        case fields.Entry.LINK_OR_FILE:
            return {files.source_name(field): "link", field.id: value}
        case fields.Entry.JSON:
            return {field.id: json.dumps(value)}
        case fields.Entry.AS_IT_IS:
            return {field.id: value}


def value_of(type_: ir.FieldType, example: Any = ir.MISSING) -> Any:  # noqa: C901, PLR0911 - a case for each type
    """A value of this type; the example where there is one that can be it."""
    match type_:
        case ir.Group(members):
            return {one.name: value_of(one.type, one.example) for one in members if one.required}
        case ir.Array(item, items_min):
            return example if isinstance(example, list) else [value_of(item)] * max(1, items_min or 0)
        case ir.Union(variants):
            return value_of(variants[0].type)
        case ir.Constant(value):
            return value
        case ir.Choice(options):
            return options[0].value if options else "text"
        case ir.Boolean():
            return True
        case ir.Integer(minimum):
            return example if isinstance(example, int) else minimum if minimum is not None else 1
        case ir.Number(minimum):
            return example if isinstance(example, int | float) else minimum if minimum is not None else 1
        case ir.DateTime(precision):
            return {"date-time": "2026-01-31T10:15:00Z", "date": "2026-01-31", "time": "10:15:00Z"}[precision]
        case ir.File():
            return "https://www.example.com/a.mp3"
        case ir.Text():
            return example if isinstance(example, str) else _text(type_)
        case ir.AnyJson():
            return {} if example is ir.MISSING else example


def _text(type_: ir.Text) -> str:
    for one in (WORDS.get(type_.format, ""), *CANDIDATES):
        text = one.ljust(type_.length_min or 0, "x")[: type_.length_max]
        if text and (type_.pattern is None or re.search(type_.pattern, text)):
            return text
    return "text"
