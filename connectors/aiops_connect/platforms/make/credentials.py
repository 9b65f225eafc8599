"""What people enter to connect, and what is added to requests of it."""

from dataclasses import dataclass, field
from typing import Any, assert_never

from aiops_connect import ir
from aiops_connect.platforms.make import iml, naming
from aiops_connect.platforms.make.runner.iml.syntax import Node

_FLOWS = (ir.Grant.AUTHORIZATION_CODE, ir.Grant.CLIENT_CREDENTIALS)


@dataclass
class Credentials:
    """Parameters of one connection and what is made of them. In a connection's own requests they are `parameters.x`,
    elsewhere `connection.x`; `root` says which. `taken` are the names that other connections have: expressions in the
    base tell by a name which of them is used. `flow` is there where Make fetches a token by OAuth 2.0."""

    root: str
    taken: set[str] = field(default_factory=set)
    parameters: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, Node] = field(default_factory=dict)
    query: dict[str, Node] = field(default_factory=dict)
    cookies: list[Node] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    flow: ir.Flow | None = None

    def ask(self, name: str, label: str, help_text: str, *, is_secret: bool = True) -> Node:
        """Adds a parameter; its value."""
        number, chosen = 2, name
        while chosen in self.taken:
            number, chosen = number + 1, f"{name}{number}"
        self.taken.add(chosen)
        self.parameters.append(
            {
                "name": chosen,
                "type": "password" if is_secret else "text",
                "label": naming.label(label),
                "required": True,
                "editable": True,
                "help": naming.help_text(help_text, f"The {label} of your account."),
            }
        )
        return iml.variable(self.root, chosen)

    @property
    def proof(self) -> Node:
        """What is set where this connection is the one that is used."""
        name = "accessToken" if self.flow is not None else self.parameters[0]["name"]
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


def of(schemes: list[ir.SecurityScheme], root: str, taken: set[str] | None = None) -> Credentials:
    """All of these schemes together."""
    found = Credentials(root, set() if taken is None else taken)
    for scheme in schemes:
        _add(found, scheme)
    return found


def _add(found: Credentials, scheme: ir.SecurityScheme) -> None:
    match scheme:
        case ir.Bearer():
            found.headers["authorization"] = _after("Bearer ", found.ask("apiKey", scheme.label, scheme.help))
        case ir.OtherHttp(scheme=word):
            found.headers["authorization"] = _after(f"{word} ", found.ask("credentials", scheme.label, scheme.help))
        case ir.OAuth2(flows=flows):
            flow = next((flow for grant in _FLOWS for flow in flows if flow.grant is grant and flow.token_url), None)
            _add_token(found, flow if flow is not None and _can_be_followed(flow) else None)
        case ir.OpenIdConnect():
            _add_token(found, None)
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


def _can_be_followed(flow: ir.Flow) -> bool:
    return flow.grant is ir.Grant.CLIENT_CREDENTIALS or bool(flow.authorization_url)


def _add_token(found: Credentials, flow: ir.Flow | None) -> None:
    """A token that Make fetches by this flow, else one that people enter."""
    found.flow = flow
    if flow is None:
        help_text = "An access token of your account, as your provider shows or issues it."
        found.headers["authorization"] = _after("Bearer ", found.ask("accessToken", "Access token", help_text))
        return
    where = ""
    if flow.grant is ir.Grant.AUTHORIZATION_CODE:
        where = " Register `https://www.make.com/oauth/cb/app` as its redirect URL."
    found.ask("clientId", "Client ID", f"That of the OAuth client you made at your provider.{where}", is_secret=False)
    found.ask("clientSecret", "Client secret", "That of the same OAuth client.")
    found.headers["authorization"] = _after("Bearer ", iml.variable("connection", "accessToken"))


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
