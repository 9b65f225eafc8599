"""The connection: what it asks for, how it is tested, and what it adds to each request."""

from dataclasses import dataclass, field
from typing import Any, assert_never

from aiops_connect import ir
from aiops_connect.platforms.make import errors, iml, naming, requests
from aiops_connect.platforms.make.components import Component
from aiops_connect.platforms.make.runner.iml.syntax import Node
from aiops_connect.problem import Problem

ID = "apiKey"


@dataclass
class Credentials:
    """Parameters of a connection and what is made of them. In a connection's own requests they are `parameters.x`,
    elsewhere `connection.x`; `root` says which."""

    root: str
    parameters: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, Node] = field(default_factory=dict)
    query: dict[str, Node] = field(default_factory=dict)
    cookies: list[Node] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def ask(self, name: str, label: str, help_text: str, *, is_secret: bool = True) -> Node:
        """Adds a parameter; its value."""
        taken = {one["name"] for one in self.parameters}
        while name in taken:
            name += "2"
        self.parameters.append(
            {
                "name": name,
                "type": "password" if is_secret else "text",
                "label": naming.label(label),
                "required": True,
                "editable": True,
                "help": naming.help_text(help_text, f"The {label} of your account."),
            }
        )
        return iml.variable(self.root, name)

    @property
    def sent(self) -> dict[str, dict[str, str]]:
        """The directives that carry them."""
        headers = dict(self.headers)
        if self.cookies:
            headers["cookie"] = iml.joined(*self.cookies)
        found = {"headers": headers, "qs": self.query}
        return {name: {key: iml.whole(one) for key, one in nodes.items()} for name, nodes in found.items() if nodes}

    @property
    def sanitize(self) -> list[str]:
        """The paths that no log may show."""
        names = [*self.headers, *(["cookie"] if self.cookies else [])]
        return [*(f"request.headers.{name}" for name in names), *(f"request.qs.{name}" for name in self.query)]


def credentials(connection: ir.Connection | None, root: str) -> Credentials:
    """Those of the alternative that opens the most operations."""
    found = Credentials(root)
    if connection is None:
        return found
    chosen = connection.alternatives[0] if connection.alternatives else ()
    for scheme in connection.schemes:
        if scheme.id in chosen:
            _add(found, scheme)
    return found


def _add(found: Credentials, scheme: ir.SecurityScheme) -> None:
    match scheme:
        case ir.Bearer():
            found.headers["authorization"] = _after("Bearer ", found.ask("apiKey", scheme.label, scheme.help))
        case ir.OtherHttp(scheme=word):
            found.headers["authorization"] = _after(f"{word} ", found.ask("credentials", scheme.label, scheme.help))
        case ir.OAuth2() | ir.OpenIdConnect():
            help_text = "An access token of your account, as your provider shows or issues it."
            found.headers["authorization"] = _after("Bearer ", found.ask("accessToken", "Access token", help_text))
        case ir.Basic():
            user = found.ask("username", "User name", "The name you sign in with.", is_secret=False)
            password = found.ask("password", "Password", scheme.help)
            pair = iml.joined(user, iml.text(":"), password)
            found.headers["authorization"] = _after("Basic ", iml.call("base64", pair))
        case ir.ApiKey():
            _add_key(found, scheme)
        case ir.MutualTls():
            found.problems.append("Make has no connection with a certificate of the client. Offer another scheme.")
        case _:
            assert_never(scheme)


def _add_key(found: Credentials, scheme: ir.ApiKey) -> None:
    key = _after(scheme.prefix, found.ask("apiKey", scheme.label, scheme.help))
    match scheme.location:
        case ir.KeyLocation.HEADER:
            found.headers[scheme.name.lower()] = key
        case ir.KeyLocation.QUERY:
            found.query[scheme.name] = key
        case ir.KeyLocation.COOKIE:
            found.cookies.append(iml.joined(iml.text(f"{scheme.name}="), key, iml.text("; ")))


def _after(prefix: str, value: Node) -> Node:
    return iml.joined(iml.text(prefix), value) if prefix else value


def component(app: ir.App, label: str, base_url: str) -> tuple[Component | None, list[Problem]]:
    """The connection of an app; None where it needs none."""
    connection = app.connection
    asked = credentials(connection, "parameters")
    problems = [Problem("#/components/securitySchemes", message) for message in asked.problems]
    if connection is None or not asked.parameters:
        return None, problems
    communication: dict[str, Any] = {}
    check = app.operation(connection.check) if connection.check is not None else None
    if check is not None and (needed := [one.id for one in check.inputs if one.required]):
        message = f"{check.id} cannot test a connection: it needs {needed[0]}. Mark another one: x-connector-check."
        problems.append(Problem(check.source, message))
    elif check is not None:
        communication = _tested(check, connection.account_label, asked, base_url)
    metadata = {"label": naming.label(label), "connectionType": "basic"}
    codes: dict[str, Any] = {"communication": communication, "params": asked.parameters, "common": {}}
    return Component("connection", ID, metadata, codes), problems


def _tested(check: ir.Operation, account: ir.Pointer | None, asked: Credentials, base_url: str) -> requests.Directives:
    """The call that tests a connection, and names it. It inherits nothing from the base."""
    called = requests.request(check, {}, base_url)
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
