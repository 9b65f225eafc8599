"""Bodies: values to bytes by `type`, and bytes to values by `response.type`."""

import re
from typing import Any
from urllib.parse import parse_qsl, quote

from aiops_connect.platforms.make.runner.errors import MakeError
from aiops_connect.platforms.make.runner.http import Part
from aiops_connect.platforms.make.runner.iml.functions.encoding import URI_COMPONENT_SAFE
from aiops_connect.platforms.make.runner.iml.values import Value, is_missing, parse_json, to_json, to_text, utf8
from aiops_connect.platforms.make.runner.iml.xml import XmlError, parse_xml

REQUEST_TYPES = ("json", "urlencoded", "multipart/form-data", "text", "string", "raw", "binary")
RESPONSE_TYPES = ("automatic", "json", "urlencoded", "text", "raw", "string", "binary", "xml")
CONTENT_TYPES = {"json": "application/json", "urlencoded": "application/x-www-form-urlencoded"}
CHARSET = re.compile(r"""\bcharset=["']?([\w.:-]+)""", re.IGNORECASE)
RECOGNIZED = {
    "text/plain": "text",
    "application/json": "json",
    "application/x-www-form-urlencoded": "urlencoded",
    "application/xml": "xml",
    "text/xml": "xml",
}


def encode_body(body: Value, kind: str) -> tuple[bytes | None, tuple[Part, ...]]:
    """The body as bytes, or as parts where it is multipart; neither for a body that is missing.

    :raises ValueError: for a body that the type cannot hold
    """
    if is_missing(body):
        return None, ()
    match kind:
        case "multipart/form-data":
            return None, tuple(_parts(_collection(body, kind)))
        case "urlencoded":
            return utf8(body if isinstance(body, str) else urlencode(_collection(body, kind))), ()
        case "json" if not isinstance(body, str | bytes):
            return utf8(to_json(body)), ()
    return body if isinstance(body, bytes) else utf8(to_text(body)), ()


def _collection(body: Value, kind: str) -> dict[str, Value]:
    if not isinstance(body, dict):
        raise ValueError(f"a body of type {kind} is a collection")  # noqa: TRY004 its value is wrong, as all that come here
    return body


def component(value: Value) -> str:
    """A value as a component of a URL, as JavaScript's encodeURIComponent."""
    return quote(to_text(value), safe=URI_COMPONENT_SAFE, errors="replace")


def urlencode(fields: dict[str, Value]) -> str:
    """Fields without those that are null; arrays and collections with brackets, as Node's `qs` writes them."""
    pairs = ((name, value) for name, value in _flat("", fields) if not is_missing(value))
    return "&".join(f"{component(name)}={component(value)}" for name, value in pairs)


def _flat(prefix: str, value: Value) -> list[tuple[str, Value]]:
    if isinstance(value, dict):
        members = [(f"{prefix}[{name}]" if prefix else name, item) for name, item in value.items()]
    elif isinstance(value, list):
        members = [(f"{prefix}[{place}]", item) for place, item in enumerate(value)]
    else:
        return [(prefix, value)]
    return [pair for name, item in members for pair in _flat(name, item)]


def _parts(fields: dict[str, Value]) -> list[Part]:
    """A buffer is a part without a file name; `{value, options: {filename, contentType}}` one with it."""
    items = ((name, item) for name, value in fields.items() for item in (value if isinstance(value, list) else [value]))
    return [_part(name, item) for name, item in items if not is_missing(item)]


def _part(name: str, item: Value) -> Part:
    if not isinstance(item, dict):
        return name, (None, _part_bytes(item))
    if "value" not in item:
        return name, (None, utf8(to_json(item)))
    options: Any = item.get("options")
    options = options if isinstance(options, dict) else {"filename": options}
    file_name, content_type = options.get("filename"), options.get("contentType")
    data = _part_bytes(item["value"])
    if is_missing(file_name):
        return name, (None, data)
    return name, (to_text(file_name), data, to_text(content_type)) if content_type else (to_text(file_name), data)


def _part_bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else utf8(to_text(value))


def parse_body(content: bytes, content_type: str, wanted: str, status: int) -> Value:
    """The body as a value. What `automatic` does not recognise is text where it can be, else a buffer.

    :raises MakeError: for a successful response that is not what the app says; that of an error stays text
    """
    media_type, _, parameters = content_type.partition(";")
    kind = RECOGNIZED.get(media_type.strip().lower(), "other") if wanted == "automatic" else wanted
    if kind == "binary":
        return content
    text = _decode(content, parameters, strict=kind == "other")
    if text is None:
        return content
    try:
        match kind:
            case "json":
                return parse_json(text) if text.strip() else None
            case "xml":
                return parse_xml(text) if text.strip() else None
            case "urlencoded":
                return dict(parse_qsl(text, keep_blank_values=True))
    except (ValueError, XmlError) as error:
        if status < 400 and wanted != "automatic":
            raise MakeError("RuntimeError", f"The response is not valid {kind.upper()}: {error}.", status) from None
    return text


def _decode(content: bytes, parameters: str, *, strict: bool) -> str | None:
    """The text in the charset it says, else UTF-8; None for bytes that are no text, if `strict`."""
    charset = CHARSET.search(parameters)
    try:
        return content.decode(charset[1] if charset else "utf-8")
    except (UnicodeDecodeError, LookupError):
        return None if strict else content.decode("utf-8", "replace")
