"""What the rendered Make app offers, as Make would read its files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.make.runner import InstantClock, MakeError, Settings, Target, Trace, load_app, run
from aiops_connect.platforms.make.runner.inputs import Inputs
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
from tests.connectors.platforms.make import entered
from tests.connectors.platforms.make.runner import service

_OUTCOMES: dict[str, Outcome] = {
    "DataError": "stops",
    "RuntimeError": "stops",
    "RateLimitError": "is tried again",
    "ConnectionError": "is tried again",
    "InvalidAccessTokenError": "asks to connect again",
}
_STEPS = ("action", "search")
Parameter = dict[str, Any]


class _Refusing(service.Service):
    """Answers everything with one answer."""

    said = service.Answer("")

    def answer(self, request: service.Received) -> service.Answer:
        return self.said


def read(folder: Path, app: ir.App, answers: list[Answer]) -> Connector:
    """The connector in a folder, and what it makes of answers."""
    manifest = _json(folder, "makecomapp.json")["components"]
    modules = {name: one for name, one in manifest["module"].items() if one["moduleType"] in _STEPS}
    by_operation = dict(zip((one.id for one in app.operations), modules, strict=True))
    steps = {
        operation.id: _step(folder, app, operation, modules[by_operation[operation.id]]) for operation in app.operations
    }
    failures = _failures(folder, app, by_operation, _connection(folder, manifest), answers)
    return Connector(steps, frozenset(_events(folder, manifest)), failures)


def _json(folder: Path, path: str) -> Any:
    return json.loads((folder / path).read_text())


def _step(folder: Path, app: ir.App, operation: ir.Operation, module: dict[str, Any]) -> Step:
    codes = module["codeFiles"]
    communication = _json(folder, codes["communication"])
    requests = [one for one in (communication if isinstance(communication, list) else [communication]) if "url" in one]
    [method] = [one["method"] for one in requests if "condition" not in one]
    assert method == operation.method, operation.id
    parameters = _json(folder, codes["mappableParams"])
    inputs: dict[str, Input] = {}
    used: set[str] = set()
    for field in app.asked(operation):
        found = _parameter(parameters, field)
        if found is not None:
            used |= _names(field)
            inputs |= dict(_inputs(field.id, found))
    own = {one["name"] for one in parameters} - used
    key = operation.input(operation.idempotency).name.lower() if operation.idempotency is not None else ""
    sent = str([one.get("headers", {}).get(key) for one in requests])
    is_once = "parameters." in sent and "executionId" in sent
    return Step(inputs, price_in(module["description"]), is_once, frozenset(own))


def _names(field: ir.Field) -> set[str]:
    return {field.id, f"{field.id}_source", f"{field.id}_data", f"{field.id}_file_name"}


def _parameter(parameters: list[Parameter], field: ir.Field) -> Parameter | None:
    """The one by which the value is entered, which may stand among those that an option brings along."""
    known = {one["name"]: one for one in parameters}
    for one in parameters:
        options = one.get("options")
        for option in options if isinstance(options, list) else []:
            known |= {inner["name"]: inner for inner in option.get("nested", [])}
    return known.get(field.id) or known.get(f"{field.id}_data")


def _inputs(name: str, one: Parameter) -> Iterator[tuple[str, Input]]:
    options = one.get("options")
    choices = [str(written(each["value"])) for each in options] if isinstance(options, list) else []
    given = one.get("default")
    default = written_json(given or "") if one["type"] == "json" else written(given)
    is_whole = one["type"] in ("json", "buffer", "any")
    spec = one.get("spec", [])
    inner = spec if isinstance(spec, list) else [spec]
    for item in inner if isinstance(spec, dict) else []:
        choices += [str(written(each["value"])) for each in item.get("options", [])]
    yield name, Input(bool(one.get("required")), default, frozenset(choices), _limits(one), is_whole)
    for member in inner if isinstance(spec, list) else []:
        yield from _inputs(f"{name}/{member['name']}", member)


def _limits(one: Parameter) -> Limits:
    """Those that Make checks, or else those that the help tells of."""
    rules = one.get("validate")
    if rules is None:
        return limits_in(one.get("help", ""))
    is_list = one["type"] == "array" or one.get("multiple")
    least, most = (rules.get(f"{bound}Items" if is_list else bound) for bound in ("min", "max"))
    is_countable = one["type"] in ("integer", "uinteger", "number")
    return Limits(least if is_countable or least != 1 else None, most)


def _events(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Those that the webhooks ask for, by choice or always."""
    for webhook in manifest["webhook"].values():
        parameters = _json(folder, webhook["codeFiles"]["params"])
        chosen = [option["value"] for one in parameters for option in one["options"]]
        yield from chosen or _json(folder, webhook["codeFiles"]["attach"]).get("body", {}).get("events", [])


def _connection(folder: Path, manifest: dict[str, Any]) -> dict[str, str]:
    parameters = [one for each in manifest["connection"].values() for one in _json(folder, each["codeFiles"]["params"])]
    return {one["name"]: "secret" for one in parameters}


def _failures(
    folder: Path, app: ir.App, modules: dict[str, str], connection: dict[str, str], answers: list[Answer]
) -> dict[str, dict[int, Failure]]:
    loaded = load_app(folder)
    found: dict[str, dict[int, Failure]] = {}
    refusing = _Refusing()
    with service.serving(refusing):
        for one in answers:
            refusing.said = service.Answer("", one.body, one.status)
            parameters = entered.parameters(app.operation(one.operation))
            inputs = Inputs(connection=connection, parameters=parameters)
            settings = Settings(InstantClock(), base_url=refusing.url)
            try:
                run(loaded, Target.parse(modules[one.operation]), inputs, settings, Trace())
            except MakeError as error:
                failure = Failure(_OUTCOMES[error.type], one.untold(error.message))
                found.setdefault(one.operation, {})[one.status] = failure
    return found
