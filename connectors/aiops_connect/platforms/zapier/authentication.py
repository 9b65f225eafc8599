"""How people connect: the fields they fill in, and what is sent of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, assert_never
from urllib.parse import urlsplit

from aiops_connect import ir
from aiops_connect.platforms.zapier import naming
from aiops_connect.platforms.zapier.prose import help_text, plain
from aiops_connect.problem import Problem
from aiops_connect.publisher import Publisher

WHERE = "#/components/securitySchemes"


@dataclass
class Authentication:
    """`definition` is what Zapier shows; `parts` say what is sent where."""

    definition: dict[str, Any]
    parts: list[dict[str, Any]]
    schemes: frozenset[str] = frozenset()
    plan: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        return {"definition": self.definition, "parts": self.parts, "plan": self.plan}


def authentication(app: ir.App, publisher: Publisher) -> tuple[Authentication | None, list[Problem]]:
    """The first of the sets of schemes that Zapier can hold; None where the API asks for nothing."""
    variables = list(_server_fields(app))
    connection = app.connection
    if connection is None:
        return (_tested(Authentication({"type": "custom", "fields": variables}, []), app) if variables else None), []
    schemes = {scheme.id: scheme for scheme in connection.schemes}
    for alternative in connection.alternatives:
        found = _together([schemes[name] for name in alternative], publisher)
        if found is None:
            continue
        found.definition["fields"] = [*variables, *found.definition.get("fields", [])]
        found.schemes = frozenset(alternative)
        if connection.check is None:
            return None, [Problem(WHERE, "Zapier tests each connection. Say x-connector-check: true at an operation.")]
        found.plan["check"] = {"operation": connection.check, "inputs": {}}
        if connection.account_label is not None:
            found.plan["label"] = connection.account_label
        return found, []
    kinds = ", ".join(sorted({type(scheme).__name__ for scheme in connection.schemes}))
    return None, [
        Problem(WHERE, f"Zapier cannot connect with {kinds} alone. Describe an API key, a bearer token or a code flow.")
    ]


def _tested(found: Authentication, app: ir.App) -> Authentication:
    """Without credentials there is nothing to test but the address itself."""
    free = [one for one in app.operations if one.method == "GET" and not any(input_.required for input_ in one.inputs)]
    if free:
        found.plan["check"] = {"operation": free[0].id, "inputs": {}}
    return found


def _server_fields(app: ir.App) -> Iterator[dict[str, Any]]:
    """What people choose of the server's address; a whole domain is checked by the runtime part (D026)."""
    for variable in app.servers[0].variables if app.servers else ():
        one: dict[str, Any] = {
            "key": naming.key(variable.name, otherwise="server"),
            "label": naming.label(variable.name.replace("_", " ")),
            "type": "string",
            "required": True,
        }
        if variable.default:
            one["default"] = plain(variable.default)
        if variable.options:
            one["choices"] = {plain(option): plain(option) for option in variable.options}
        text = help_text(variable.help, [], one["label"])
        if text is not None:
            one["helpText"] = text
        yield one


def _together(schemes: list[ir.SecurityScheme], publisher: Publisher) -> Authentication | None:
    """All of these schemes at once; None where Zapier has nothing for one of them."""
    made = Authentication({"type": "custom", "fields": []}, [])
    for scheme in schemes:
        match scheme:
            case ir.ApiKey(location=location, name=name, prefix=prefix):
                key = _ask(made, scheme, publisher)
                made.parts.append({"in": location.value, "name": name, "prefix": prefix, "key": key})
            case ir.Bearer():
                key = _ask(made, scheme, publisher)
                made.parts.append({"in": "header", "name": "Authorization", "prefix": "Bearer ", "key": key})
            case ir.OtherHttp(scheme=word):
                key = _ask(made, scheme, publisher)
                made.parts.append({"in": "header", "name": "Authorization", "prefix": f"{word} ", "key": key})
            case ir.Basic():
                made.definition["fields"] += [
                    {"key": "username", "label": "User Name", "type": "string", "required": True},
                    {"key": "password", "label": "Password", "type": "password", "required": False},
                ]
                made.parts.append({"in": "basic"})
            case ir.OAuth2(flows=flows):
                flow = next((flow for flow in flows if flow.grant is ir.Grant.AUTHORIZATION_CODE), None)
                if flow is None or made.definition["type"] != "custom" or not flow.authorization_url:
                    return None
                made.definition["type"] = "oauth2"
                made.plan["oauth2"] = _oauth2(flow)
                made.parts.append({"in": "header", "name": "Authorization", "prefix": "Bearer ", "key": "access_token"})
            case ir.OpenIdConnect() | ir.MutualTls():
                return None
            case _:
                assert_never(scheme)
    return made


def _oauth2(flow: ir.Flow) -> dict[str, Any]:
    return {
        "authorizationUrl": flow.authorization_url,
        "tokenUrl": flow.token_url,
        "refreshUrl": flow.refresh_url or flow.token_url,
        "scope": " ".join(scope.name for scope in flow.scopes),
    }


def _ask(made: Authentication, scheme: ir.ApiKey | ir.Bearer | ir.OtherHttp, publisher: Publisher) -> str:
    """A secret to enter, and where to find it (D002)."""
    key = naming.unique(naming.key(scheme.id, otherwise="key"), {one["key"] for one in made.definition["fields"]})
    label = naming.label(scheme.label)
    where = publisher.homepage if urlsplit(publisher.homepage).scheme == "https" else publisher.support
    shown = help_text(scheme.help, [], label)
    made.definition["fields"].append(
        {
            "key": key,
            "label": label,
            "type": "password",
            "required": True,
            "helpText": f"{shown + ' ' if shown else ''}Find it in [your account]({where}).",
        }
    )
    return key


def can_call(operation: ir.Operation, connection: Authentication | None) -> bool:
    """Whether what people connect with is enough for an operation."""
    known = connection.schemes if connection is not None else frozenset()
    needed = [{use.scheme for use in requirement.uses} for requirement in operation.security]
    return not needed or any(schemes <= known for schemes in needed)
