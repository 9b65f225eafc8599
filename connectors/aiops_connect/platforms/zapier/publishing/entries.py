"""What people enter (checks D001, D004, D005, D011, D013 and D014, and the order that Zapier's reviewers want)."""

from collections.abc import Iterator
from typing import Any

from aiops_connect.platforms.zapier.publishing import Definition, Finding, inputs
from aiops_connect.platforms.zapier.publishing.connections import SECRET

_SEARCHABLE = (None, "string", "number", "integer")
_UNSEARCHABLE = ("list", "dict", "children")


def entry_findings(where: str, step: dict[str, Any], definition: Definition) -> Iterator[Finding]:
    for field in inputs(step):
        here = f"{where}/{field['key']}"
        if SECRET.search(field["key"]):
            yield Finding("D001", here, "Ask for credentials in the connection, not in a step.")
        if field["key"].endswith("_id") and "dynamic" not in field and not field.get("choices"):
            yield Finding("D004", here, "Fill a list of what can be chosen: x-connector-options.")
        if field.get("helpText", "").rstrip(".").lower() == field.get("label", "-").lower():
            yield Finding("D011", here, "Say more in the help than in the label, or leave it out.")
        yield from _connected(here, field, definition)
    yield from _order(where, step)


def _connected(here: str, field: dict[str, Any], definition: Definition) -> Iterator[Finding]:
    """What fills a field has to be there."""
    if "dynamic" in field and (key := field["dynamic"].split(".")[0]) not in definition.get("triggers", {}):
        yield Finding("D005", here, f"There is no trigger {key}.")
    if "search" not in field:
        return
    if (key := field["search"].split(".")[0]) not in definition.get("searches", {}):
        yield Finding("D013", here, f"There is no search {key}.")
    if field.get("type") not in _SEARCHABLE or any(field.get(name) for name in _UNSEARCHABLE):
        yield Finding("D014", here, "A search fills one text or number, not a list or an object.")


def _order(where: str, step: dict[str, Any]) -> Iterator[Finding]:
    fields = [field for field in step["operation"].get("inputFields", []) if isinstance(field, dict)]
    needed = [
        bool(field.get("required")) for field in fields if "children" not in field and field.get("type") != "copy"
    ]
    if needed != sorted(needed, reverse=True):
        yield Finding("review", where, "Ask for what is required first.")
