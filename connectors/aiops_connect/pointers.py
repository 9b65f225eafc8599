"""JSON pointers (RFC 6901): made of names, and followed."""

from collections.abc import Iterable

from aiops_connect import ir


def pointer(names: Iterable[str]) -> ir.Pointer:
    return "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in names)


def value_at(value: ir.Json, where: ir.Pointer) -> ir.Json | ir.Missing:
    """What stands at a pointer; MISSING where nothing does."""
    for step in where.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return ir.MISSING
    return value


def type_at(type_: ir.FieldType | None, where: ir.Pointer) -> ir.FieldType | None:
    """The type of what stands at a pointer, of a list that of its items."""
    for step in where.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        fields = type_.fields if isinstance(type_, ir.Group) else ()
        type_ = next((field.type for field in fields if field.name == name), None)
    return type_.item if isinstance(type_, ir.Array) else type_
