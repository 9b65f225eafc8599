"""How people connect (checks D002, D003 and D026)."""

import re
from collections.abc import Iterator
from typing import Any

from aiops_connect.platforms.zapier.publishing import Finding
from aiops_connect.platforms.zapier.publishing.addresses import has_link

SECRET = re.compile(
    r"(?i)(^|_)(api_?key|api_?token|(access_?|auth_?|bearer_?)token|(client_?)?secret|pass(word|wd|phrase)|private_?key)s?$|^token$"
)
_DOMAIN = re.compile(r"(?i)(^|_)(sub)?domain$|(^|_)(host|site_?url|base_?url|instance_?url)$")
_PLACE = re.compile(r"\{\{\s*(?:bundle\.(?:authData|inputData)\.)?([\w.]+)\s*\}\}")
_FUNCTION = "$func"


def connection_findings(authentication: dict[str, Any] | None) -> Iterator[Finding]:
    if authentication is None:
        return
    fields = authentication.get("fields", [])
    secrets = [field for field in fields if field.get("type") == "password"]
    if secrets and not any(has_link(field.get("helpText", "")) for field in secrets):
        yield Finding("D002", "authentication", "Say with a link where the credentials are found.")
    yield from _label(authentication.get("connectionLabel"), {field["key"] for field in secrets})
    for field in fields:
        is_limited = "choices" in field or "inputFormat" in field
        if _DOMAIN.search(field["key"]) and not is_limited:
            where = f"authentication/{field['key']}"
            yield Finding("D026", where, "Say how a domain is entered, by an inputFormat or choices.")


def _label(label: Any, secrets: set[str]) -> Iterator[Finding]:
    """It is made of what the test of the connection answers, and of nothing that is secret."""
    where = "authentication/connectionLabel"
    if isinstance(label, str) and label.startswith(_FUNCTION):
        return
    places = _PLACE.findall(label) if isinstance(label, str) else []
    if not places:
        yield Finding("D003", where, "Name a connection after what the test answers, such as {{email}}.")
    if any(name in secrets or SECRET.search(name) for name in places):
        yield Finding("D003", where, "Name a connection after nothing that is secret.")
