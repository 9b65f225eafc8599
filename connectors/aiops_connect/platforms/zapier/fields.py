"""Inputs of an operation as input fields of Zapier, and how the values of those make a call."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, assert_never

from aiops_connect import help_texts, ir
from aiops_connect.platforms.zapier import naming
from aiops_connect.platforms.zapier.prose import help_text, plain

ADVANCED = "advanced"
FLATTENED_DEPTH_MAX = 2  # of groups in groups; what is deeper is entered as JSON
OPTIONS_MAX = 500

InputField = dict[str, Any]
Node = dict[str, Any]


@dataclass
class Inputs:
    """`fields` are shown to people. `nodes` say, for each input of the call, which fields its value comes from."""

    fields: list[InputField] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    @property
    def has_advanced(self) -> bool:
        return any("group" in one for one in self.fields)


def inputs(fields: Iterable[ir.Field], dynamic: dict[str, str] | None = None) -> Inputs:
    """`dynamic` names, by the ids of inputs, the hidden trigger that lists what they can be."""
    made = Inputs()
    for one in fields:
        node = _node(one, made, "", one.required, one.is_advanced, depth=0)
        if one.id in (dynamic or {}):
            shown = next((shown for shown in made.fields if shown["key"] == node.get("key")), None)
            if shown is not None and "choices" not in shown:
                shown["dynamic"] = f"{(dynamic or {})[one.id]}.id.name"
        made.nodes.append(_sent(one, node))
    return made


def _sent(one: ir.Field, node: Node) -> Node:
    node["in"] = one.location.value
    if one.encoding is not None:
        if one.encoding.content_type is not None:
            node["contentType"] = one.encoding.content_type
        node |= {"style": one.encoding.style.value, "explode": one.encoding.explode}
        if one.encoding.allow_reserved:
            node["allowReserved"] = True
    return node


def _node(one: ir.Field, made: Inputs, above: str, required: bool, is_advanced: bool, *, depth: int) -> Node:
    """Adds what is asked for to the fields, and tells how it becomes a value of this name."""
    node: Node = {"name": one.name}
    if one.required:
        node["required"] = True
    match one.type:
        case ir.Constant(value):
            return node | {"type": "constant", "value": value}
        case ir.Group(fields) if _is_flattened(one.type, depth):
            prefix = f"{above}{one.id}__"
            inner = [
                _node(
                    member,
                    made,
                    prefix,
                    required and member.required,
                    is_advanced or member.is_advanced,
                    depth=depth + 1,
                )
                for member in fields
            ]
            return node | {"type": "group", "label": naming.label(one.label), "fields": inner}
    node["key"] = naming.unique(naming.key(one.id, otherwise="value") if not above else f"{above}{one.id}", made.taken)
    shown: InputField = {"key": node["key"], "label": naming.label(one.label)}
    node["label"] = shown["label"]
    made.fields.append(shown)
    node |= _typed(one.type, shown, made)
    if "children" not in shown:
        _describe(one, shown, required=required)
    if is_advanced:
        shown["group"] = ADVANCED
    return node


def _is_flattened(type_: ir.Group, depth: int) -> bool:
    return bool(type_.fields) and type_.additional is None and depth < FLATTENED_DEPTH_MAX


def _describe(one: ir.Field, shown: InputField, *, required: bool) -> None:
    if required:
        shown["required"] = True
    notes = [help_texts.limits(one.type, one.help)]
    if one.deprecated:
        notes.append("Deprecated.")
    if shown.get("type") == "json":
        notes.append("Enter it as JSON.")
    default = _default(one.default)
    if default is not None and ("list" not in shown) and "dict" not in shown:
        shown["default"] = default
    elif one.default is not ir.MISSING and one.default not in (None, "", [], {}):
        notes.append("What is taken where it is left empty, is the default of the API.")
    text = help_text(one.help, notes, shown["label"])
    if text is not None:
        shown["helpText"] = text
    if isinstance(one.example, str | int | float) and "choices" not in shown and "dict" not in shown:
        example = plain(_written(one.example))
        if 0 < len(example) <= 200:
            shown["placeholder"] = example


def _default(value: ir.Json | ir.Missing) -> str | None:
    """As text, as the schema wants it; None for what Zapier would take for an expression."""
    if isinstance(value, bool | int | float | str) and value != "":
        text = _written(value)
        return text if plain(text) == text else None
    return None


def _written(value: ir.Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _typed(type_: ir.FieldType, shown: InputField, made: Inputs) -> Node:
    """Sets what the field is, and returns what the value is."""
    match type_:
        case ir.Text():
            is_long = type_.is_multiline or (type_.length_max or 0) > 255
            shown["type"] = "text" if is_long else "string"
            return {"type": "text"} | _limits(lengthMin=type_.length_min, lengthMax=type_.length_max)
        case ir.Integer():
            shown["type"] = "integer"
            return {"type": "integer"} | _limits(minimum=type_.minimum, maximum=type_.maximum)
        case ir.Number():
            shown["type"] = "number"
            return {"type": "number"} | _limits(minimum=type_.minimum, maximum=type_.maximum)
        case ir.Boolean():
            shown["type"] = "boolean"
            return {"type": "boolean"}
        case ir.DateTime(precision):
            shown["type"] = "string" if precision == "time" else "datetime"
            return {"type": precision}
        case ir.File(form):
            shown["type"] = "file"
            return {"type": "file", "form": form.value}
        case ir.Choice():
            return _choice(type_, shown)
        case ir.Array(item):
            return _array(type_, item, shown, made)
        case ir.Group(fields, additional):
            if not fields and additional is not None and _is_scalar(additional):
                shown["dict"] = True
                return {"type": "dict", "value": _typed(additional, {}, made)}
            shown["type"] = "json"
            return {"type": "json"}
        case ir.Union(variants):
            return _union(variants, shown, made)
        case ir.AnyJson():
            shown["type"] = "json"
            return {"type": "json"}
        case ir.Constant(value):
            shown["type"] = "string"
            return {"type": "constant", "value": value}
        case _:
            assert_never(type_)


def _limits(**limits: float | None) -> Node:
    return {name: limit for name, limit in limits.items() if limit is not None}


def _choice(type_: ir.Choice, shown: InputField) -> Node:
    """What Zapier would take for an expression, or cannot hold, stays a text to enter."""
    values = [_written(option.value) for option in type_.options]
    if len(values) <= OPTIONS_MAX and all(plain(value) == value for value in values):
        shown["choices"] = [
            {"value": value, "sample": value, "label": plain(option.label)}
            for value, option in zip(values, type_.options, strict=True)
            if value
        ]
    if not shown.get("choices"):
        shown.pop("choices", None)
    shown["type"] = "string"
    match type_.options[0].value if type_.options else "":
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case float():
            return {"type": "number"}
        case _:
            return {"type": "text"}


def _array(type_: ir.Array, item: ir.FieldType, shown: InputField, made: Inputs) -> Node:
    limits = _limits(itemsMin=type_.items_min, itemsMax=type_.items_max)
    match item:
        case ir.Group(fields, None) if fields and all(_is_scalar(member.type) for member in fields):
            children: list[InputField] = []
            nodes = []
            for member in fields:
                rows = Inputs(taken=made.taken)
                nodes.append(_node(member, rows, f"{shown['key']}__", member.required, is_advanced=False, depth=1))
                children += rows.fields
            shown["children"] = children
            return {"type": "rows", "fields": nodes} | limits
        case _ if _is_scalar(item):
            node = _typed(item, shown, made)
            shown["list"] = True
            return {"type": "list", "item": node} | limits
        case _:
            shown["type"] = "json"
            return {"type": "json"} | limits


def _distinct(items: list[ir.FieldType]) -> tuple[ir.Variant, ...]:
    return tuple(ir.Variant("", item) for item in dict.fromkeys(items))


def _is_scalar(type_: ir.FieldType) -> bool:
    return not isinstance(type_, ir.Array | ir.Group | ir.Union | ir.AnyJson | ir.Constant)


def _union(variants: tuple[ir.Variant, ...], shown: InputField, made: Inputs) -> Node:
    """Scalars of several kinds are one text, and sent as the first kind that it can be; one or a list of them is a
    list; anything else is JSON."""
    kinds = [variant.type for variant in variants]
    items = [kind.item if isinstance(kind, ir.Array) else kind for kind in kinds]
    if any(isinstance(kind, ir.Array) for kind in kinds) and all(_is_scalar(item) for item in items):
        node = _typed(ir.Union(_distinct(items)) if len(set(items)) > 1 else items[0], shown, made)
        shown["list"] = True
        return {"type": "one-or-list", "item": node}
    if all(_is_scalar(kind) or isinstance(kind, ir.Constant) for kind in kinds):
        nodes = [_typed(kind, {}, made) for kind in kinds]
        shown["type"] = "string"
        suggestions = [kind for kind in kinds if isinstance(kind, ir.Choice)]
        if suggestions:
            _choice(ir.Choice(tuple(option for kind in suggestions for option in kind.options)), shown)
            shown["choices"] = list({one["value"]: one for one in shown.get("choices", [])}.values())
            if not shown["choices"]:
                del shown["choices"]
        return {"type": "union", "variants": nodes}
    shown["type"] = "json"
    return {"type": "json", "orText": any(isinstance(kind, ir.Text | ir.Choice) for kind in kinds)}
