"""Values to choose from."""

from collections.abc import Sequence

from aiops_connect import ir
from aiops_connect.platforms.n8n import prose
from aiops_connect.platforms.n8n.literals import Value
from aiops_connect.platforms.n8n.properties import Property

OPTIONS_MAX = 300
PREFIX = "is:"
# Values that n8n has its own words for.
_NAMED = {
    "getAll": ("Get Many", ""),
    "upsert": ("Create or Update", "Create a new record, or update the current one if it already exists (upsert)"),
}


def choices(options: Sequence[ir.Option]) -> tuple[list[Property], str]:
    """Options in the order n8n wants them, and what stands before their values."""
    is_unsafe = any(isinstance(one.value, str) and (one.value.startswith("=") or not one.value) for one in options)
    prefix = PREFIX if is_unsafe else ""
    taken: set[str] = set()
    found: list[Property] = []
    for one in options:
        name = prose.title(one.label) or prose.inert(str(one.value)) or "Empty"
        if name in taken:
            name = f"{name} ({prose.inert(str(one.value))})"
        number = 2
        while name in taken:
            name, number = f"{name} {number}", number + 1
        taken.add(name)
        made: Property = {"name": name, "value": option_value(one.value, prefix)}
        name, given = _NAMED.get(str(one.value), (name, prose.help_text(one.help, name)))
        made["name"] = name
        if given:
            made["description"] = given
        found.append(made)
    return in_order(found, "name"), prefix


def in_order(ones: list[Property], by: str) -> list[Property]:
    """n8n wants five and more in alphabetical order; fewer stay as the document has them."""
    return sorted(ones, key=lambda one: prose.sorting(str(one[by]))) if len(ones) >= 5 else ones


def option_value(value: ir.Json | ir.Missing, prefix: str) -> Value:
    if isinstance(value, str):
        return prefix + value
    return value if isinstance(value, bool | int | float) else None
