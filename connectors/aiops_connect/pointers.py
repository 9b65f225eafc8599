"""JSON pointers (RFC 6901): made of names, and followed."""

from collections.abc import Iterable

from aiops_connect import ir


def escape(name: str) -> str:
    """A name as one step of a pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def pointer(names: Iterable[str]) -> ir.Pointer:
    return "".join(f"/{escape(name)}" for name in names)


def names_of(where: ir.Pointer) -> list[str]:
    """The names, or numbers, that lead to where a pointer points."""
    return [step.replace("~1", "/").replace("~0", "~") for step in where.split("/")[1:]]


def value_at(value: ir.Json, where: ir.Pointer) -> ir.Json | ir.Missing:
    """What stands at a pointer; MISSING where nothing does."""
    for name in names_of(where):
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return ir.MISSING
    return value


def type_at(type_: ir.FieldType | None, where: ir.Pointer) -> ir.FieldType | None:
    """The type of what stands at a pointer; None where the type tells of nothing there."""
    for name in names_of(where):
        fields = type_.fields if isinstance(type_, ir.Group) else ()
        type_ = next((field.type for field in fields if field.name == name), None)
    return type_
