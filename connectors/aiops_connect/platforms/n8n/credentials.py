"""What people connect with, as types of credentials: one for each way in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from aiops_connect import ir
from aiops_connect.platforms.n8n import naming, prose
from aiops_connect.platforms.n8n.literals import Code, Value, text
from aiops_connect.platforms.n8n.properties import Property
from aiops_connect.problem import Problem

Authenticate = dict[str, dict[str, Value]]

_GRANTS = {ir.Grant.AUTHORIZATION_CODE: "authorizationCode", ir.Grant.CLIENT_CREDENTIALS: "clientCredentials"}


@dataclass(frozen=True, slots=True)
class Credential:
    """One type. `authenticate` says where its values travel; None for OAuth 2, which n8n does by itself. It is tested
    at `test_path` of `test_server`, None for the base URL."""

    class_name: str
    name: str
    label: str
    choice: str
    properties: tuple[Property, ...]
    authenticate: Authenticate | None
    test_server: str | None
    test_path: str
    is_oauth: bool = False


def credentials(app: ir.App, base: str, title: str, problems: list[Problem]) -> tuple[Credential, ...]:
    """The ways in; one that asks only where the API is, where it is open to everybody."""
    schemes = {one.id: one for one in app.connection.schemes} if app.connection is not None else {}
    found: list[Credential] = []
    for alternative in app.connection.alternatives if app.connection is not None else ((),):
        ones = [schemes[id_] for id_ in alternative]
        made = _credential(app, ones, base, title, taken={one.class_name for one in found}, problems=problems)
        if made is not None:
            found.append(made)
    if not found:
        made = _credential(app, [], base, title, taken=set(), problems=problems)
        assert made is not None
        found.append(made)
    return tuple(found)


def _credential(
    app: ir.App, schemes: list[ir.SecurityScheme], base: str, title: str, *, taken: set[str], problems: list[Problem]
) -> Credential | None:
    oauth = [one for one in schemes if isinstance(one, ir.OAuth2)]
    if oauth and len(schemes) > 1:
        problems.append(
            Problem("#/components/securitySchemes", "n8n cannot send OAuth 2.0 together with another scheme.")
        )
        return None
    if any(isinstance(one, ir.MutualTls) for one in schemes):
        problems.append(Problem("#/components/securitySchemes", "n8n cannot present a certificate of the client."))
        return None
    stem = naming.pascal(title)
    suffix = "OAuth2Api" if oauth else "Api"
    class_name = f"{stem}{suffix}"
    if class_name in taken:
        class_name = f"{stem}{''.join(naming.pascal(one.id) for one in schemes)}{suffix}"
    choice = " and ".join(prose.title(one.label) for one in schemes) or "None"
    label = f"{prose.title(title)} {'OAuth2 API' if oauth else 'API'}"
    if taken and not oauth:
        label = f"{prose.title(title)} {choice} API"
    properties = [_base_url(app, base)]
    authenticate: Authenticate | None = None
    if oauth:
        flow = next((flow for flow in oauth[0].flows if flow.grant in _GRANTS), None)
        if flow is None:
            problems.append(Problem("#/components/securitySchemes", "n8n knows no such grant of OAuth 2.0."))
            return None
        properties += _oauth(flow)
    else:
        authenticate = {}
        names = iter(naming.parameters((id_ for one in schemes for id_ in _secrets(one)), ("baseUrl",)))
        for one in schemes:
            properties += _scheme(one, names, authenticate)
    name = class_name[0].lower() + class_name[1:]
    return Credential(class_name, name, label, choice, tuple(properties), authenticate, *_test(app), bool(oauth))


def _base_url(app: ir.App, base: str) -> Property:
    server = app.servers[0] if app.servers else ir.Server("")
    made: Property = {"displayName": "Base URL", "name": "baseUrl", "type": "string", "required": True}
    if server.is_relative:
        placeholder = f"{base}{server.url}"
        return made | {"default": "", "placeholder": f"e.g. {placeholder}", "description": "The address of the service"}
    return made | {"default": server.address, "description": "The address of the service"}


def _secrets(one: ir.SecurityScheme) -> list[str]:
    """Names for what is asked for; one that does not tell a secret gets a word that does, as n8n wants it."""
    if isinstance(one, ir.Basic):
        return [f"{one.id}_user", f"{one.id}_password"]
    if any(word in naming.camel(one.id).lower() for word in ("apikey", "password", "secret", "token")):
        return [one.id]
    word = "api_key" if isinstance(one, ir.ApiKey) else "token"
    return [word if one.id == "key" else f"{one.id}_{word}"]


def _scheme(one: ir.SecurityScheme, names: Iterable[str], authenticate: Authenticate) -> Iterable[Property]:
    each = iter(names)
    match one:
        case ir.Basic():
            user, password = next(each), next(each)
            yield {"displayName": "User", "name": user, "type": "string", "required": True, "default": ""}
            yield _secret("Password", password, one.help)
            authenticate["auth"] = {"username": _value("", user), "password": _value("", password)}
        case ir.ApiKey():
            name = next(each)
            yield _secret(one.label, name, one.help)
            place, key, value = _placed(one, name)
            authenticate.setdefault(place, {})[key] = value
        case ir.Bearer() | ir.OpenIdConnect():
            name = next(each)
            yield _secret(one.label, name, one.help)
            authenticate.setdefault("headers", {})["Authorization"] = _value("Bearer ", name)
        case ir.OtherHttp(scheme=scheme):
            name = next(each)
            yield _secret(one.label, name, one.help)
            authenticate.setdefault("headers", {})["Authorization"] = _value(f"{scheme} ", name)
        case ir.OAuth2() | ir.MutualTls():
            return
        case _:
            assert_never(one)


def _placed(one: ir.ApiKey, name: str) -> tuple[str, str, Code]:
    match one.location:
        case ir.KeyLocation.HEADER:
            return "headers", one.name, _value(one.prefix, name)
        case ir.KeyLocation.QUERY:
            return "qs", one.name, _value(one.prefix, name)
        case ir.KeyLocation.COOKIE:
            return "headers", "Cookie", _value(f"{one.name}={one.prefix}", name)
        case _:
            assert_never(one.location)


def _value(prefix: str, name: str) -> Code:
    """No expression of n8n's: n8n evaluates none any more when it stops, and text of the document stays text."""
    return Code((f"{text(prefix)} + " if prefix else "") + f"String(credentials.{name})")


