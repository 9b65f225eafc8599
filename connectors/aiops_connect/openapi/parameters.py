"""Parameters of path, query, headers and cookies into fields."""

import re
from collections.abc import Iterator
from dataclasses import replace

from aiops_connect import ir, naming
from aiops_connect.openapi import annotations
from aiops_connect.openapi.examples import first_example
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.schemas import RAW_INPUT, Schemas

_DEFAULT_STYLES = {
    ir.Location.PATH: ir.Style.SIMPLE,
    ir.Location.QUERY: ir.Style.FORM,
    ir.Location.HEADER: ir.Style.SIMPLE,
    ir.Location.COOKIE: ir.Style.FORM,
}
_STYLES = {
    ir.Location.PATH: {ir.Style.SIMPLE, ir.Style.LABEL, ir.Style.MATRIX},
    ir.Location.QUERY: {ir.Style.FORM, ir.Style.SPACE_DELIMITED, ir.Style.PIPE_DELIMITED, ir.Style.DEEP_OBJECT},
    ir.Location.HEADER: {ir.Style.SIMPLE},
    ir.Location.COOKIE: {ir.Style.FORM},
}
_IGNORED_HEADERS = {"accept", "content-type", "authorization"}  # OpenAPI 3.1, section 4.8.12.2.1
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def placeholders(path: str) -> list[str]:
    """The names that a path has in braces."""
    return _PLACEHOLDER.findall(path)


def parameters(path: str, item: Node, operation: Node, schemas: Schemas) -> list[ir.Field]:
    """The fields of an operation that are not in its body: its own parameters, and those of its path that it does not
    have itself."""
    fields = [
        field
        for node, location in _listed(item, operation)
        if (field := _field(node, location, schemas)) is not None and _has_place(path, node, field)
    ]
    described = {field.name for field in fields if field.location is ir.Location.PATH}
    for name in dict.fromkeys(placeholders(path)):
        if name not in described:
            operation.report(f"The path has {{{name}}}, and no parameter says what it is. Add one.")
            fields.append(_undescribed(name))
    return fields


def _listed(item: Node, operation: Node) -> Iterator[tuple[Node, ir.Location]]:
    """Each parameter once, by its name and where it travels."""
    found: dict[tuple[ir.Location, str], Node] = {}
    for holder in (item, operation):
        for entry in holder.objects("parameters"):
            node = entry.follow()
            if node is None:
                continue
            location = _location(node)
            if location is not None:
                found[location, node.text("name")] = node
    for (location, name), node in found.items():
        if not name:
            node.report("A parameter needs a name.")
        elif location is not ir.Location.HEADER or name.lower() not in _IGNORED_HEADERS:
            yield node, location


def _location(node: Node) -> ir.Location | None:
    for location in _STYLES:
        if node.get("in") == location.value:
            return location
    node.report("A parameter travels in path, query, header or cookie. Name one of them.", at="in")
    return None


def _has_place(path: str, node: Node, field: ir.Field) -> bool:
    if field.location is not ir.Location.PATH or field.name in placeholders(path):
        return True
    node.report(f"The path has no {{{field.name}}}. Add it there, or send the parameter elsewhere.", at="name")
    return False


def _field(node: Node, location: ir.Location, schemas: Schemas) -> ir.Field | None:
    """A parameter says of its value what a schema does: it is a part beside its schema. None where it is left out."""
    required = location is ir.Location.PATH or node.flag("required")
    schema, content_type = _schema(node)
    parts = (node, schema) if schema is not None else (node,)
    if annotations.is_excluded(schemas.facts(*parts).words, required):
        return None
    field = schemas.field(node.text("name"), parts, RAW_INPUT, required=required)
    example = first_example(node)
    return replace(
        field,
        location=location,
        encoding=_encoding(node, location, content_type),
        example=field.example if example is ir.MISSING else example,
    )


def _schema(node: Node) -> tuple[Node | None, str | None]:
    """The schema of a parameter, and the media type it is written in where that is not a style's."""
    schema = node.child("schema")
    if schema is not None:
        return schema, None
    for media_type, content in node.members("content").items():
        return content.child("schema"), media_type
    if not node.has("type"):  # Swagger 2.0 describes the value in the parameter itself
        node.report("A parameter needs a schema. Add one.")
    return None, None


def _encoding(node: Node, location: ir.Location, content_type: str | None) -> ir.Encoding:
    style = _DEFAULT_STYLES[location]
    if node.has("style"):
        named = node.text("style")
        allowed = {one.value: one for one in _STYLES[location]}
        if named in allowed:
            style = allowed[named]
        else:
            node.report(
                f"In {location.value} the style is one of {', '.join(sorted(allowed))}. Take one of them.", at="style"
            )
    explode = node.flag("explode", default=style is ir.Style.FORM)
    return ir.Encoding(style, explode, node.flag("allowReserved"), content_type)


def _undescribed(name: str) -> ir.Field:
    return ir.Field(
        id=naming.identifier(name),
        name=name,
        label=naming.label(name),
        type=ir.Text(),
        location=ir.Location.PATH,
        required=True,
        encoding=ir.Encoding(ir.Style.SIMPLE, explode=False),
    )
