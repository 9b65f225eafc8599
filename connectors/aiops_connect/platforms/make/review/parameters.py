"""Rules for what modules ask for."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiops_connect.platforms.make.review.modules import is_sentence_case
from aiops_connect.platforms.make.review.source import Part, Source, directive, items, mapping, objects

Found = Iterator[tuple[str, str]]
Parameter = Mapping[str, Any]

LABEL_WORDS_MAX = 3
RPC_LIMIT_MAX = 500
TYPES = frozenset((
    "any", "array", "boolean", "buffer", "cert", "collection", "color", "date", "email", "filename", "folder", "file",
    "filter", "hidden", "json", "integer", "uinteger", "number", "password", "path", "pkey", "port", "select", "text",
    "time", "timestamp", "timezone", "url", "uuid", "banner", "udt",
))  # fmt: skip
_RAW = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)+")


def are_in_order(source: Source) -> Found:
    """R16."""
    for module in source.modules():
        path = module.path("mappableParams")
        ranks = [
            0 if one.get("required") else 2 if one.get("advanced") else 1 for one in module.items("mappableParams")
        ]
        if ranks != sorted(ranks) and module.metadata.get("moduleType") != "universal":
            yield path, "Required parameters come first, advanced ones last."
        for one in module.all_parameters:
            for message in _parameter(one):
                yield path, f"{one.get('name')}: {message}"


def _parameter(one: Parameter) -> Iterator[str]:
    yield from _told(one)
    yield from _shaped(one)
    if one.get("advanced") and one.get("required"):
        yield "What is required is not advanced."
    spec = one.get("spec")
    for member in objects(items(spec)):
        if member.get("advanced"):
            yield f"{member.get('name')} is inside of another, and not advanced."


def _told(one: Parameter) -> Iterator[str]:
    label, help_text = str(one.get("label", "")), str(one.get("help", ""))
    if not label or not is_sentence_case(label) or len(label.split()) > LABEL_WORDS_MAX:
        yield f"The label is one to {LABEL_WORDS_MAX} words in sentence case, with acronyms in capitals."
    if help_text and not help_text.endswith((".", "!", "?")):
        yield "The help does not end with a full stop."
    if "e.g." in help_text:
        yield "The help says e.g.; write For example."


def _shaped(one: Parameter) -> Iterator[str]:
    type_ = str(one.get("type"))
    if type_ not in TYPES:
        yield f"There is no type {type_}."
    if type_ == "array":
        if not directive(one, "labels", "add"):
            yield "An array names its button: labels.add."
        item = str(mapping(one.get("spec")).get("label", ""))
        if item and item == one.get("label") and item.endswith("s"):
            yield "The label of an item is in the singular."
    if type_ in ("integer", "uinteger", "number") and not mapping(one.get("validate")).keys() & {"min", "max"}:
        yield "A number says what is the least or the most: validate.min, validate.max."
    semantic = {"filename": "file:name", "buffer": "file:data"}.get(type_)
    if semantic is not None and one.get("semantic") != semantic:
        yield f"Its semantic is {semantic}."
    options = one.get("options")
    for option in objects(items(options)):
        label = str(option.get("label", ""))
        if not label or (label == option.get("value") and _RAW.fullmatch(label)):
            yield f"The option {option.get('value')} has a label for people."


def are_mappable(source: Source) -> Found:
    """R18."""
    for module in source.modules("action", "search", "universal"):
        if module.code("staticParams"):
            yield module.path("staticParams"), "Only triggers have static parameters."


def ids_can_be_chosen(source: Source) -> Found:
    """R20."""
    for module in source.modules("action"):
        if module.metadata.get("actionCrud") not in ("read", "update", "delete"):
            continue
        for one in module.parameters:
            name = str(one.get("name"))
            if one.get("required") and (name == "id" or name.endswith(("_id", "Id"))) and not _can_be_chosen(one):
                yield module.path("mappableParams"), f"{name} is a select with an RPC and the mode edit."
    for rpc in source.parts("rpc"):
        if not any(_is_limited(request) for request in rpc.requests):
            yield rpc.path("communication"), f"An RPC has a limit of at most {RPC_LIMIT_MAX}."


def _can_be_chosen(one: Parameter) -> bool:
    options = one.get("options")
    store = options.get("store") if isinstance(options, dict) else options
    return one.get("type") == "select" and one.get("mode") == "edit" and str(store).startswith("rpc://")


def _is_limited(request: Parameter) -> bool:
    limit = directive(request, "response", "limit")
    return isinstance(limit, int) and 0 < limit <= RPC_LIMIT_MAX


def models_are_readable(source: Source) -> Found:
    """R21."""
    for module in source.modules():
        for one in module.parameters:
            options = one.get("options")
            if one.get("name") not in ("model", "model_id", "modelId") or not isinstance(options, list):
                continue
            if any(option.get("label") == option.get("value") for option in objects(options)):
                yield module.path("mappableParams"), "A model has a readable label."


def banners_are_short(source: Source) -> Found:
    """R26."""
    for module in source.modules():
        for one in module.all_parameters:
            if one.get("type") == "banner":
                yield from _banner(module, one)


def _banner(module: Part, one: Parameter) -> Found:
    if one.get("theme") not in ("info", "warning", "danger"):
        yield module.path("mappableParams"), "The theme of a banner is info, warning or danger."
    if not 50 <= len(str(one.get("text", ""))) <= 300:
        yield module.path("mappableParams"), "A banner has 50 to 300 characters."
