"""What Make hands to a component, as the variables that its expressions can name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from aiops_connect.platforms.make.runner.app import App, Component, ComponentKind
from aiops_connect.platforms.make.runner.clock import Clock
from aiops_connect.platforms.make.runner.errors import InputError, InputProblem
from aiops_connect.platforms.make.runner.iml.values import Value
from aiops_connect.platforms.make.runner.limits import Limits
from aiops_connect.platforms.make.runner.parameters import prepare
from aiops_connect.platforms.make.runner.webhooks import Payload

PARAMETER_CODES: dict[ComponentKind, tuple[str, ...]] = {
    "module": ("staticParams", "mappableParams"),
    "endpoint": ("inputParameters",),
}
STORED_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")  # as JSON has a date of JavaScript
SECRET_TYPES = ("password", "pkey", "cert")
REDIRECT_URL = "https://www.make.com/oauth/cb/app"
REDIRECTS = ("localRedirectUri", "makeRedirectUri", "redirectUri")
SECRET_NAMES = ("accessToken", "refreshToken")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The values that Make would hand to the component.

    `data` is what it stored at an earlier run, `webhook` the data of its webhook with `url`.
    """

    parameters: Mapping[str, Value] = field(default_factory=dict)
    connection: Mapping[str, Value] = field(default_factory=dict)
    data: Mapping[str, Value] = field(default_factory=dict)
    webhook: Mapping[str, Value] = field(default_factory=dict)
    payload: Payload | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run: on which clock, in which zone of the scenario, against which server instead of the app's own.

    Each run is an execution of its own, unless it repeats that of `execution_id`.
    """

    clock: Clock
    timezone: str = "UTC"
    base_url: str | None = None
    limits: Limits = field(default_factory=Limits)
    execution_id: str = field(default_factory=lambda: uuid4().hex)


def prepare_variables(
    app: App, component: Component, inputs: Inputs, settings: Settings, *, checked: bool
) -> dict[str, Value]:
    """What every expression of the component can name; the parameters converted, unless they were at an earlier run.

    :raises InputError: for values that Make would not let in
    """
    zone = ZoneInfo(settings.timezone)
    expected = list(specifications(app, component))
    parameters = prepare(expected, inputs.parameters, zone) if checked else dict(inputs.parameters)
    connection = _connection(app, component, inputs, zone)
    common = app.common()
    if component.kind == "connection" and (own := app.code(component, "common")) is not None:
        common |= {name: block.value for name, block in own.members().items()}
    interface = app.code(component, "interface")
    return {
        "parameters": connection if component.kind == "connection" else parameters,
        "connection": connection,
        "common": common,
        "data": connection if component.kind == "connection" else dict(inputs.data),
        "oauth": _oauth(app, component),
        "webhook": dict(inputs.webhook),
        "temp": {},
        "environment": {"timezone": settings.timezone},
        "scenario": {},
        "executionId": settings.execution_id,
        "metadata": {"expect": expected, "interface": interface.value if interface else []},
    }


def _oauth(app: App, component: Component) -> dict[str, Value]:
    """What Make knows of an authorization; the scopes are those that the connection asks for by default."""
    default = app.code(component, "defaultScope") if component.kind == "connection" else None
    return {"scope": default.value if default is not None else [], **dict.fromkeys(REDIRECTS, REDIRECT_URL)}


def specifications(app: App, component: Component) -> Iterator[Any]:
    """The parameters that a component takes.

    :raises AppError: for a file that holds no array
    """
    for code in PARAMETER_CODES.get(component.kind, ("params",)):
        block = app.code(component, code)
        if block is not None and not isinstance(block.value, list):
            raise block.error("The parameters are an array.")
        yield from block.value if block else ()


def _connection_of(app: App, component: Component) -> Component | None:
    """The connection that the component names, or its webhook does."""
    if component.kind == "connection":
        return component
    names: list[str] = [name for key in ("connection", "altConnection") if (name := component.metadata.get(key))]
    names += component.metadata.get("attachedAccounts") or []
    if names:
        return app.component("connection", names[0])
    webhook = component.metadata.get("webhook")
    return _connection_of(app, app.component("webhook", webhook)) if webhook else None


def _connection(app: App, component: Component, inputs: Inputs, zone: ZoneInfo) -> dict[str, Value]:
    """The connection's values: its parameters, and whatever else it stored, of which OAuth has the tokens only. A time
    that was stored is one again, as the refresh of a token in Make's documentation compares it."""
    named = _connection_of(app, component)
    if named is None or named.metadata.get("connectionType") == "oauth":
        return {name: _revived(value) for name, value in inputs.connection.items()}
    expected = list(specifications(app, named))
    declared = {spec["name"] for spec in expected if isinstance(spec, dict) and "name" in spec}
    given = {name: value for name, value in inputs.connection.items() if name in declared}
    try:
        return {**inputs.connection, **prepare(expected, given, zone)}
    except InputError as error:
        problems = [InputProblem(f"connection.{problem.name}", problem.message) for problem in error.problems]
        raise InputError(problems) from None


def _revived(value: Value) -> Value:
    return datetime.fromisoformat(value) if isinstance(value, str) and STORED_TIME.fullmatch(value) else value


def secrets(app: App, component: Component, connection: Mapping[str, Value]) -> dict[str, str]:
    """The values of the connection that nobody may see, by their names."""
    named = _connection_of(app, component)
    names = set(SECRET_NAMES)
    for spec in specifications(app, named) if named else ():
        if isinstance(spec, dict) and spec.get("type") in SECRET_TYPES:
            names.add(str(spec.get("name")))
    return {name: value for name, value in connection.items() if name in names and isinstance(value, str)}
