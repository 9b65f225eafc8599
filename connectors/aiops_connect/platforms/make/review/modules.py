"""Rules for what modules say of themselves."""

import re
from collections.abc import Iterator
from typing import Any

from aiops_connect.platforms.make.naming import RESERVED
from aiops_connect.platforms.make.review.source import Part, Source
from aiops_connect.platforms.make.runner.app import MANIFEST

Found = Iterator[tuple[str, str]]

_ID = re.compile(r"[a-zA-Z][0-9a-zA-Z]+[0-9a-zA-Z]")
_CAPITALIZED = re.compile(r"[A-Z][a-z]+")
_KINDS: dict[str, Any] = {
    "text": str, "url": str, "email": str, "date": str, "filename": str, "buffer": str, "boolean": bool,
    "number": (int, float), "integer": int, "uinteger": int, "array": list, "collection": dict,
}  # fmt: skip


def is_sentence_case(label: str) -> bool:
    """One capital letter at its beginning; acronyms and names with other capitals may follow."""
    first, *rest = label.split() or [""]
    return first[:1] == first[:1].upper() and not any(_CAPITALIZED.fullmatch(word) for word in rest)


def says_what_it_does(source: Source) -> Found:
    """R9."""
    for module in source.modules():
        label, description = str(module.metadata.get("label", "")), str(module.metadata.get("description", ""))
        if not is_sentence_case(label):
            yield MANIFEST, f"The label of {module.id} is not in sentence case: {label}"
        if not description.endswith("."):
            yield MANIFEST, f"The description of {module.id} does not end with a full stop."
        yield from _by_type(module, label, description)


def _by_type(module: Part, label: str, description: str) -> Found:
    match module.metadata.get("moduleType"):
        case "trigger" | "instant_trigger":
            if not label.startswith("Watch "):
                yield MANIFEST, f"The label of {module.id} begins with Watch."
            if not description.startswith("Triggers when "):
                yield MANIFEST, f"The description of {module.id} begins with Triggers when."
        case "search":
            filters = [one for one in module.parameters if one.get("name") != "limit"]
            wanted = "Search" if filters else "List"
            if not label.startswith(f"{wanted} "):
                yield MANIFEST, f"The label of {module.id} begins with {wanted}."


def has_a_valid_id(source: Source) -> Found:
    """R10."""
    for module in source.modules():
        if not _ID.fullmatch(module.id) or len(module.id) > 48 or module.id in RESERVED:
            yield MANIFEST, f"{module.id} is no id: 3 to 48 letters and digits, and no word of JavaScript."


def is_complete(source: Source) -> Found:
    """R11."""
    for module in source.modules():
        interface, samples = module.code("interface"), module.code("samples")
        if not (module.metadata.get("label") and module.metadata.get("description")):
            yield MANIFEST, f"{module.id} lacks its label or its description."
        if module.metadata.get("moduleType") != "instant_trigger" and not module.requests:
            yield MANIFEST, f"{module.id} has no communication."
        if not interface or not isinstance(samples, dict):
            yield MANIFEST, f"{module.id} lacks its interface or its samples."
            continue
        yield from _samples(module, {one["name"]: one for one in interface}, samples)


def _samples(module: Part, interface: dict[str, Any], samples: dict[str, Any]) -> Found:
    if interface.keys() != samples.keys():
        names = ", ".join(sorted(interface.keys() ^ samples.keys()))
        yield module.path("samples"), f"Interface and samples differ: {names}."
    for name, one in interface.items():
        kind = _KINDS.get(one.get("type"))
        value = samples.get(name)
        if kind is not None and value is not None and not isinstance(value, kind):
            yield module.path("samples"), f"The sample of {name} is no {one['type']}."


def labels_its_output(source: Source) -> Found:
    """R17."""
    for module in source.modules():
        for one in module.code("interface") or []:
            label = str(one.get("label", ""))
            if not label or not is_sentence_case(label):
                yield module.path("interface"), f"The label of {one.get('name')} is not in sentence case: {label}"
