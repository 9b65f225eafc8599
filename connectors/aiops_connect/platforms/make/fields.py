"""Inputs as Make's parameters, and what of them is sent."""

import json
from enum import Enum, auto
from typing import assert_never

import regex

from aiops_connect import help_texts, ir
from aiops_connect.platforms.make import files, iml, naming
from aiops_connect.platforms.make.files import Parameter
from aiops_connect.platforms.make.runner.iml.patterns import compiled
from aiops_connect.platforms.make.runner.iml.syntax import Node
from aiops_connect.platforms.make.runner.iml.values import utf16

NAME_LENGTH_MAX = 128
DATE_FORMAT = "YYYY-MM-DDTHH:mm:ss[Z]"
NOT_DOTS = r"^(?!\.{1,2}$)"  # in a path they lead to another operation (URL Standard, section 4.1)
_PATTERN_LENGTH_MAX = 500


class Entry(Enum):
    """How a value is entered."""

    AS_IT_IS = auto()  # by parameters of its own shape
    JSON = auto()  # as text that is JSON
    FILE = auto()  # as a file: its name and its content
    FILES = auto()  # as a list of files
    LINK_OR_FILE = auto()  # as a link, or as a file that is uploaded first
    CONSTANT = auto()  # not at all


def entry(field: ir.Field) -> Entry:
    match field.type:
        case ir.Constant():
            return Entry.CONSTANT
        case ir.File(form=ir.FileForm.URL, upload=upload):
            return Entry.AS_IT_IS if upload is None else Entry.LINK_OR_FILE
        case ir.File():
            return Entry.FILE
        case ir.Array(item=ir.File(form=ir.FileForm.BYTES)):
            return Entry.FILES
    return Entry.AS_IT_IS if _passes(field.type) else Entry.JSON


def _passes(type_: ir.FieldType) -> bool:
    """Whether what Make collects by parameters of this shape can be sent without a change."""
    match type_:
        case ir.Text() | ir.Integer() | ir.Number() | ir.Boolean() | ir.DateTime() | ir.Choice():
            return True
        case ir.File(form=form):
            return form is ir.FileForm.URL
        case ir.Array(item):
            return _passes(item)
        case ir.Group(fields, additional):
            return bool(fields) and additional is None and all(_passes(one.type) for one in fields)
        case ir.Constant() | ir.Union() | ir.AnyJson():
            return False
        case _:
            assert_never(type_)


def parameters(field: ir.Field) -> list[Parameter]:
    """What is asked for.

    Raises:
        InexpressibleError: it has values that Make would take for expressions.
    """
    match entry(field):
        case Entry.CONSTANT:
            return []
        case Entry.FILE:
            return files.pair(field, files.file_names(field), required=field.required)
        case Entry.FILES:
            return [{**_named(field, field.id), **_help(field), **files.several(), **_items(field.type)}]
        case Entry.LINK_OR_FILE:
            return [_link_or_file(field)]
        case Entry.JSON:
            return [_json(field)]
        case Entry.AS_IT_IS:
            return [_parameter(field, field.id)]


def _parameter(field: ir.Field, name: str) -> Parameter:
    default = {} if field.default in (ir.MISSING, None) else {"default": field.default}
    guard(field.default)
    shape = _shape(field.type)
    if field.location is ir.Location.PATH and shape["type"] == "text":
        shape = {**shape, "validate": {"pattern": NOT_DOTS, **shape.get("validate", {})}}
    return {**_named(field, name), **shape, **_help(field), **default}


def _json(field: ir.Field) -> Parameter:
    default = {} if field.default in (ir.MISSING, None) else {"default": json.dumps(field.default, ensure_ascii=False)}
    guard(field.default)
    return {
        **_named(field, field.id),
        "type": "json",
        **_help(field, f"Enter it as JSON. {help_texts.limits(field.type, field.help)}"),
        **default,
    }


def _named(field: ir.Field, name: str) -> Parameter:
    if len(name) > NAME_LENGTH_MAX:
        raise iml.InexpressibleError(f"The name {name[:40]!r}… has more than {NAME_LENGTH_MAX} characters.")
    guard(name)
    flags = {"required": True} if field.required else {"advanced": True} if field.is_advanced else {}
    return {"name": name, "label": naming.label(field.label), **flags}


def _help(field: ir.Field, more: str = "") -> Parameter:
    parts = [naming.help_text(field.help), more]
    if isinstance(field.example, str | int | float) and "example" not in field.help.lower():
        parts.append(f"For example, `{iml.shown(str(field.example))}`.")
    if isinstance(field.type, ir.DateTime) and field.type.precision != "date-time":
        parts.append({"date": "Write it as 2026-01-31.", "time": "Write it as 10:15:00Z."}[field.type.precision])
    if field.deprecated:
        parts.append("It is deprecated.")
    text = " ".join(part.strip() for part in parts if part.strip())
    return {"help": text} if text else {}


