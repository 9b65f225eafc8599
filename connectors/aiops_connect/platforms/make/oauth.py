"""A connection by OAuth 2.0 (RFC 6749), whose tokens Make fetches and renews: by a code, or as the client itself."""

from typing import Any
from urllib.parse import parse_qsl

from aiops_connect import ir
from aiops_connect.platforms.make import errors, iml
from aiops_connect.platforms.make.credentials import Credentials
from aiops_connect.platforms.make.requests import Directives
from aiops_connect.platforms.make.runner.iml.syntax import Node

REDIRECT = "{{oauth.localRedirectUri}}"
SCOPE = "{{join(oauth.scope, ' ')}}"
RENEWED_MINUTES_BEFORE = 5
_BODY = iml.variable("body")


def sections(flow: ir.Flow, asked: Credentials, check: Directives | None) -> dict[str, Any]:
    """The communication; `check` is the call that tests a connection."""
    client = {"client_id": _parameter(asked, 0), "client_secret": _parameter(asked, 1)}
    info = {"info": check} if check is not None else {}
    if flow.grant is ir.Grant.CLIENT_CREDENTIALS:
        grant = {"grant_type": "client_credentials", **client, "scope": SCOPE}
        again = _token(flow.token_url or "", grant)
        return {"token": again, **info, "refresh": {"condition": _is_old(), **again}}
    address, _, query = (flow.authorization_url or "").partition("?")
    authorize = {
        "url": address,
        "qs": {
            **dict(parse_qsl(query)),
            "response_type": "code",
            "client_id": client["client_id"],
            "redirect_uri": REDIRECT,
            "scope": SCOPE,
        },
        "response": {"temp": {"code": "{{query.code}}"}},
    }
    code = {"grant_type": "authorization_code", **client, "code": "{{temp.code}}", "redirect_uri": REDIRECT}
    renewal = {"grant_type": "refresh_token", **client, "refresh_token": "{{data.refreshToken}}"}
    renewed = _token(flow.refresh_url or flow.token_url or "", renewal)
    token = _token(flow.token_url or "", code)
    return {"authorize": authorize, "token": token, **info, "refresh": {"condition": _is_old(), **renewed}}


def scopes(flow: ir.Flow) -> dict[str, str]:
    """The scopes that people can allow, with what they are for."""
    return {scope.name: iml.shown(scope.help)[:500] or scope.name for scope in flow.scopes}


def _parameter(asked: Credentials, place: int) -> str:
    return iml.whole(iml.variable("parameters", asked.parameters[place]["name"]))


def _token(url: str, body: dict[str, str]) -> Directives:
    """A request for a token. A renewal need not bring another refresh token: the old one stays then."""
    seconds = iml.below(_BODY, "/expires_in")
    expires = iml.call("if", seconds, iml.call("addSeconds", iml.variable("now"), seconds), iml.UNDEFINED)
    refresh_token: Node = iml.below(_BODY, "/refresh_token")
    refresh_token = iml.call("ifempty", refresh_token, iml.variable("data", "refreshToken"))
    message = errors.message(["/error_description", "/error"], [])
    return {
        "url": url,
        "method": "POST",
        "type": "urlencoded",
        "body": body,
        "response": {
            "data": {
                "accessToken": "{{body.access_token}}",
                "refreshToken": iml.whole(refresh_token),
                "expires": iml.whole(expires),
            },
            "error": {"message": message, "type": "InvalidAccessTokenError"},
        },
        "log": {
            "sanitize": [
                *(f"request.body.{name}" for name in ("client_secret", "code", "refresh_token") if name in body),
                "response.body.access_token",
                "response.body.refresh_token",
            ]
        },
    }


def _is_old() -> str:
    soon = iml.call("addMinutes", iml.variable("now"), iml.number(RENEWED_MINUTES_BEFORE))
    return iml.whole(iml.binary("<", iml.variable("data", "expires"), soon))
