"""What a person could enter in the fields of a step: what its description says is valid."""

import json
from typing import Any

from hypothesis import find
from hypothesis import strategies as st

from aiops_connect import ir
from aiops_connect.platforms.zapier import samples

Node = dict[str, Any]


def entries(operation: ir.Operation, nodes: list[Node], file_url: str, *, only_required: bool) -> dict[str, Any]:
    """A value for each field that makes an input of the operation."""
    by_name = {(one.name, one.location.value): one for one in operation.inputs}
    entered: dict[str, Any] = {}
    for node in nodes:
        field = by_name[node["name"], node["in"]]
        if field.required or not only_required:
            _enter(entered, node, field, file_url, only_required)
    return entered


def _enter(entered: dict[str, Any], node: Node, field: ir.Field, file_url: str, only_required: bool) -> None:
    if node["type"] == "group":
        assert isinstance(field.type, ir.Group)
        members = {one.name: one for one in field.type.fields}
        for inner in node["fields"]:
            if inner.get("required") or not only_required:
                _enter(entered, inner, members[inner["name"]], file_url, only_required)
    elif "key" in node and (field.required or node["type"] != "json"):  # what is in JSON, is up to the person
        entered[node["key"]] = _value(node, field.type, field.example, file_url, only_required)


def _value(  # noqa: C901, PLR0911, PLR0912 - a case for each type
    node: Node, type_: ir.FieldType, example: Any, file_url: str, only_required: bool
) -> Any:
    if isinstance(example, str | int | float) and not isinstance(type_, ir.File | ir.Array | ir.Group):
        return str(example)
    match type_:
        case ir.Text():
            return _text(type_)
        case ir.File():
            return file_url
        case ir.Choice(options):
            return str(options[0].value) if not isinstance(options[0].value, bool) else options[0].value
        case ir.Array(item) if node["type"] == "list":
            return [_value(node["item"], item, ir.MISSING, file_url, only_required)] * max(
                type_.items_min or 0, min(2, type_.items_max or 2)
            )
        case ir.Array(ir.Group(fields)) if node["type"] == "rows":
            row: dict[str, Any] = {}
            members = {one.name: one for one in fields}
            for inner in node["fields"]:
                if inner.get("required") or not only_required or len(fields) == 1:
                    _enter(row, inner, members[inner["name"]], file_url, only_required)
            return [row] if row or not only_required else [_row(node, members, file_url)]
        case ir.Group() if node["type"] == "dict":
            return {"name": _value(node["value"], type_.additional or ir.Text(), ir.MISSING, file_url, only_required)}
        case ir.Union(variants) if node["type"] == "one-or-list":
            return [_value(node["item"], _scalar(variants), ir.MISSING, file_url, only_required)] * 2
        case ir.Union(variants) if node["type"] == "union":
            return _value(node["variants"][0], variants[0].type, ir.MISSING, file_url, only_required)
        case ir.Constant(value):
            return value
        case _:
            made = valid(type_, example)
            return json.dumps(made) if node["type"] == "json" else made


def _row(node: Node, members: dict[str, ir.Field], file_url: str) -> dict[str, Any]:
    """With all of its members: none is required, yet one has to be there."""
    row: dict[str, Any] = {}
    for inner in node["fields"]:
        _enter(row, inner, members[inner["name"]], file_url, only_required=False)
    return row


def _scalar(variants: tuple[ir.Variant, ...]) -> ir.FieldType:
    return next(one.type.item for one in variants if isinstance(one.type, ir.Array))


def valid(type_: ir.FieldType, example: Any = ir.MISSING) -> Any:  # noqa: PLR0911 - a case for each type
    """A value with all that is required, and no more."""
    if example is not ir.MISSING:
        return example
    match type_:
        case ir.Text():
            return _text(type_)
        case ir.Number(minimum=least):
            return 1 if least is None else least + (1 if type_.is_minimum_excluded else 0)
        case ir.Integer(minimum=least):
            return max(least or 0, type_.multiple_of or 0, 1 if type_.maximum is None or type_.maximum >= 1 else 0)
        case ir.Array(item, items_min):
            return [valid(item)] * max(items_min or 0, 1)
        case ir.Group(fields):
            return {one.name: valid(one.type, one.example) for one in fields if one.required}
        case ir.Union(variants):
            return valid(variants[0].type)
        case ir.AnyJson():
            return {}
        case _:
            return samples.sample(ir.Group((ir.Field("x", "x", "Text", type_),)), ir.MISSING)["x"]


def _text(type_: ir.Text) -> str:
    known = {
        "uri": "https://example.com",
        "email": "person@example.com",
        "uuid": "7b1e0c9d-2f3a-4b5c-8d7e-8f900a1b2c3d",
        "hostname": "example.com",
        "ipv4": "192.0.2.1",
    }
    if type_.format in known:
        return known[type_.format]
    if type_.pattern:
        texts = st.from_regex(type_.pattern).filter(
            lambda text: (
                text.isascii()
                and text.strip() == text
                and text.isprintable()
                and (type_.length_min or 1) <= len(text) <= (type_.length_max or 1000)
            )
        )
        return find(texts, lambda _: True)
    return "text".ljust(type_.length_min or 1, "x")[: type_.length_max]