def _secret(label: str, name: str, help_text: str) -> Property:
    shown = prose.title(label)
    made: Property = {"displayName": shown, "name": name, "type": "string", "typeOptions": {"password": True}}
    made |= {"required": True, "default": ""}
    return made | ({"description": shown_help} if (shown_help := prose.help_text(help_text, shown)) else {})


def _oauth(flow: ir.Flow) -> list[Property]:
    hidden: dict[str, str] = {"grantType": _GRANTS[flow.grant]}
    if flow.authorization_url is not None:
        hidden["authUrl"] = flow.authorization_url
    hidden |= {"accessTokenUrl": flow.token_url or "", "authQueryParameters": "", "authentication": "header"}
    labels = {"grantType": "Grant Type", "authUrl": "Authorization URL", "accessTokenUrl": "Access Token URL"}
    labels |= {"authQueryParameters": "Auth URI Query Parameters", "authentication": "Authentication"}
    made: list[Property] = [
        {"displayName": labels[name], "name": name, "type": "hidden", "default": value}
        for name, value in hidden.items()
    ]
    scope = " ".join(one.name for one in flow.scopes)
    made.append({"displayName": "Scope", "name": "scope", "type": "hidden", "default": scope})
    return made


def _test(app: ir.App) -> tuple[str | None, str]:
    """The server, None for the base URL, and the path of a call that tells whether a credential is good."""
    if app.connection is not None and app.connection.check is not None:
        check = app.operation(app.connection.check)
        server = app.own_server(check)
        return server.address if server is not None and "://" in server.address else None, check.path
    for operation in app.operations:
        is_plain = operation.method.upper() == "GET" and "{" not in operation.path and not app.own_server(operation)
        if is_plain and operation.security and not any(one.required for one in operation.inputs):
            return None, operation.path
    return None, "/"


def authentication(ones: tuple[Credential, ...]) -> list[Property]:
    """The parameter that says which credential is used, where there are several."""
    if len(ones) == 1:
        return []
    options: list[Value] = [{"name": one.choice, "value": one.name} for one in ones]
    if len(ones) >= 5:
        options.sort(key=lambda one: prose.sorting(str(one["name"])))  # type: ignore[index, call-overload]
    made: Property = {"displayName": "Authentication", "name": "authentication", "type": "options", "options": options}
    return [made | {"default": ones[0].name}]
