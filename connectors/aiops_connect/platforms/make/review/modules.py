"""Rules for what modules say of themselves."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiops_connect.naming import is_third_person
from aiops_connect.platforms.make.naming import RESERVED
from aiops_connect.platforms.make.review.source import Part, Source, objects
from aiops_connect.platforms.make.runner.app import MANIFEST

Found = Iterator[tuple[str, str]]

_ID = re.compile(r"[a-zA-Z][0-9a-zA-Z]+[0-9a-zA-Z]")
_CAPITALIZED = re.compile(r"[A-Z][a-z]+")
_ACRONYMS = frozenset(("id", "ids", "url", "urls", "api", "json", "html", "csv", "pdf", "http"))
_KINDS: dict[str, Any] = {
    "text": str, "url": str, "email": str, "date": str, "filename": str, "buffer": str, "boolean": bool,
    "number": (int, float), "integer": int, "uinteger": int, "array": list, "collection": dict,
}  # fmt: skip


def is_sentence_case(label: str) -> bool:
    """One capital letter at its beginning, and acronyms in capitals; names with other capitals may follow."""
    first, *rest = label.split() or [""]
    is_lower = not any(_CAPITALIZED.fullmatch(word) and word.lower() not in _ACRONYMS for word in rest)
    has_acronyms = not any(word.strip("().,").lower() in _ACRONYMS and word != word.upper() and not word.endswith("s")
                           for word in label.split())  # fmt: skip
    return first[:1] == first[:1].upper() and is_lower and has_acronyms


def says_what_it_does(source: Source) -> Found:
    """R9."""
    for module in source.modules():
        label, description = str(module.metadata.get("label", "")), str(module.metadata.get("description", ""))
        if not is_sentence_case(label) or len(label.split()) < 2:
            yield MANIFEST, f"The label of {module.id} is a verb and an item, in sentence case: {label}"
        if not is_third_person(description) or not description.endswith("."):
            yield MANIFEST, f"The description of {module.id} says what it does, in a sentence: Generates an image."
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
        if not (module.metadata.get("label") and module.metadata.get("description")):
            yield MANIFEST, f"{module.id} lacks its label or its description."
        if module.metadata.get("moduleType") != "instant_trigger" and not module.requests:
            yield MANIFEST, f"{module.id} has no communication."
        interface, samples = module.items("interface"), module.code("samples")
        if not interface or not isinstance(samples, dict):
            yield MANIFEST, f"{module.id} lacks its interface or its samples."
            continue
        for message in _samples("", interface, samples):
            yield module.path("samples"), message


def _samples(above: str, interface: list[Mapping[str, Any]], samples: Mapping[str, Any]) -> Iterator[str]:
    """What differs between what a module says that it puts out, and its sample."""
    known = {str(one.get("name")): one for one in interface}
    if known.keys() != samples.keys():
        names = ", ".join(f"{above}{name}" for name in sorted(known.keys() ^ samples.keys()))
        yield f"Interface and samples differ: {names}."
    for name, one in known.items():
        value, kind = samples.get(name), _KINDS.get(str(one.get("type")))
        if value is None or kind is None:
            continue
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            yield f"The sample of {above}{name} is no {one['type']}."
            continue
        inner = objects(one["spec"]) if isinstance(one.get("spec"), list) else []
        for each in (value if isinstance(value, list) else [value]) if inner else ():
            if isinstance(each, dict):
                yield from _samples(f"{above}{name}.", inner, each)


def labels_its_output(source: Source) -> Found:
    """R17."""
    for module in source.modules():
        for one in _with_members(module.items("interface")):
            label = str(one.get("label", ""))
            if not label or not is_sentence_case(label):
                yield module.path("interface"), f"The label of {one.get('name')} is not in sentence case: {label}"


def _with_members(fields: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for one in fields:
        yield one
        if isinstance(spec := one.get("spec"), list):
            yield from _with_members(objects(spec))
