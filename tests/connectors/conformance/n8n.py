"""What the rendered n8n node offers, as n8n would read its description."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.connectors.conformance import node
from tests.connectors.conformance.answers import Answer
from tests.connectors.conformance.table import (
    Connector,
    Failure,
    Input,
    Limits,
    Outcome,
    Step,
    limits_in,
    price_in,
    written,
    written_json,
)

_NAMED_BY_N8N = {"resource", "operation", "additionalFields", "updateFields", "filters", "options"}
Property = dict[str, Any]


def read(folder: Path, answers: list[Answer]) -> Connector:
    """The connector in a folder, and what it makes of answers."""
    told = node.run("n8n.mjs", folder, [[one.operation, one.status, one.body] for one in answers])
    steps = {}
    for key, operation in told["operations"].items():
        if "." in key and not operation.get("isWaiting"):
            steps[operation["id"]] = _step(told, key, operation)
    failures: dict[str, dict[int, Failure]] = {}
    for one, outcome in zip(answers, told["outcomes"], strict=True):
        becomes: Outcome = "is tried again" if outcome["calls"] > 1 else "stops"
        failures.setdefault(one.operation, {})[one.status] = Failure(becomes, one.untold(outcome["message"]))
    return Connector(steps, frozenset(event["value"] for event in told["events"]), failures)


def _step(told: dict[str, Any], key: str, operation: dict[str, Any]) -> Step:
    resource, _, value = key.partition(".")
    shown = [one for one in told["properties"] if _is_shown(one, resource, value)]
    by_name = {(None, one["name"]): one for one in shown}
    for one in shown:
        if one["type"] == "collection":
            by_name |= {(one["name"], inner["name"]): inner for inner in one["options"]}
    inputs: dict[str, Input] = {}
    used = set()
    for one in operation["inputs"]:
        if "parameter" in one:
            place = (one.get("collection"), one["parameter"])
            used |= {place, *((None, one["shape"].get(name)) for name in ("source", "data"))}
            inputs |= dict(_inputs(one["id"], by_name[place], one["shape"], told["lists"]))
    own = {name for _, name in by_name.keys() - used} - _NAMED_BY_N8N
    [selector] = [one for one in told["properties"] if one["name"] == "operation" and _is_shown(one, resource, value)]
    [option] = [one for one in selector["options"] if one["value"] == value]
    return Step(inputs, price_in(option.get("description", "")), "idempotency" in operation, frozenset(own))


def _is_shown(one: Property, resource: str, operation: str) -> bool:
    show = one.get("displayOptions", {}).get("show", {})
    return resource in show.get("resource", [resource]) and operation in show.get("operation", [operation])


def _inputs(name: str, one: Property, shape: Property, lists: dict[str, Any]) -> Iterator[tuple[str, Input]]:
    is_whole = one["type"] == "json" or shape["kind"] == "file"
    required = bool(one.get("required")) or (one["type"] == "boolean" and "displayOptions" in one)
    choices, is_loose = frozenset(_choices(one, shape, lists)), shape["kind"] == "union"
    made = Input(required, _default(one), choices, _limits(one), is_whole, is_loose)
    yield name, made
    if shape["kind"] != "group":
        return
    required, optional = _members(one)
    for member in shape["members"]:
        inner = required.get(member["parameter"]) or optional[member["parameter"]]
        is_required = member["parameter"] in required
        for path, found in _inputs(f"{name}/{member['name']}", inner, member["shape"], lists):
            yield path, replace(found, required=is_required) if path.count("/") == name.count("/") + 1 else found


def _members(one: Property) -> tuple[dict[str, Property], dict[str, Property]]:
    """The parameters of a group: those that are always there, and those that are added."""
    if one["type"] == "collection":
        return {}, {inner["name"]: inner for inner in one["options"]}
    values = {inner["name"]: inner for inner in one["options"][0]["values"]}
    added = values.pop("additionalFields", None)
    return values, {inner["name"]: inner for inner in added["options"]} if added else {}


def _default(one: Property) -> str | None:
    value: Any = one.get("default")
    match one["type"]:
        case "json":
            return written_json(value)
        case "resourceLocator":
            return written(value["value"])
    return written(value)


def _choices(one: Property, shape: Property, lists: dict[str, Any]) -> Iterator[str]:
    prefix = shape.get("prefix", shape.get("item", {}).get("prefix", ""))
    match one["type"]:
        case "options" | "multiOptions":
            yield from (str(written(option["value"])).removeprefix(prefix) for option in one["options"])
        case "resourceLocator":
            method = one["modes"][0]["typeOptions"]["searchListMethod"]
            yield from (str(written(value)) for value in lists[method] or [])


def _limits(one: Property) -> Limits:
    """Those that n8n checks, or else those that the help tells of."""
    options = one.get("typeOptions", {})
    if "minValue" in options or "maxValue" in options:
        return Limits(options.get("minValue"), options.get("maxValue"))
    return limits_in(one.get("description", ""))
