"""Rules for requests."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiops_connect.platforms.make.review.expressions import expressions, paths
from aiops_connect.platforms.make.review.source import Part, Source, directive, mapping
from aiops_connect.platforms.make.runner.iml.syntax import Call

Found = Iterator[tuple[str, str]]

PAGING = frozenset(("page", "offset", "cursor", "page_token", "after", "skip"))
REPEATS_MAX = 1000
EPOCH_LIMIT_MAX = 300
_IN_PATH = re.compile(r"\{\{(.+?)\}\}")


def actions_give_one_bundle(source: Source) -> Found:
    """R12."""
    for module in source.modules("action"):
        for request in module.requests:
            if "pagination" in request or "iterate" in mapping(request.get("response")):
                yield module.path("communication"), "An action neither iterates nor pages."


def searches_are_limited(source: Source) -> Found:
    """R13."""
    for module in source.modules("search"):
        request = module.requests[-1] if module.requests else {}
        response = mapping(request.get("response"))
        limits = [one for one in module.parameters if response.get("limit") == f"{{{{parameters.{one.get('name')}}}}}"]
        if "iterate" not in response or not limits:
            yield module.path("communication"), "A search iterates, up to {{parameters.limit}}."
        yield from _limit(module, limits[0] if limits else {})
        sent = [request.get("qs"), request.get("body")]
        if limits and ("parameters", str(limits[0].get("name"))) in set(paths(sent)):
            yield module.path("communication"), "The limit is Make's; ask the API for its largest pages."
        for name in (str(one.get("name")) for one in module.parameters):
            if name in PAGING:
                yield module.path("mappableParams"), f"Make pages by itself; do not ask for {name}."


def _limit(module: Part, limit: Mapping[str, Any]) -> Found:
    path = module.path("mappableParams")
    wanted = {"type": "uinteger", "default": 10}
    if {name: limit.get(name) for name in wanted} != wanted or limit.get("required") or limit.get("advanced"):
        yield path, "The limit is a uinteger, 10 by default, and optional."
    plain = [one for one in module.parameters if not one.get("advanced")]
    if plain and plain[-1] is not limit:
        yield path, "The limit comes after all others that are not advanced."


def addresses_are_plain(source: Source) -> Found:
    """R14."""
    for module in source.modules("action", "search", "trigger"):
        for request in module.requests:
            url = request.get("url")
            if not isinstance(url, str) or url.startswith("{{temp."):
                continue
            if not url.startswith(("/", "https://")):
                yield module.path("communication"), f"The URL {url} does not begin with a slash."
            if "?" in url:
                yield module.path("communication"), f"The query of {url} belongs into qs."
            if any(not inner.startswith("encodeURL(") for inner in _IN_PATH.findall(url)):
                yield module.path("communication"), f"What is put into {url} has to be encoded by encodeURL."


def nothing_found_is_an_error(source: Source) -> Found:
    """R19."""
    for module in source.modules("action"):
        if module.metadata.get("actionCrud") != "read":
            continue
        for request in module.requests:
            response = mapping(request.get("response"))
            nodes = list(expressions(response.get("output")))
            takes_first = any(isinstance(node, Call) and node.name in ("first", "last", "get") for node in nodes)
            if takes_first and "valid" not in response:
                yield module.path("communication"), "Where the first result is taken, valid says when there is none."


def repeats_are_bounded(source: Source) -> Found:
    """R22."""
    for module in source.modules():
        for request in module.requests:
            if "repeat" not in request:
                continue
            limit = directive(request, "repeat", "limit")
            is_bounded = isinstance(limit, int) and 0 < limit <= REPEATS_MAX
            if not directive(request, "repeat", "condition") or not is_bounded:
                yield module.path("communication"), f"A repeat has a condition, and a limit of at most {REPEATS_MAX}."


def polling_is_bounded(source: Source) -> Found:
    """R27."""
    for module in source.modules("trigger"):
        trigger = mapping(directive(module.requests[-1] if module.requests else {}, "response", "trigger"))
        key = {"id": "id", "date": "date"}.get(str(trigger.get("type")), "id")
        if not trigger.get(key) or trigger.get("order") != "desc":
            yield module.path("communication"), "A polling trigger goes by an id, or a date, the newest first."
        response = mapping(directive({"it": module.code("epoch")}, "it", "response"))
        if not isinstance(response.get("limit"), int) or response["limit"] > EPOCH_LIMIT_MAX:
            yield module.path("epoch"), f"The epoch has a limit of at most {EPOCH_LIMIT_MAX}."
        if not {"label", "date"} <= mapping(response.get("output")).keys():
            yield module.path("epoch"), "The epoch puts out a label and a date."
