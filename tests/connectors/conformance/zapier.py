"""What the rendered Zapier app offers, as Zapier would read its definition."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiops_connect import ir
from tests.connectors.conformance import node
from tests.connectors.conformance.answers import Answer
from tests.connectors.conformance.table import (
    Connector,
    Failure,
    Input,
    Limits,
    Outcome,
    Step,
    price_in,
    written,
)
from tests.connectors.platforms.zapier.entries import entries

_OUTCOMES: dict[str, Outcome] = {
    "success": "is not called yet",
    "nothing": "finds nothing",
    "HaltedError": "stops",
    "Error": "stops",
    "ThrottledError": "is tried again",
    "ExpiredAuthError": "asks to connect again",
}
Node = dict[str, Any]


def read(folder: Path, app: ir.App, answers: list[Answer]) -> Connector:
    """The connector in a folder, and what it makes of answers."""
    known = {(one.method, one.path): one.id for one in app.operations}
    told = node.run("zapier.mjs", folder, [])
    steps, places = {}, {}
    for kind in ("creates", "searches"):
        for key, step in told["definition"][kind].items():
            plan = told["plans"][kind][key]
            name = known[plan["call"]["method"], plan["call"]["path"]]
            steps[name], places[name] = _step(app.operation(name), step, plan), (kind, key)
    asked = [one for one in answers if one.operation in steps]
    tries = [
        [*places[one.operation], _entries(app, told, *places[one.operation]), one.status, one.body] for one in asked
    ]
    outcomes = node.run("zapier.mjs", folder, tries)["outcomes"]
    failures: dict[str, dict[int, Failure]] = {}
    for one, outcome in zip(asked, outcomes, strict=True):
        failure = Failure(_OUTCOMES[outcome["kind"]], one.untold(outcome["message"]))
        failures.setdefault(one.operation, {})[one.status] = failure
    events = {event for plan in told["plans"]["triggers"].values() for event in plan.get("events", [])}
    return Connector(steps, frozenset(events), failures)


def _entries(app: ir.App, told: dict[str, Any], kind: str, key: str) -> dict[str, Any]:
    """What a person enters in the fields that have to be filled in; files as they come from another step."""
    call = told["plans"][kind][key]["call"]
    [operation] = [one for one in app.operations if (one.method, one.path) == (call["method"], call["path"])]
    return entries(operation, call["inputs"], "a file", only_required=True)


def _step(operation: ir.Operation, step: dict[str, Any], plan: dict[str, Any]) -> Step:
    shown = {one["key"]: one for one in _with_children(step["operation"].get("inputFields", []))}
    ids = {(one.location.value, one.name): one.id for one in operation.inputs}
    inputs: dict[str, Input] = {}
    used: set[str] = set()
    for one in plan["call"]["inputs"]:
        inputs |= dict(_inputs(ids[one["in"], one["name"]], one, shown, used))
    if "idempotency" in plan:
        used.add("deduplication_key")
        inputs[plan["idempotency"]] = Input()
    price = price_in(step["display"]["description"])
    return Step(inputs, price, "idempotency" in plan, frozenset(shown.keys() - used))


def _with_children(fields: list[Node]) -> Iterator[Node]:
    for one in fields:
        yield one
        yield from one.get("children", [])


def _inputs(name: str, one: Node, shown: dict[str, Node], used: set[str]) -> Iterator[tuple[str, Input]]:
    if one["type"] == "constant":
        return
    members = one.get("fields", [])
    if one["type"] == "group":
        yield name, Input(required=bool(one.get("required")))
    else:
        used.add(one["key"])
        yield name, _input(one, shown[one["key"]])
    for member in members:
        yield from _inputs(f"{name}/{member['name']}", member, shown, used)


def _input(one: Node, shown: Node) -> Input:
    choices = frozenset(str(choice["value"]) for choice in shown.get("choices", []))
    names = ("lengthMin", "minimum", "itemsMin"), ("lengthMax", "maximum", "itemsMax")
    least, most = (next((one[name] for name in group if name in one), None) for group in names)
    is_countable = "minimum" in one or "maximum" in one
    limits = Limits(least if is_countable or least != 1 else None, most)
    is_whole = one["type"] in ("json", "file", "dict")
    is_loose = one["type"] in ("list", "one-or-list", "rows")
    return Input(bool(one.get("required")), written(shown.get("default")), choices, limits, is_whole, is_loose)
