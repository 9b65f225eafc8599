"""JSON pointers (RFC 6901) made of names."""

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
