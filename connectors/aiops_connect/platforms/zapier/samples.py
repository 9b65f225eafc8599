"""Samples: what a step shows before it has run."""

from typing import assert_never

from aiops_connect import ir
from aiops_connect.platforms.zapier.prose import plain

DEPTH_MAX = 4
ITEMS_MAX = 2
_DATES = {"date-time": "2026-01-05T10:15:00Z", "date": "2026-01-05", "time": "10:15:00"}


def sample(type_: ir.FieldType | None, example: ir.Json | ir.Missing) -> dict[str, ir.Json]:
    """An object with at least one member: of the example, or made of the fields where there is none."""
    found = shown(example) if example is not ir.MISSING else None
    if isinstance(found, list):
        found = found[0] if found else None
    if not isinstance(found, dict) or not found:
        found = _made(type_.item if isinstance(type_, ir.Array) else type_, 0)
    return found if isinstance(found, dict) and found else {"value": found}


def of_fields(fields: tuple[ir.Field, ...], example: ir.Json | ir.Missing = ir.MISSING) -> dict[str, ir.Json]:
    """Of these fields alone, as far as the example has them."""
    whole = shown(example) if example is not ir.MISSING else {}
    given = whole if isinstance(whole, dict) else {}
    made: dict[str, ir.Json] = {}
    for field in fields:
        name = plain(field.name)
        is_given = name in given and (given[name] is not None or field.nullable)
        made[name] = given[name] if is_given else _of_field(field, 0)
    return made


def shown(value: ir.Json) -> ir.Json:
    """A value without anything that Zapier would take for an expression, and lists cut short."""
    match value:
        case str():
            return plain(value)
        case list():
            return [shown(item) for item in value[:ITEMS_MAX]]
        case dict():
            return {plain(name): shown(member) for name, member in value.items()}
        case _:
            return value


def _of_field(field: ir.Field, depth: int) -> ir.Json:
    if field.example is not ir.MISSING:
        return shown(field.example)
    if field.default is not ir.MISSING and field.default is not None:
        return shown(field.default)
    return _made(field.type, depth, field.label)


def _made(type_: ir.FieldType | None, depth: int, label: str = "Sample") -> ir.Json:
    match type_:
        case None | ir.AnyJson():
            return "sample"
        case ir.Text(format=form):
            return {"uri": "https://example.com", "email": "person@example.com"}.get(form, plain(label))
        case ir.Integer(minimum=least) | ir.Number(minimum=least):
            return least if least is not None else 1
        case ir.Boolean():
            return True
        case ir.DateTime(precision):
            return _DATES[precision]
        case ir.File(form):
            return "https://example.com/file" if form is ir.FileForm.URL else "sample"
        case ir.Choice(options):
            return shown(options[0].value) if options else "sample"
        case ir.Constant(value):
            return shown(value)
        case ir.Array(item):
            return [_made(item, depth + 1, label)] if depth < DEPTH_MAX else []
        case ir.Group(fields):
            members = fields if depth < DEPTH_MAX else ()
            return {plain(field.name): _of_field(field, depth + 1) for field in members}
        case ir.Union(variants):
            return _made(variants[0].type, depth, label) if variants else None
        case _:
            assert_never(type_)
