"""A field of the description as a parameter of n8n's, and as what the runtime does with its value."""

import json
import re
from typing import assert_never

from aiops_connect import help_texts, ir
from aiops_connect.platforms.n8n import naming, prose
from aiops_connect.platforms.n8n.groups import group, union
from aiops_connect.platforms.n8n.literals import Value
from aiops_connect.platforms.n8n.options import OPTIONS_MAX, choices, option_value
from aiops_connect.platforms.n8n.properties import Property, Rendered, Searches

_SENSITIVE = ("secret", "password", "token", "apikey")
_PLACEHOLDER_LENGTH_MAX = 80
# Things that come and go: people search for them, and enter those that the description does not know yet.
_THINGS = ("model", "voice")
_ID = re.compile(r"\b[iI]ds?\b")


def rendered(one: ir.Field, parameter: str, searches: Searches | None, depth: int = 0) -> Rendered:
    """The parameter of a field. Without `searches` nothing is searched for, as in groups."""
    made = _by_type(one, parameter, searches, depth)
    kind = made.property.pop("kind")
    described: Property = {"displayName": made.property.pop("displayName", prose.title(one.label)), "name": parameter}
    described["type"] = kind
    if kind == "string" and any(word in parameter.lower() for word in _SENSITIVE):
        listed = {"multipleValues", "multipleValueButtonText"}
        given = made.property.get("typeOptions")
        kept = {name: value for name, value in given.items() if name in listed} if isinstance(given, dict) else {}
        made.property["typeOptions"] = {**kept, "password": True}
    described |= made.property
    help_text = prose.help_text(
        _help(one), str(described["displayName"]), more=_limits(one), is_boolean=kind == "boolean"
    )
    if help_text and "description" not in described:
        described["description"] = help_text
    if "placeholder" not in described and kind in ("string", "number") and (example := _placeholder(one, parameter)):
        described["placeholder"] = example
    return Rendered(described, made.shape)


def _by_type(one: ir.Field, parameter: str, searches: Searches | None, depth: int) -> Rendered:
    if one.options is not None and searches is not None:
        return _locator(one, searches.of(parameter, one.options), {"kind": "text"})
    match one.type:
        case ir.Text():
            return _text(one, one.type)
        case ir.Integer() | ir.Number():
            return _number(one, one.type)
        case ir.Boolean():
            return Rendered({"kind": "boolean", "default": one.default is True}, {"kind": "boolean"})
        case ir.DateTime(precision):
            return _moment(one, precision)
        case ir.File():
            return _file(one, one.type)
        case ir.Choice():
            return _choice(one, one.type, parameter, searches)
        case ir.Constant(value):
            return Rendered({"kind": "hidden", "default": ""}, {"kind": "constant", "value": value})
        case ir.Array():
            return _array(one, one.type, depth)
        case ir.Group():
            return group(one, one.type, depth, _member, many=False) or _json(one)
        case ir.Union():
            return union(one, one.type, depth, _member) or _json(one)
        case ir.AnyJson():
            return _json(one)
        case _:
            assert_never(one.type)


def _text(one: ir.Field, type_: ir.Text) -> Rendered:
    made: Property = {"kind": "string"}
    if one.is_secret:
        made["typeOptions"] = {"password": True}
    elif type_.is_multiline:
        made["typeOptions"] = {"rows": 4}
    return Rendered(made | {"default": _default_text(one)}, {"kind": "text"})


def _default_text(one: ir.Field) -> str:
    """A default that begins with an equals sign would be an expression; it is what the API takes anyway."""
    if isinstance(one.default, str) and not one.default.startswith("="):
        return one.default
    return ""


def _number(one: ir.Field, type_: ir.Integer | ir.Number) -> Rendered:
    limits: Property = {}
    if type_.minimum is not None:
        limits["minValue"] = type_.minimum
    if type_.maximum is not None:
        limits["maxValue"] = type_.maximum
    if isinstance(type_, ir.Number):
        limits["numberPrecision"] = 6
    made: Property = {"kind": "number"}
    if limits:
        made["typeOptions"] = limits
    is_number = isinstance(one.default, int | float) and not isinstance(one.default, bool)
    made["default"] = one.default if is_number else (type_.minimum or 0)  # type: ignore[assignment]
    return Rendered(made, {"kind": "integer" if isinstance(type_, ir.Integer) else "number"})


def _moment(one: ir.Field, precision: str) -> Rendered:
    if precision == "time":
        return Rendered({"kind": "string", "default": _default_text(one)}, {"kind": "time"})
    made: Property = {"kind": "dateTime", "default": _default_text(one)}
    return Rendered(made, {"kind": "date" if precision == "date" else "dateTime"})


def _file(one: ir.Field, type_: ir.File) -> Rendered:
    if type_.form is ir.FileForm.URL:
        return Rendered({"kind": "string", "default": _default_text(one)}, {"kind": "text"})
    label = "Input Data Field Name"
    if naming.camel(one.id) not in ("file", "data"):
        label = f"{prose.title(one.label)}: {label}"
    hint = "The name of the input field that holds the file"
    shape: Property = {"kind": "file", "as": "base64" if type_.form is ir.FileForm.BASE64 else "bytes"}
    return Rendered({"kind": "string", "displayName": label, "default": "data", "hint": hint}, shape)


