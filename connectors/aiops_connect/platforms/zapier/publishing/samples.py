"""What a step shows before it has run (checks D010, D012, D023 and D024)."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from aiops_connect.platforms.zapier.publishing import Finding

_DATE = re.compile(r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$")
_LOOKS_LIKE_A_DATE = re.compile(
    r"(?i)^(\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2} [a-z]{3,9} \d{4}|[a-z]{3,9} \d{1,2}, \d{4})"
)
_ZONE = re.compile(r"([zZ]|[+-]\d\d:?\d\d)$")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "datetime": (str,),
    "file": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def sample_findings(kind: str, where: str, step: dict[str, Any]) -> Iterator[Finding]:
    operation = step["operation"]
    sample = operation.get("sample")
    if not sample:
        yield Finding("D012", where, "Add a sample.")
        return
    outputs = {field["key"]: field for field in operation.get("outputFields", []) if isinstance(field, dict)}
    primary = [key for key, field in outputs.items() if field.get("primary")] or ["id"]
    if kind == "triggers" and operation.get("type") == "polling" and not all(key in sample for key in primary):
        yield Finding("D010", where, f"The sample needs {', '.join(primary)}.")
    yield from (Finding("D023", f"{where}/{path}", what) for path, what in dates(sample))
    yield from (Finding("D024", f"{where}/{key}", what) for key, what in contradictions(outputs, sample))


def dates(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where a date is not written as ISO 8601, or a time without its zone."""
    for path, leaf in _leaves(value):
        if isinstance(leaf, str) and (_LOOKS_LIKE_A_DATE.match(leaf) or not _is_iso(leaf)):
            yield path, "Write dates as ISO 8601, times with a zone."


def contradictions(outputs: dict[str, dict[str, Any]], value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where output fields say otherwise than a sample, or what a step answered."""
    for key, field in outputs.items():
        found: Any = value
        for part in key.split("__"):
            found = found.get(part, ...) if isinstance(found, dict) else ...
        if field.get("required") and found is ...:
            yield key, "A required field is not there."
        elif found not in (..., None) and not _is_of_type(found, field):
            yield key, f"There is something other than a {field.get('type')} here."


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, f"{path}__{name}".lstrip("_"))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, f"{path}[]")
    else:
        yield path, value


def _is_iso(text: str) -> bool:
    """Whether it is no date at all, or one that is written as it should be."""
    if not _DATE.match(text):
        return True
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return len(text) == len("2026-01-05") or bool(_ZONE.search(text))


def _is_of_type(value: Any, field: dict[str, Any]) -> bool:
    if field.get("list"):
        return isinstance(value, list)
    if isinstance(value, bool) and field.get("type", "boolean") != "boolean":
        return False
    return "type" not in field or isinstance(value, _TYPES[field["type"]])
