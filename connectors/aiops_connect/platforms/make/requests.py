"""A call of an operation as the directives of a request."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote

from aiops_connect import ir
from aiops_connect.platforms.make import fields, files, forms, iml
from aiops_connect.platforms.make.runner.iml.syntax import Literal, Node

Directives = dict[str, Any]
URL_LENGTH_MAX = 512
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_WITH_BODY = ("POST", "PUT", "PATCH")
_TYPES = {
    ir.BodyFormat.JSON: "json",
    ir.BodyFormat.FORM: "urlencoded",
    ir.BodyFormat.MULTIPART: "multipart/form-data",
    ir.BodyFormat.BYTES: "binary",
    ir.BodyFormat.TEXT: "text",
}
_SEPARATORS = {ir.Style.SPACE_DELIMITED: " ", ir.Style.PIPE_DELIMITED: "|"}


@dataclass(frozen=True, slots=True)
class FileValue:
    """A file: its name and its content."""

    name: Node
    data: Node


Value = Node | ir.Literally | FileValue


def values_of(inputs: Mapping[str, ir.Field]) -> dict[str, Value]:
    """What people enter, by the ids of the inputs."""
    return {name: _entered(one) for name, one in inputs.items()}


def _entered(field: ir.Field) -> Value:
    match fields.entry(field), field.type:
        case _, ir.Constant(value):
            return ir.Literally(value)
        case fields.Entry.FILE, _:
            return file_value(field)
    return fields.entered(field)


def file_value(field: ir.Field) -> FileValue:
    names = files.file_names(field)
    return FileValue(iml.variable("parameters", names.name), iml.variable("parameters", names.data))


def request(operation: ir.Operation, values: Mapping[str, Value], host: str = "") -> Directives:
    """The directives of a call; inputs without a value are not sent. `host` comes before the path.

    Raises:
        InexpressibleError: something in it cannot be written for Make.
    """
    at: dict[ir.Location, list[tuple[ir.Field, Value]]] = {place: [] for place in ir.Location}
    for one in operation.inputs:
        if one.id in values:
            at[one.location].append((one, values[one.id]))
    path, _, fixed = operation.path.partition("?")
    host = iml.literal(host)
    url = host + _path(path, at[ir.Location.PATH])
    if len(url) > URL_LENGTH_MAX:
        raise iml.InexpressibleError(f"Make takes URLs of at most {URL_LENGTH_MAX} characters.")
    directives: Directives = {"url": url, "method": operation.method}
    if url != host + path:
        directives["encodeUrl"] = False  # it is encoded here already
    if headers := _headers(operation, at):
        directives["headers"] = headers
    if query := {**dict(parse_qsl(fixed)), **_query(at[ir.Location.QUERY])}:
        directives["qs"] = query
    return {**directives, **_body(operation, at[ir.Location.BODY])}


def rendered(value: Value) -> ir.Json:
    return _constant(value.value) if isinstance(value, ir.Literally) else iml.whole(node(value))


def _constant(value: ir.Json) -> ir.Json:
    match value:
        case str():
            return iml.literal(value)
        case list():
            return [_constant(item) for item in value]
        case dict():
            return {iml.literal(name): _constant(item) for name, item in value.items()}
    return value


def node(value: Value) -> Node:
    """A value within an expression."""
    if isinstance(value, ir.Literally):
        constant = value.value
        if isinstance(constant, int | float) and not isinstance(constant, bool):
            return Literal(constant, iml.UNDEFINED.span)
        return iml.text(str(constant).lower() if isinstance(constant, bool) else str(constant))
    return value.data if isinstance(value, FileValue) else value


def _path(path: str, inputs: list[tuple[ir.Field, Value]]) -> str:
    known = {one.name: (one, value) for one, value in inputs}
    pieces = _PLACEHOLDER.split(path)
    found = []
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            found.append(quote(piece, safe="/%:@!$&'()*+,;=-._~"))
        else:
            if piece not in known:
                raise iml.InexpressibleError(f"The path names {piece[:40]!r}, which is none of the inputs.")
            one, value = known[piece]
            found.append(_prefix(one) + iml.whole(iml.call("encodeURL", _delimited(one, value))))
    return "".join(found)


def _prefix(field: ir.Field) -> str:
    style = field.encoding.style if field.encoding is not None else ir.Style.SIMPLE
    return {ir.Style.LABEL: ".", ir.Style.MATRIX: f";{quote(field.name)}="}.get(style, "")


def _delimited(field: ir.Field, value: Value) -> Node:
    """A list as one text."""
    inner = node(value)
    if not isinstance(field.type, ir.Array) or isinstance(value, ir.Literally):
        return inner
    style = field.encoding.style if field.encoding is not None else ir.Style.SIMPLE
    return iml.if_set(inner, iml.call("join", inner, iml.text(_SEPARATORS.get(style, ","))))


def _delimited_value(field: ir.Field, value: Value) -> Value:
    return value if isinstance(value, ir.Literally) else _delimited(field, value)


def _headers(operation: ir.Operation, at: Mapping[ir.Location, list[tuple[ir.Field, Value]]]) -> Directives:
    found = {
        iml.literal(one.name.lower()): rendered(_delimited_value(one, value)) for one, value in at[ir.Location.HEADER]
    }
    cookies = [
        iml.if_set(
            node(value), iml.joined(iml.text(f"{one.name}="), iml.call("encodeURL", node(value)), iml.text("; "))
        )
        for one, value in at[ir.Location.COOKIE]
    ]
    if cookies:
        found["cookie"] = iml.whole(iml.joined(*cookies))
    body = operation.body
    if body is not None and _is_own_form(body, at[ir.Location.BODY]):
        found["content-type"] = forms.MEDIA_TYPE
    elif body is not None and body.format not in (ir.BodyFormat.FORM, ir.BodyFormat.MULTIPART):
        plain = body.media_type if "*" not in body.media_type else "application/octet-stream"
        if plain != "application/json":
            found["content-type"] = iml.literal(plain)
    return found


def _query(inputs: list[tuple[ir.Field, Value]]) -> Directives:
    found: Directives = {}
    for one, value in inputs:
        found |= _query_members(one, value)
    return found


def _query_members(field: ir.Field, value: Value) -> Directives:
    encoding = field.encoding or ir.Encoding(ir.Style.FORM, explode=True)
    name = iml.literal(field.name)
    given = iml.variable("parameters", field.id)
    is_json = encoding.content_type is not None
    match fields.entry(field), field.type:
        case fields.Entry.JSON, _:
            return {name: iml.whole(iml.set_or_absent(given))}
        case fields.Entry.AS_IT_IS, ir.Group() | ir.Array() if is_json:
            return {name: iml.whole(iml.if_set(node(value), iml.call("createJSON", node(value))))}
        case fields.Entry.AS_IT_IS, ir.Group(members):
            is_deep = encoding.style is ir.Style.DEEP_OBJECT
            return {
                iml.literal(f"{field.name}[{one.name}]" if is_deep else one.name): iml.whole(
                    iml.set_or_absent(iml.variable("parameters", field.id, one.name))
                )
                for one in members
            }
        case _, ir.Array() if not encoding.explode:
            return {name: iml.whole(_delimited(field, value))}
    return {name: rendered(value)}


def _body(operation: ir.Operation, inputs: list[tuple[ir.Field, Value]]) -> Directives:
    body = operation.body
    if body is None or (not inputs and body.format is not ir.BodyFormat.JSON):
        return {"body": None} if operation.method in _WITH_BODY else {}
    if body.is_whole:
        return {"type": _TYPES[body.format], "body": _whole(body, *inputs[0]) if inputs else None}
    if _is_own_form(body, inputs):
        return {"type": "text", "body": forms.body([(one, node(value)) for one, value in inputs])}
    if body.format is not ir.BodyFormat.MULTIPART:
        content = {iml.literal(one.name): _member(one, value) for one, value in inputs}
        return {"type": _TYPES[body.format], "body": content}
    parts: Directives = {}
    held: Directives = {}
    for one, value in inputs:
        parts[iml.literal(one.name)] = _part(one, value, held)
    return {"type": _TYPES[body.format], **({"temp": held} if held else {}), "body": parts}


def _is_own_form(body: ir.Body, inputs: list[tuple[ir.Field, Value]]) -> bool:
    return body.format is ir.BodyFormat.FORM and forms.has_lists([one for one, _ in inputs])


def _whole(body: ir.Body, field: ir.Field, value: Value) -> ir.Json:
    """The one value that is the body. A text is written as JSON here, since Make sends a text as it is."""
    if body.format is not ir.BodyFormat.JSON or fields.entry(field) is fields.Entry.FILE:
        return _member(field, value)
    if isinstance(value, ir.Literally):
        return iml.literal(json.dumps(value.value))
    is_text = isinstance(field.type, ir.Text | ir.Choice | ir.DateTime | ir.File)
    return iml.whole(iml.if_set(node(value), iml.call("createJSON", node(value)))) if is_text else rendered(value)


def _member(field: ir.Field, value: Value) -> ir.Json:
    """A value in JSON; a file in base 64 where the document has it so."""
    if isinstance(value, FileValue) and isinstance(field.type, ir.File) and field.type.form is ir.FileForm.BASE64:
        return iml.whole(iml.if_set(value.data, iml.call("base64", value.data)))
    return rendered(value)


def _part(field: ir.Field, value: Value, held: Directives) -> ir.Json:
    """A part of a multipart body. A file that need not be there is made in `temp`, so that it can be left out."""
    if isinstance(value, FileValue):
        part: Directives = {"value": iml.whole(value.data), "options": {"filename": iml.whole(value.name)}}
        if field.required:
            return part
        name = f"{field.id}_part"
        held[name] = part
        return iml.whole(iml.if_set(value.data, iml.variable("temp", name)))
    if fields.entry(field) is fields.Entry.JSON and not isinstance(value, ir.Literally):
        return iml.whole(iml.set_or_absent(iml.variable("parameters", field.id)))
    if isinstance(field.type, ir.Group):
        return iml.whole(iml.if_set(node(value), iml.call("createJSON", node(value))))
    return rendered(value)