def _choice(one: ir.Field, type_: ir.Choice, parameter: str, searches: Searches | None) -> Rendered:
    is_text = all(isinstance(option.value, str) for option in type_.options)
    is_thing = one.id.rpartition("_")[2] in _THINGS and not any(
        str(option.value).startswith("=") for option in type_.options
    )
    if searches is not None and is_text and (type_.is_open or is_thing):
        return _locator(one, searches.of(f"{parameter}", type_.options), {"kind": "text"})
    if type_.is_open or len(type_.options) > OPTIONS_MAX:
        return _open(one)
    options, prefix = choices(type_.options)
    default = option_value(one.default, prefix) if one.default is not ir.MISSING else None
    values = [option["value"] for option in options]
    known = [value for value in values if str(value) == str(default)]  # a document may have 1 among "1", "2"
    made: Property = {"kind": "options", "options": options, "default": known[0] if known else values[0]}
    return Rendered(made, {"kind": "choice", **({"prefix": prefix} if prefix else {})})


def _open(one: ir.Field) -> Rendered:
    """A choice that takes other values too: what is offered stands in the help."""
    is_number = isinstance(one.type, ir.Choice) and all(
        isinstance(option.value, int | float) and not isinstance(option.value, bool) for option in one.type.options
    )
    if is_number:
        return _number(one, ir.Number())
    return Rendered({"kind": "string", "default": _default_text(one)}, {"kind": "text"})


def _locator(one: ir.Field, method: str, shape: Property) -> Rendered:
    """Chosen from a list, or entered."""
    by_id: Property = {"displayName": "By ID", "name": "id", "type": "string"}
    if placeholder := _placeholder(one, "id"):
        by_id["placeholder"] = placeholder
    search: Property = {"searchListMethod": method, "searchable": True}
    modes: list[Value] = [
        {"displayName": "From List", "name": "list", "type": "list", "typeOptions": search},
        by_id,
    ]
    default: Property = {"mode": "list", "value": _default_text(one)}
    return Rendered({"kind": "resourceLocator", "default": default, "modes": modes}, shape)


def _array(one: ir.Field, type_: ir.Array, depth: int) -> Rendered:
    match type_.item:
        case ir.Choice(options, False) if len(options) <= OPTIONS_MAX:
            made, prefix = choices(options)
            given = one.default if isinstance(one.default, list) else []
            values = [option["value"] for option in made]
            default = [value for value in (option_value(each, prefix) for each in given) if value in values]
            item: Property = {"kind": "choice", **({"prefix": prefix} if prefix else {})}
            return Rendered(
                {"kind": "multiOptions", "options": made, "default": default}, {"kind": "list", "item": item}
            )
        case ir.Text() | ir.Choice(is_open=True) | ir.File() as item_type:
            inner = _file(one, item_type) if isinstance(item_type, ir.File) else _text(one, ir.Text())
            texts: list[Value] = [each for each in _texts(one.default) if not each.startswith("=")]
            added: Property = {
                "multipleValues": True,
                "multipleValueButtonText": f"Add {prose.title(naming.singular(one.label))}",
            }
            listed = {**inner.property, "typeOptions": added, "default": texts}
            return Rendered(listed, {"kind": "list", "item": inner.shape})
        case ir.Group() as members:
            return group(one, members, depth, _member, many=True) or _json(one)
        case _:
            return _json(one)


def _texts(value: ir.Json | ir.Missing) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _member(one: ir.Field, parameter: str, depth: int) -> Rendered:
    return rendered(one, parameter, None, depth)


def _json(one: ir.Field) -> Rendered:
    default = "" if one.default is ir.MISSING or one.default is None else json.dumps(one.default, ensure_ascii=False)
    return Rendered({"kind": "json", "default": default}, {"kind": "json"})


def _help(one: ir.Field) -> str:
    offered = ""
    if isinstance(one.type, ir.Choice) and one.type.is_open:
        offered = " One of " + ", ".join(str(option.value) for option in one.type.options[:20])
    return f"{one.help.strip()}{offered}" + (" (deprecated)" if one.deprecated else "")


def _limits(one: ir.Field) -> str:
    """Those that n8n does not check by itself, in words."""
    return help_texts.limits(one.type, one.help) if isinstance(one.type, ir.Text | ir.Array) else ""


def _placeholder(one: ir.Field, parameter: str) -> str:
    if parameter == "email":
        return "name@email.com"
    if isinstance(one.example, bool) or not isinstance(one.example, str | int | float):
        return ""
    shown = prose.inert(str(one.example))
    is_taken = 0 < len(shown) <= _PLACEHOLDER_LENGTH_MAX and not _ID.search(shown)  # n8n would have it in capitals
    return f"e.g. {shown}" if is_taken else ""
