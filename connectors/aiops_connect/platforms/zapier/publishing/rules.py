"""The checks of a definition by itself."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiops_connect.platforms.zapier.naming import title_case
from aiops_connect.platforms.zapier.publishing import Definition, Finding, inputs, is_hidden, steps

_SECRET = re.compile(r"(?i)^(api[_-]?key|(access[_-]?|auth[_-]?)?token|(client[_-]?)?secret|password)$")
_DOMAIN = re.compile(r"(?i)(^|_)(sub)?domain$|(^|_)(host|site_?url|base_?url|instance_?url)$")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_CODE_OR_LINK = re.compile(r"`[^`]*`|\[[^\]]*\]\([^)]*\)")
_BARE_URL = re.compile(r"https?://\S")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$")
_LOOKS_LIKE_A_DATE = re.compile(
    r"(?i)^(\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2} [a-z]{3,9} \d{4}|[a-z]{3,9} \d{1,2}, \d{4})"
)
_ZONE = re.compile(r"([zZ]|[+-]\d\d:?\d\d)$")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "datetime": (str,),
    "file": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def findings(definition: Definition) -> Iterator[Finding]:
    """All that is found, in the order of the definition."""
    yield from _authentication(definition.get("authentication"))
    for kind, where, step in steps(definition):
        yield from _texts(where, step)
        yield from _display(kind, where, step)
        yield from _input_fields(where, step, definition)
        yield from _samples(kind, where, step)
        yield from _shape(kind, where, step)


def _authentication(authentication: dict[str, Any] | None) -> Iterator[Finding]:
    if authentication is None:
        return
    fields = authentication.get("fields", [])
    secrets = [field for field in fields if field.get("type") == "password"]
    if secrets and not any(_LINK.search(field.get("helpText", "")) for field in secrets):
        yield Finding("D002", "authentication", "Say with a link where the credentials are found.")
    label = authentication.get("connectionLabel")
    if not label or (isinstance(label, str) and "{{" not in label and not label.startswith("$func")):
        yield Finding("D003", "authentication", "Name a connection after what the test answers, such as {{email}}.")
    for field in fields:
        where = f"authentication/{field['key']}"
        yield from _links(where, field.get("helpText", ""))
        if _DOMAIN.search(field["key"]) and "choices" not in field and "inputFormat" not in field:
            yield Finding("D026", where, "Say how a domain is entered, by an inputFormat or choices.")
    for name in ("authorizeUrl", "getAccessToken", "refreshAccessToken"):
        call = authentication.get("oauth2Config", {}).get(name)
        if isinstance(call, dict) and urlsplit(str(call.get("url"))).scheme != "https":
            yield Finding("D007", f"authentication/{name}", "Use an address of https.")


def _texts(where: str, step: dict[str, Any]) -> Iterator[Finding]:
    yield from _links(where, step["display"].get("description", ""))
    for field in inputs(step):
        yield from _links(f"{where}/{field['key']}", field.get("helpText", ""))


def _links(where: str, text: str) -> Iterator[Finding]:
    for words, address in _LINK.findall(text):
        if address.strip().lower().startswith("javascript:"):
            yield Finding("D025", where, "Link to a page, not to a script.")
        elif urlsplit(address).scheme == "http":
            yield Finding("D007", where, "Use an address of https.")
        elif not words or not re.match(r"https://[^\s/]+\.[^\s]+$|mailto:", address):
            yield Finding("D008", where, f"Mend the link to {address!r}.")
    if _BARE_URL.search(_CODE_OR_LINK.sub("", text)):
        yield Finding("D008", where, "Make the bare address a link, or put it in backticks.")


def _display(kind: str, where: str, step: dict[str, Any]) -> Iterator[Finding]:
    if is_hidden(step):
        return
    label, description = step["display"]["label"], step["display"]["description"]
    if title_case(label) != label:
        yield Finding("D018", where, f"Write the label in title case: {title_case(label)}.")
    if kind == "triggers" and not (description.startswith("Triggers when ") and description.endswith(".")):
        yield Finding("D021", where, "Begin the description with “Triggers when” and end it with a full stop.")


def _input_fields(where: str, step: dict[str, Any], definition: Definition) -> Iterator[Finding]:
    keys = {name: definition.get(name, {}) for name in ("triggers", "searches")}
    for field in inputs(step):
        here = f"{where}/{field['key']}"
        if _SECRET.match(field["key"]):
            yield Finding("D001", here, "Ask for credentials in the connection, not in a step.")
        if (
            field["key"].endswith("_id")
            and "dynamic" not in field
            and not isinstance(field.get("choices"), dict | list)
        ):
            yield Finding("D004", here, "Fill a list of what can be chosen: x-connector-options.")
        if "dynamic" in field and field["dynamic"].split(".")[0] not in keys["triggers"]:
            yield Finding("D005", here, f"There is no trigger {field['dynamic'].split('.')[0]}.")
        if "search" in field:
            if "dynamic" not in field:
                yield Finding("D014", here, "A search wants a dropdown beside it.")
            if field["search"].split(".")[0] not in keys["searches"]:
                yield Finding("D013", here, f"There is no search {field['search'].split('.')[0]}.")
        if field.get("helpText", "").rstrip(".").lower() == field.get("label", "-").lower():
            yield Finding("D011", here, "Say more in the help than in the label, or leave it out.")


def _samples(kind: str, where: str, step: dict[str, Any]) -> Iterator[Finding]:
    operation = step["operation"]
    sample = operation.get("sample")
    if not sample:
        yield Finding("D012", where, "Add a sample.")
        return
    outputs = {field["key"]: field for field in operation.get("outputFields", []) if isinstance(field, dict)}
    primary = [key for key, field in outputs.items() if field.get("primary")] or ["id"]
    if kind == "triggers" and operation.get("type") == "polling" and not all(key in sample for key in primary):
        yield Finding("D010", where, f"The sample needs {', '.join(primary)}.")
    for path, value in _leaves(sample):
        if isinstance(value, str) and (_LOOKS_LIKE_A_DATE.match(value) or not _is_iso(value)):
            yield Finding("D023", f"{where}/{path}", "Write dates as ISO 8601, times with a zone.")
    for key, field in outputs.items():
        value = sample
        for part in key.split("__"):
            value = value.get(part, ...) if isinstance(value, dict) else ...
        if field.get("required") and value is ...:
            yield Finding("D024", f"{where}/{key}", "The sample lacks a required field.")
        elif value not in (..., None) and not _is_of_type(value, field):
            yield Finding("D024", f"{where}/{key}", f"The sample has something other than a {field.get('type')} here.")


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, f"{path}__{name}".lstrip("_"))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, f"{path}[]")
    else:
        yield path, value


def _is_iso(text: str) -> bool:
    """Whether it is no date at all, or one that is written as it should be."""
    if not _DATE.match(text):
        return True
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return len(text) == len("2026-01-05") or bool(_ZONE.search(text))


def _is_of_type(value: Any, field: dict[str, Any]) -> bool:
    if field.get("list"):
        return isinstance(value, list)
    if isinstance(value, bool) and field.get("type", "string") != "boolean":
        return False
    return isinstance(value, _TYPES.get(field.get("type", "string"), (object,)))


def _shape(kind: str, where: str, step: dict[str, Any]) -> Iterator[Finding]:
    operation = step["operation"]
    if operation.get("type") == "hook":
        if "performList" not in operation:
            yield Finding("D006", where, "Give an example of what is delivered, by performList.")
        if "performSubscribe" not in operation:
            yield Finding("D016", where, "Subscribe by a call; people enter no addresses.")
        if "performUnsubscribe" not in operation:
            yield Finding("D017", where, "Unsubscribe by a call.")
    if kind == "searches" and not operation.get("inputFields"):
        yield Finding("D009", where, "Ask for something to search for.")
    if kind == "creates" and operation.get("inputFields") and not inputs(step):
        yield Finding("D022", where, "Have fields in the definition, not only ones that a function makes.")
