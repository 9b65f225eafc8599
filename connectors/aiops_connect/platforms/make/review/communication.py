"""Rules for requests and expressions."""

import re
from collections.abc import Iterator
from typing import Any

from aiops_connect.platforms.make.review.source import Part, Source, texts
from aiops_connect.platforms.make.runner.iml.context import KEYWORDS
from aiops_connect.platforms.make.runner.iml.errors import ImlError
from aiops_connect.platforms.make.runner.iml.functions.registry import FUNCTIONS
from aiops_connect.platforms.make.runner.iml.syntax import (
    Binary,
    Call,
    Index,
    Node,
    Path,
    Property,
    Segment,
    Unary,
)
from aiops_connect.platforms.make.runner.iml.template import SPREAD, parse

Found = Iterator[tuple[str, str]]

PAGING = frozenset(("page", "offset", "cursor", "page_token", "after", "skip"))
REPEATS_MAX = 1000
EPOCH_LIMIT_MAX = 300
VARIABLES = frozenset(KEYWORDS) | frozenset((
    "parameters", "connection", "common", "temp", "body", "headers", "statusCode", "item", "iterate", "pagination",
    "data", "webhook", "payload", "query", "method", "environment", "scenario", "executionId", "oauth", "output",
    "metadata", "now", "timestamp", "uuid", "random", "emptyarray",
))  # fmt: skip
_IN_PATH = re.compile(r"\{\{(.+?)\}\}")


def actions_give_one_bundle(source: Source) -> Found:
    """R12."""
    for module in source.modules("action"):
        for request in module.requests:
            if "pagination" in request or "iterate" in request.get("response", {}):
                yield module.path("communication"), "An action neither iterates nor pages."


def searches_are_limited(source: Source) -> Found:
    """R13."""
    for module in source.modules("search"):
        response = module.requests[-1].get("response", {}) if module.requests else {}
        if "iterate" not in response or response.get("limit") != "{{parameters.limit}}":
            yield module.path("communication"), "A search iterates, up to {{parameters.limit}}."
        wanted = {"type": "uinteger", "default": 10}
        limit = next((one for one in module.parameters if one.get("name") == "limit"), {})
        if {name: limit.get(name) for name in wanted} != wanted or limit.get("required") or limit.get("advanced"):
            yield (
                module.path("mappableParams"),
                "The limit is a uinteger, 10 by default, and optional.",
            )
        if found := [one["name"] for one in module.parameters if one.get("name") in PAGING]:
            yield module.path("mappableParams"), f"Make pages by itself; do not ask for {found[0]}."


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
            if any("encodeURL(" not in inner for inner in _IN_PATH.findall(url)):
                yield module.path("communication"), f"What is put into {url} has to be encoded by encodeURL."


def dates_are_formatted(source: Source) -> Found:
    """R15."""
    for module in source.modules("action", "search"):
        dates = {one["name"] for one in module.parameters if one.get("type") == "date"}
        for request in module.requests:
            sent = " ".join(texts([request.get("qs"), request.get("body")]))
            if any(f"parameters.{name}" in sent and f"formatDate(parameters.{name}," not in sent for name in dates):
                yield module.path("communication"), "A date is formatted by formatDate."


def nothing_found_is_an_error(source: Source) -> Found:
    """R19."""
    for module in source.modules("action"):
        if module.metadata.get("actionCrud") != "read":
            continue
        for request in module.requests:
            response = request.get("response", {})
            if "first(" in str(response.get("output")) and "valid" not in response:
                yield (
                    module.path("communication"),
                    "Where the first result is taken, valid says when there is none.",
                )


def repeats_are_bounded(source: Source) -> Found:
    """R22."""
    for module in source.modules():
        for request in module.requests:
            repeat = request.get("repeat")
            if repeat is None:
                continue
            if not repeat.get("condition") or not 0 < repeat.get("limit", 0) <= REPEATS_MAX:
                yield module.path("communication"), f"A repeat has a condition, and a limit of at most {REPEATS_MAX}."


def expressions_are_valid(source: Source) -> Found:
    """R25."""
    for path, content in source.files.items():
        for text in texts(content):
            if text == SPREAD or "{{" not in text:
                continue
            try:
                template = parse(text)
            except ImlError as error:
                yield path, f"{text[:60]}: {error.message}"
                continue
            for expression in template.expressions:
                for message in _mistakes(expression.node):
                    yield path, f"{text[:60]}: {message}"


def _mistakes(node: Node) -> Iterator[str]:
    match node:
        case Call(name=name, arguments=arguments):
            if name not in FUNCTIONS:
                yield f"Make has no function {name}()."
            for one in arguments:
                yield from _mistakes(one)
        case Unary(operand=operand):
            yield from _mistakes(operand)
        case Binary(left=left, right=right):
            yield from _mistakes(left)
            yield from _mistakes(right)
        case Path(segments=segments):
            first = segments[0]
            if isinstance(first, Property) and first.name not in VARIABLES:
                yield f"Make has no variable {first.name}."
            for segment in segments:
                yield from _mistakes_of_index(segment)


def _mistakes_of_index(segment: Segment) -> Iterator[str]:
    match segment:
        case Index(position=0):
            yield "Positions are counted from 1; [0] is nothing."
        case Index(position=position) if not isinstance(position, int):
            yield from _mistakes(position)


def polling_is_bounded(source: Source) -> Found:
    """R27."""
    for module in source.modules("trigger"):
        trigger = _trigger(module)
        if not trigger.get("id") or not trigger.get("order"):
            yield module.path("communication"), "A polling trigger goes by an id, or a date, in an order."
        epoch = module.code("epoch") or {}
        response = epoch.get("response", {}) if isinstance(epoch, dict) else {}
        if not isinstance(response.get("limit"), int) or response["limit"] > EPOCH_LIMIT_MAX:
            yield module.path("epoch"), f"The epoch has a limit of at most {EPOCH_LIMIT_MAX}."
        if not {"label", "date"} <= set(response.get("output", {})):
            yield module.path("epoch"), "The epoch puts out a label and a date."


def _trigger(module: Part) -> dict[str, Any]:
    found: dict[str, Any] = module.requests[-1].get("response", {}).get("trigger", {}) if module.requests else {}
    return found
