"""The connections: which there are, how each is tested, and what is sent of them all.

Make has as many connections in an app as it needs. There is one for the way in that opens the most operations, and one
more for each way that some operation cannot do without.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.make import credentials, errors, iml, naming, oauth, requests
from aiops_connect.platforms.make.addresses import Addresses
from aiops_connect.platforms.make.components import Component
from aiops_connect.platforms.make.credentials import Credentials
from aiops_connect.platforms.make.runner.iml.syntax import Node
from aiops_connect.problem import Problem
from aiops_connect.publisher import Publisher

ID, OAUTH_ID = "apiKey", "oauth"
WHERE = "#/components/securitySchemes"
_ROOTS = ("parameters", "connection")
_ID_LENGTH_MAX = 30


@dataclass(frozen=True, slots=True)
class Connection:
    """One of them. `asked` is for its own requests, `used` for those of modules."""

    id: str
    schemes: tuple[str, ...]
    label: str
    asked: Credentials
    used: Credentials

    def opens(self, operation: ir.Operation) -> bool:
        return _opens(self.schemes, operation)


@dataclass(frozen=True, slots=True)
class Connections:
    """Those of an app, the one that opens the most operations first; none where nothing is asked for."""

    all: tuple[Connection, ...]

    def of(self, operation: ir.Operation) -> Connection | None:
        return next((one for one in self.all if one.opens(operation)), None)

    def used(self, operation: ir.Operation | None) -> dict[str, str | None]:
        """The connection of a component, as the manifest has it; of one without an operation any two."""
        if operation is not None:
            found = self.of(operation)
            return {"connection": found.id if found is not None else None, "altConnection": None}
        first, second, *_ = [*(one.id for one in self.all), None, None]
        return {"connection": first, "altConnection": second}

    def carried(self, operation: ir.Operation) -> Credentials:
        """What a request carries that inherits nothing."""
        found = self.of(operation)
        return found.used if found is not None else Credentials("connection")

    def scopes(self, operation: ir.Operation) -> list[str]:
        """What a token has to be allowed for the operation."""
        found = self.of(operation)
        if found is None or found.used.flow is None:
            return []
        uses = [use for requirement in operation.security for use in requirement.uses if use.scheme in found.schemes]
        return list(dict.fromkeys(scope for use in uses for scope in use.scopes))

    def together(self) -> Credentials:
        """What every request carries, whichever connection it has: what is not set, is not sent."""
        if len(self.all) == 1:
            return self.all[0].used
        merged = Credentials("connection")
        for one in (each.used for each in self.all):
            merged.parameters += one.parameters
            merged.cookies += [_if_used(one, cookie, iml.variable("emptystring")) for cookie in one.cookies]
            for into, values in ((merged.headers, one.headers), (merged.query, one.query)):
                for name, value in values.items():
                    into[name] = _if_used(one, value, into.get(name, iml.UNDEFINED))
        return merged


def connections(app: ir.App) -> Connections:
    """Those that an app needs."""
    found: list[Connection] = []
    taken: tuple[set[str], set[str]] = (set(), set())
    for schemes in _needed(app):
        asked, used = (credentials.of(schemes, root, names) for root, names in zip(_ROOTS, taken, strict=True))
        if not asked.parameters:
            continue
        first = OAUTH_ID if asked.flow is not None else ID
        others = {one.id.casefold() for one in found}
        id_ = naming.component_id(schemes[0].id[:_ID_LENGTH_MAX], others) if found else first
        names = tuple(scheme.id for scheme in schemes)
        found.append(Connection(id_, names, schemes[0].label, asked, used))
    return Connections(tuple(found))


def _needed(app: ir.App) -> Iterator[list[ir.SecurityScheme]]:
    if app.connection is None:
        return
    known = {scheme.id: scheme for scheme in app.connection.schemes}
    usable = [one for one in app.connection.alternatives if not _problems(known, one)]
    chosen = usable[:1]
    for operation in (*app.operations, *app.internal):
        if not any(_opens(one, operation) for one in chosen):
            chosen += [one for one in usable if _opens(one, operation)][:1]
    yield from ([known[name] for name in one] for one in chosen)


def _opens(schemes: Iterable[str], operation: ir.Operation) -> bool:
    needed = [{use.scheme for use in requirement.uses} for requirement in operation.security]
    return not needed or any(one <= set(schemes) for one in needed)


def _problems(known: dict[str, ir.SecurityScheme], schemes: Iterable[str]) -> list[str]:
    return credentials.of([known[name] for name in schemes], "parameters").problems


def problems(app: ir.App, found: Connections) -> list[Problem]:
    """Why there is no connection, or an operation has none."""
    if app.connection is None:
        return []
    known = {scheme.id: scheme for scheme in app.connection.schemes}
    if not found.all:
        return [Problem(WHERE, message) for one in app.connection.alternatives for message in _problems(known, one)][:1]
    return [
        Problem(operation.source, f"{operation.id} needs credentials for which Make has no connection. Exclude it.")
        for operation in app.operations
        if found.of(operation) is None
    ]


def _if_used(one: Credentials, value: Node, otherwise: Node) -> Node:
    return iml.call("if", one.proof, value, otherwise)


def components(
    app: ir.App, known: Connections, publisher: Publisher, addresses: Addresses
) -> tuple[list[Component], list[Problem]]:
    """The connections as components, and what keeps them from being tested."""
    found, untested = [], problems(app, known)
    check = app.operation(app.connection.check) if app.connection is not None and app.connection.check else None
    if known.all and check is not None and (needed := [one.id for one in check.inputs if one.required]):
        message = f"{check.id} cannot test a connection: it needs {needed[0]}. Mark another one: x-connector-check."
        untested.append(Problem(check.source, message))
        check = None
    for one in known.all:
        name = publisher.title if len(known.all) == 1 else f"{publisher.title} ({one.label})"
        made = _component(app, one, name, check if check is not None and one.opens(check) else None, addresses)
        found.append(replace(made, codes={**made.codes, "params": _with_link(one.asked.parameters, publisher)}))
    return found, untested


def _with_link(parameters: list[dict[str, Any]], publisher: Publisher) -> list[dict[str, Any]]:
    """Secrets with a link to where they are found."""
    if not publisher.homepage.startswith("https://"):
        return parameters
    link = f" Find it in [your account]({publisher.homepage})."
    return [{**one, "help": one["help"] + link} if one["type"] == "password" else one for one in parameters]


def _component(app: ir.App, one: Connection, label: str, check: ir.Operation | None, addresses: Addresses) -> Component:
    account = app.connection.account_label if app.connection is not None else None
    carried = one.asked
    test = _tested(check, account, carried, addresses) if check is not None else None
    codes: dict[str, Any] = {"communication": test or {}, "params": carried.parameters, "common": {}}
    kind = "basic"
    if carried.flow is not None:
        kind = "oauth"
        allowed = oauth.scopes(carried.flow)
        codes["communication"] = oauth.sections(carried.flow, carried, test)
        codes |= {"scopeList": allowed, "defaultScope": list(allowed)}
    return Component("connection", one.id, {"label": naming.label(label), "connectionType": kind}, codes)


def _tested(
    check: ir.Operation, account: ir.Pointer | None, asked: Credentials, addresses: Addresses
) -> requests.Directives:
    """The call that tests a connection, and names it. It inherits nothing from the base."""
    called = requests.request(check, {}, addresses.of(check))
    merged = {name: {**called.get(name, {}), **asked.sent.get(name, {})} for name in ("headers", "qs")}
    metadata = {}
    if account is not None:
        name = iml.whole(iml.below(iml.variable("body"), account))
        metadata = {"metadata": {"type": _metadata_type(check, account), "value": name}}
    return {
        **called,
        **{name: content for name, content in merged.items() if content},
        "response": {**metadata, "error": errors.directive([check])},
        "log": {"sanitize": asked.sanitize},
    }


def _metadata_type(check: ir.Operation, pointer: ir.Pointer) -> str:
    name = pointer.rpartition("/")[2]
    fields = check.answer.fields if check.answer is not None else ()
    types = {one.name: one.type for one in fields}
    is_email = isinstance(found := types.get(name), ir.Text) and found.format == "email"
    return "email" if is_email or name == "email" else "text"
