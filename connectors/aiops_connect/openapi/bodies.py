"""Request bodies into fields, and how these become a body again."""

from collections.abc import Sequence
from dataclasses import replace

from aiops_connect import ir, naming
from aiops_connect.openapi.examples import first_example
from aiops_connect.openapi.media_types import ANY_TYPE, Family, family, preferred
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.schemas import INPUT, RAW_INPUT, Schemas

WHOLE = "body"  # the name of an input that is the body itself

Sent = tuple[ir.Body | None, list[ir.Field]]


class UnrenderableError(Exception):
    """An operation cannot be rendered. The problem has been reported where it is."""


def body(operation: Node, schemas: Schemas) -> Sent:
    """The body of an operation and the fields in it.

    Raises:
        UnrenderableError: there is a body that cannot be written.
    """
    request = operation.child("requestBody")
    request = request.follow() if request is not None else None
    if request is None:
        return None, []
    found = _form_with_file(request, schemas) or preferred(request)
    if found is None:
        return None, []
    media_type, kind, content = found
    required = request.flag("required")
    match kind:
        case Family.JSON:
            return _json(content, media_type, schemas, required=required)
        case Family.FORM | Family.MULTIPART:
            form = ir.BodyFormat.FORM if kind is Family.FORM else ir.BodyFormat.MULTIPART
            return _form(content, ir.Body(media_type, form, required), schemas)
        case Family.TEXT | Family.STREAM:
            return _whole(
                content,
                ir.Body(media_type, ir.BodyFormat.TEXT, required, is_whole=True),
                ir.Text(is_multiline=True),
                "Text",
            )
        case Family.BYTES if not _is_object(content, schemas):
            media_types = () if media_type in ANY_TYPE else (media_type,)
            file = ir.File(ir.FileForm.BYTES, media_types)
            return _whole(content, ir.Body(media_type, ir.BodyFormat.BYTES, required, is_whole=True), file, "File")
        case Family.BYTES | Family.OTHER:
            content.report(f"A body of {media_type} cannot be made of fields. Offer JSON, or exclude the operation.")
            raise UnrenderableError


def _form_with_file(request: Node, schemas: Schemas) -> tuple[str, Family, Node] | None:
    """The form that a request offers, where a file is part of it: as JSON it would have to be encoded."""
    for media_type, content in request.members("content").items():
        schema = content.child("schema")
        if family(media_type) is Family.MULTIPART and schema is not None:
            type_ = schemas.type_of(schema, RAW_INPUT).type
            if isinstance(type_, ir.Group) and any(_is_file(field.type) for field in type_.fields):
                return media_type, Family.MULTIPART, content
    return None


def _is_file(type_: ir.FieldType) -> bool:
    match type_:
        case ir.File(form=ir.FileForm.BYTES) | ir.Array(item=ir.File(form=ir.FileForm.BYTES)):
            return True
        case ir.Union(variants):
            return any(_is_file(variant.type) for variant in variants)
        case _:
            return False


def _is_object(content: Node, schemas: Schemas) -> bool:
    schema = content.child("schema")
    return schema is not None and schemas.facts(schema).is_object


def _json(content: Node, media_type: str, schemas: Schemas, *, required: bool) -> Sent:
    """An object is asked for member by member; anything else as one value."""
    schema = content.child("schema")
    lowered = schemas.type_of(schema, INPUT) if schema is not None else None
    type_ = lowered.type if lowered is not None else ir.AnyJson()
    if isinstance(type_, ir.Group) and type_.fields:
        form = ir.Body(media_type, ir.BodyFormat.JSON, required, additional=type_.additional)
        return form, _with_examples(type_.fields, content)
    sent = ir.Body(media_type, ir.BodyFormat.JSON, required, is_whole=True)
    label = schemas.facts(schema).texts.get("title", "Body") if schema is not None else "Body"
    return _whole(content, sent, type_, label)


def _whole(content: Node, sent: ir.Body, type_: ir.FieldType, label: str) -> Sent:
    field = ir.Field(
        id=WHOLE,
        name=WHOLE,
        label=naming.title(label, label),
        type=type_,
        required=sent.required,
        example=first_example(content),
    )
    return sent, [field]


def _form(content: Node, sent: ir.Body, schemas: Schemas) -> Sent:
    schema = content.child("schema")
    type_ = schemas.type_of(schema, RAW_INPUT).type if schema is not None else ir.Group(())
    if not isinstance(type_, ir.Group):
        content.report("A form has to be an object with properties. Describe it as one, or exclude the operation.")
        raise UnrenderableError
    encodings = content.members("encoding")
    fields = [
        _part(field, encodings.get(field.name), is_multipart=sent.format is ir.BodyFormat.MULTIPART)
        for field in _with_examples(type_.fields, content)
    ]
    return replace(sent, additional=type_.additional), fields


def _part(field: ir.Field, encoding: Node | None, *, is_multipart: bool) -> ir.Field:
    """A field of a form, with how it is written (OpenAPI 3.1, section 4.8.15). A file brings its own type."""
    named = encoding.text("contentType") if encoding is not None else ""
    styles = {style.value: style for style in ir.Style}
    style = styles.get(encoding.text("style"), ir.Style.FORM) if encoding is not None else ir.Style.FORM
    explode = style is ir.Style.FORM
    reserved = False
    if encoding is not None:
        explode = encoding.flag("explode", default=explode)
        reserved = encoding.flag("allowReserved")
    if isinstance(field.type, ir.File) and field.type.form is ir.FileForm.BYTES:
        listed = tuple(one for one in map(str.strip, named.split(",")) if one not in ("", *ANY_TYPE))
        field = replace(field, type=replace(field.type, media_types=listed or field.type.media_types))
        return replace(field, encoding=ir.Encoding(style, explode, reserved))
    content_type = named or None
    if is_multipart and not named and not (encoding is not None and encoding.has("style")):
        content_type = "application/json" if _is_structured(field.type) else None
    return replace(field, encoding=ir.Encoding(style, explode, reserved, content_type))


def _is_structured(type_: ir.FieldType) -> bool:
    """Whether a part of a form is JSON unless the document says otherwise: objects are, lists as their items are."""
    match type_:
        case ir.Union(variants):
            return any(_is_structured(variant.type) for variant in variants)
        case ir.Group() | ir.AnyJson():
            return True
        case ir.Array(item):
            return _is_structured(item)
        case _:
            return False


def _with_examples(fields: Sequence[ir.Field], content: Node) -> list[ir.Field]:
    """The fields, those without an example of their own with that of the body."""
    example = first_example(content)
    if not isinstance(example, dict):
        return list(fields)
    return [
        replace(field, example=example[field.name]) if field.example is ir.MISSING and field.name in example else field
        for field in fields
    ]
