"""Rules for what modules ask for."""

from collections.abc import Iterator
from typing import Any

from aiops_connect.platforms.make.review.modules import is_sentence_case
from aiops_connect.platforms.make.review.source import Part, Source

Found = Iterator[tuple[str, str]]

LABEL_WORDS_MAX = 4
RPC_LIMIT_MAX = 500


def are_in_order(source: Source) -> Found:
    """R16."""
    for module in source.modules():
        path = module.path("mappableParams")
        ranks = [
            0 if one.get("required") else 2 if one.get("advanced") else 1 for one in module.code("mappableParams") or []
        ]
        if ranks != sorted(ranks) and module.metadata.get("moduleType") != "universal":
            yield path, "Required parameters come first, advanced ones last."
        for one in module.all_parameters:
            for message in _parameter(one):
                yield path, f"{one.get('name')}: {message}"


def _parameter(one: dict[str, Any]) -> Iterator[str]:
    label, help_text = str(one.get("label", "")), str(one.get("help", ""))
    if not label or not is_sentence_case(label) or len(label.split()) > LABEL_WORDS_MAX:
        yield f"The label is one to {LABEL_WORDS_MAX} words in sentence case."
    if help_text and not help_text.endswith("."):
        yield "The help does not end with a full stop."
    if "e.g." in help_text:
        yield "The help says e.g.; write For example."
    if one.get("advanced") and one.get("required"):
        yield "What is required is not advanced."
    if one.get("type") == "array" and not one.get("labels", {}).get("add"):
        yield "An array names its button: labels.add."
    semantic = {"filename": "file:name", "buffer": "file:data"}.get(str(one.get("type")))
    if semantic is not None and one.get("semantic") != semantic:
        yield f"Its semantic is {semantic}."
    options = one.get("options")
    if isinstance(options, list) and not all(option.get("label") for option in options):
        yield "Each option has a label."


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


def _can_be_chosen(one: dict[str, Any]) -> bool:
    options = one.get("options")
    store = options.get("store") if isinstance(options, dict) else options
    return one.get("type") == "select" and one.get("mode") == "edit" and str(store).startswith("rpc://")


def _is_limited(request: dict[str, Any]) -> bool:
    limit = request.get("response", {}).get("limit")
    return isinstance(limit, int) and limit <= RPC_LIMIT_MAX


def models_are_readable(source: Source) -> Found:
    """R21."""
    for module in source.modules():
        for one in module.parameters:
            options = one.get("options")
            if one.get("name") != "model" or not isinstance(options, list):
                continue
            if any(option.get("label") == option.get("value") for option in options if "/" in str(option.get("value"))):
                yield module.path("mappableParams"), "A model has a readable label."


def banners_are_short(source: Source) -> Found:
    """R26."""
    for module in source.modules():
        for one in module.all_parameters:
            if one.get("type") == "banner":
                yield from _banner(module, one)


def _banner(module: Part, one: dict[str, Any]) -> Found:
    if one.get("theme") not in ("info", "warning", "danger"):
        yield module.path("mappableParams"), "The theme of a banner is info, warning or danger."
    if not 50 <= len(str(one.get("text", ""))) <= 300:
        yield module.path("mappableParams"), "A banner has 50 to 300 characters."
