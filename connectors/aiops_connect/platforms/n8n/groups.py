"""Objects, lists of them, and values of one of several shapes: parameters within a parameter."""

from collections.abc import Callable
from dataclasses import replace

from aiops_connect import ir
from aiops_connect import naming as neutral
from aiops_connect.platforms.n8n import naming, prose
from aiops_connect.platforms.n8n.literals import Value
from aiops_connect.platforms.n8n.options import in_order
from aiops_connect.platforms.n8n.properties import Property, Rendered

# A group in a group in a group is asked for as JSON: n8n shows it beside its parameters, not one in the other.
DEPTH_MAX = 2
MEMBERS_MAX = 60
VARIANTS_MAX = 12
# What stands in a section where there is nothing to enter.
_NOTHING: Property = {"displayName": "Nothing to Enter", "name": "nothing", "type": "hidden", "default": ""}

# Renders a member, by the name of its parameter and how deep it is.
Render = Callable[[ir.Field, str, int], Rendered]


def group(one: ir.Field, type_: ir.Group, depth: int, render: Render, *, many: bool) -> Rendered | None:
    """Members beside one another; the optional ones in a collection. None where JSON is the better form."""
    is_flat = not many and not any(member.required for member in _asked(type_))
    found = _section(type_, depth, render, is_flat=is_flat)
    if found is None or not _asked(type_):
        return None
    if is_flat:
        made: Property = {"kind": "collection", "placeholder": "Add Field", "default": {}, "options": found[0]}
        return Rendered(made, found[1] | {"wrapped": False, "many": False})
    label = prose.title(naming.singular(one.label) if many else one.label)
    section: Property = {"displayName": label, "name": "values", "values": found[0]}
    made = {"kind": "fixedCollection", "placeholder": f"Add {label}", "default": {}, "options": [section]}
    if many:
        made["typeOptions"] = {"multipleValues": True}
    return Rendered(made, found[1] | {"wrapped": True, "many": many})


def _asked(group: ir.Group) -> list[ir.Field]:
    return [member for member in group.fields if not isinstance(member.type, ir.Constant)]


def _section(group: ir.Group, depth: int, render: Render, *, is_flat: bool) -> tuple[list[Value], Property] | None:
    """The parameters of an object's members, and its shape; `is_flat`: the optional ones are not set apart. None where
    there are too many, or nobody knows their names."""
    asked = _asked(group)
    if depth >= DEPTH_MAX or len(asked) > MEMBERS_MAX or group.additional is not None:
        return None
    names = naming.parameters(member.id for member in asked)
    parts = [
        (member, name, render(replace(member, options=None), name, depth + 1))
        for member, name in zip(asked, names, strict=True)
    ]
    constants = {member.name: member.type.value for member in group.fields if isinstance(member.type, ir.Constant)}
    members = [_member(member, name, part.shape) for member, name, part in parts]
    shape: Property = {"kind": "group", "members": members, "constants": dict(constants)}
    required = [part.property for member, _, part in parts if member.required]
    optional = in_order([part.property for member, _, part in parts if not member.required], "displayName")
    if is_flat:
        return list(optional), shape
    return list(in_order([*required, *([_additional(optional)] if optional else [])], "displayName")), shape


def union(one: ir.Field, type_: ir.Union, depth: int, render: Render) -> Rendered | None:
    """A section for each shape, of which people add one. None where JSON is the better form."""
    if len(type_.variants) > VARIANTS_MAX:
        return None
    sections: list[Property] = []
    variants: list[Property] = []
    labels = _labels(type_)
    for variant, label, name in zip(type_.variants, labels, naming.parameters(labels, ()), strict=True):
        is_bare = not isinstance(variant.type, ir.Group)
        members = variant.type if isinstance(variant.type, ir.Group) else bare(variant)
        found = _section(members, depth, render, is_flat=False)
        if found is None:
            return None
        sections.append({"displayName": label, "name": name, "values": found[0] or [dict(_NOTHING)]})
        shape = found[1] | {"wrapped": True, "many": False}
        variants.append({"section": name, "label": label, "shape": shape, "isBare": is_bare})
    made: Property = {"kind": "fixedCollection", "placeholder": f"Choose {prose.title(one.label)}", "default": {}}
    made["options"] = list(in_order(sections, "displayName"))
    return Rendered(made, {"kind": "union", "variants": list(variants)})


def _labels(union: ir.Union) -> list[str]:
    """What the shapes are called: by what tells them apart, where the document has no name for each."""
    labels = [prose.title(variant.label) for variant in union.variants]
    if len(set(labels)) < len(labels) and union.selector is not None:
        labels = [prose.title(neutral.label(str(variant.value))) for variant in union.variants]
    found: list[str] = []
    for label in labels:
        candidate, number = label, 2
        while candidate in found:
            candidate, number = f"{label} {number}", number + 1
        found.append(candidate)
    return found


def bare(variant: ir.Variant) -> ir.Group:
    """A value that is no object, as the only member of one."""
    return ir.Group((ir.Field("value", "value", variant.label, variant.type, required=True),))


def _member(one: ir.Field, parameter: str, shape: Property) -> Property:
    made: Property = {"parameter": parameter, "name": one.name, "label": prose.title(one.label), "shape": shape}
    return made | {"optional": not one.required}


def _additional(optional: list[Property]) -> Property:
    return {
        "displayName": "Additional Fields",
        "name": "additionalFields",
        "type": "collection",
        "placeholder": "Add Field",
        "default": {},
        "options": list(optional),
    }