def _shape(type_: ir.FieldType) -> Parameter:
    match type_:
        case ir.Text():
            return _text(type_)
        case ir.Integer(minimum, maximum):
            kind = "uinteger" if minimum is not None and minimum >= 0 else "integer"
            return {"type": kind, **_validate(min=minimum, max=maximum)}
        case ir.Number(minimum, maximum):
            return {"type": "number", **_validate(min=minimum, max=maximum)}
        case ir.Boolean():
            return {"type": "boolean"}
        case ir.DateTime(precision):
            return {"type": "date" if precision == "date-time" else "text"}
        case ir.File():
            return {"type": "url"}
        case ir.Choice():
            return {"type": "select", "options": options(type_), **({"dynamic": True} if type_.is_open else {})}
        case ir.Array(ir.Choice() as choice):
            return {"type": "select", "multiple": True, "options": options(choice), **_items(type_)}
        case ir.Array(ir.Group(fields)):
            return {"type": "array", "labels": files.ADD, "spec": _members(fields), **_items(type_)}
        case ir.Array(item):
            inner = {"name": "value", "label": "Item", **_shape(item)}
            return {"type": "array", "labels": files.ADD, "spec": inner, **_items(type_)}
        case ir.Group(fields):
            return {"type": "collection", "spec": _members(fields)}
    raise AssertionError(type_)  # `_passes` let it through


def _text(type_: ir.Text) -> Parameter:
    kind = {"uri": "url", "email": "email"}.get(type_.format, "text")
    pattern = type_.pattern if type_.pattern and _is_usable(type_.pattern) else None
    multiline = {"multiline": True} if type_.is_multiline else {}
    return {"type": kind, **multiline, **_validate(min=type_.length_min, max=type_.length_max, pattern=pattern)}


def _is_usable(pattern: str) -> bool:
    if len(pattern) > _PATTERN_LENGTH_MAX or "{{" in pattern:
        return False
    try:
        compiled(utf16(pattern), "")
    except regex.error:
        return False
    return True


def _items(type_: ir.FieldType) -> Parameter:
    return _validate(minItems=type_.items_min, maxItems=type_.items_max) if isinstance(type_, ir.Array) else {}


def _validate(**rules: float | str | None) -> Parameter:
    known = {name: rule for name, rule in rules.items() if rule is not None}
    return {"validate": known} if known else {}


def _members(fields: tuple[ir.Field, ...]) -> list[Parameter]:
    """Nested parameters keep their names, since the collection is sent as it is; none of them is advanced."""
    found = [_parameter(one, one.name) for one in fields]
    return [{key: value for key, value in one.items() if key != "advanced"} for one in found]


def options(choice: ir.Choice) -> list[Parameter]:
    for option in choice.options:
        guard(option.value)
    return [{"label": naming.label(option.label), "value": option.value} for option in choice.options]


def guard(value: object) -> None:
    """Raises InexpressibleError for a value, on its way to the API, that Make could take for an expression."""
    if "{{" in str(value):
        raise iml.InexpressibleError(f"Make would take the value {str(value)[:40]!r} for an expression.")


def _link_or_file(field: ir.Field) -> Parameter:
    link = {**_parameter(field, field.id), "type": "url"}
    choices = [
        {"label": "Link", "value": "link", "nested": [link]},
        {
            "label": "File",
            "value": "file",
            "nested": files.pair(field, files.file_names(field), required=field.required),
        },
    ]
    flags = {"required": True} if field.required else {}
    return {
        "name": files.source_name(field),
        "type": "select",
        "label": naming.label(f"{field.label.removesuffix(' URL')} from"),
        "help": "Whether you have a link, or a file that is uploaded first.",
        "options": choices,
        "default": "link",
        **flags,
    }


def is_file(field: ir.Field) -> Node:
    """Whether a file is given where a link could be."""
    return iml.equals(iml.variable("parameters", files.source_name(field)), iml.text("file"))


def entered(field: ir.Field) -> Node:
    """The value of an input that is no file, as it is to be sent in JSON; undefined where it is not set."""
    given = iml.variable("parameters", field.id)
    match entry(field):
        case Entry.LINK_OR_FILE:
            return iml.call(
                "if", is_file(field), iml.variable("temp", files.link_name(field)), iml.set_or_absent(given)
            )
        case Entry.JSON:
            return iml.if_set(given, iml.call("parseJSON", given))
    if isinstance(field.type, ir.DateTime) and field.type.precision == "date-time":
        return iml.if_set(given, iml.call("formatDate", given, iml.text(DATE_FORMAT), iml.text("UTC")))
    return given if field.required else iml.set_or_absent(given)
