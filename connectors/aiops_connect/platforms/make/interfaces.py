"""What a module puts out: its interface, and a sample that has the same members."""

from typing import Any, assert_never

from aiops_connect import ir
from aiops_connect.platforms.make import iml, naming

Spec = dict[str, Any]
_SAMPLE_LENGTH_MAX = 1000
_FILE = "UklGRiQAAABXQVZF"


def interface(fields: tuple[ir.Field, ...]) -> list[Spec]:
    """The specification of the fields, in their order."""
    return [_spec(one) for one in fields]


def _spec(field: ir.Field) -> Spec:
    if len(field.name) > 128 or not field.name:
        raise iml.InexpressibleError(f"Make has no room for a member of the name {field.name[:40]!r}.")
    return {"name": field.name, "label": naming.label(field.label), **_shape(field.type, field.label)}


def _shape(type_: ir.FieldType, label: str) -> Spec:
    match type_:
        case ir.Array(ir.Group(fields)):
            return {"type": "array", "spec": interface(fields)}
        case ir.Array(item):
            return {"type": "array", "spec": {"label": naming.label(label), **_shape(item, label)}}
        case ir.Group(fields):
            return {"type": "collection", "spec": interface(fields)}
        case ir.Union(variants):
            return {"type": "collection", "spec": interface(merged(variants))} if merged(variants) else {"type": "any"}
        case ir.Text(format=format_):
            return {"type": {"uri": "url", "email": "email"}.get(format_, "text")}
        case ir.Integer(minimum):
            return {"type": "uinteger" if minimum is not None and minimum >= 0 else "integer"}
        case ir.Number():
            return {"type": "number"}
        case ir.Boolean():
            return {"type": "boolean"}
        case ir.DateTime(precision):
            return {"type": "date" if precision == "date-time" else "text"}
        case ir.File(form):
            return {"type": {ir.FileForm.URL: "url", ir.FileForm.BASE64: "text", ir.FileForm.BYTES: "buffer"}[form]}
        case ir.Choice(options):
            return {"type": _kind(options[0].value) if options else "text"}
        case ir.Constant(value):
            return {"type": _kind(value)}
        case ir.AnyJson():
            return {"type": "any"}
        case _:
            assert_never(type_)


def _kind(value: ir.Scalar) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"


def merged(variants: tuple[ir.Variant, ...]) -> tuple[ir.Field, ...]:
    """The members of all shapes, each once; none where a shape is no object."""
    found: dict[str, ir.Field] = {}
    for variant in variants:
        if not isinstance(variant.type, ir.Group):
            return ()
        for one in variant.type.fields:
            found.setdefault(one.name, one)
    return tuple(found.values())


def samples(fields: tuple[ir.Field, ...], given: ir.Json | ir.Missing) -> dict[str, ir.Json]:
    """A value for each field, from the sample that is given, else from the example of the field."""
    known = given if isinstance(given, dict) else {}
    return {one.name: _sample(one, known.get(one.name, ir.MISSING)) for one in fields}


def _sample(field: ir.Field, given: ir.Json | ir.Missing) -> ir.Json:
    value = given if given is not ir.MISSING else field.example
    if isinstance(field.type, ir.Group):
        return samples(field.type.fields, value)
    if isinstance(field.type, ir.Union) and merged(field.type.variants):
        return samples(merged(field.type.variants), value)
    if value is not ir.MISSING and value is not None and _fits(field.type, value):
        return safe(value)
    return _made(field.type)


def _fits(type_: ir.FieldType, value: ir.Json) -> bool:
    match type_:
        case ir.Array():
            return isinstance(value, list)
        case ir.Integer() | ir.Number():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ir.Boolean():
            return isinstance(value, bool)
        case ir.Text() | ir.DateTime() | ir.File():
            return isinstance(value, str)
        case _:
            return True


def _made(type_: ir.FieldType) -> ir.Json:
    match type_:
        case ir.Array(ir.Group(fields)):
            return [samples(fields, ir.MISSING)]
        case ir.Array(item):
            return [_made(item)]
        case ir.Group(fields):
            return samples(fields, ir.MISSING)
        case ir.Integer(minimum):
            return minimum or 0
        case ir.Number(minimum):
            return minimum or 0
        case ir.Boolean():
            return True
        case ir.DateTime(precision):
            return {"date-time": "2026-01-31T10:15:00Z", "date": "2026-01-31", "time": "10:15:00Z"}[precision]
        case ir.Choice(options):
            return safe(options[0].value) if options else "text"
        case ir.Constant(value):
            return safe(value)
        case ir.File(form=ir.FileForm.URL):
            return "https://media.example/file"
        case ir.File():
            return _FILE
        case ir.Text(format="uri"):
            return "https://www.example.com"
        case ir.Text(format="date-time"):
            return "2026-01-31T10:15:00Z"
        case ir.Text(format="email"):
            return "you@company.example"
    return "text"


def safe(value: ir.Json) -> ir.Json:
    """Braces stand apart: a sample is shown, and is no expression."""
    match value:
        case str():
            return iml.shown(value[:_SAMPLE_LENGTH_MAX])
        case list():
            return [safe(item) for item in value]
        case dict():
            return {iml.shown(name): safe(item) for name, item in value.items()}
    return value
