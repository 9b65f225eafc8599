"""XML as Make reads it: each node an array, its attributes in `_attributes`, its text in `_value` where it has any."""

from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict

from aiops_connect.platforms.make.runner.iml.values import Value, to_text
from aiops_connect.platforms.make.runner.limits import VALUE_DEPTH

ATTRIBUTES = "_attributes"
TEXT = "_value"


class XmlError(ValueError):
    """The text is not XML, or the value cannot be written as XML."""


def parse_xml(text: str) -> dict[str, Value]:
    """The root by its name; below it, every node stands in an array, even a single one.

    :raises XmlError: for what is not XML, declares entities, or is nested too deep
    """
    try:
        parsed = xmltodict.parse(text, force_list=_is_node, attr_prefix="@", cdata_key="#text", disable_entities=True)
        return {name: _node(nodes[0], 0) for name, nodes in parsed.items()}
    except (ExpatError, ValueError, RecursionError) as error:
        raise XmlError(str(error)) from None


def _is_node(_path: Any, name: str, _value: Any) -> bool:
    return name[0] not in "@#"


def _node(node: Any, depth: int) -> Value:
    if depth > VALUE_DEPTH:
        raise XmlError(f"it is nested more than {VALUE_DEPTH} deep")
    if not isinstance(node, dict):
        return node or ""
    attributes = {name[1:]: value for name, value in node.items() if name.startswith("@")}
    children = {
        name: [_node(child, depth + 1) for child in nodes] for name, nodes in node.items() if name[0] not in "@#"
    }
    text = {TEXT: node["#text"]} if "#text" in node else {}
    return ({ATTRIBUTES: attributes} if attributes else {}) | text | children


def print_xml(value: Value) -> str:
    """The text of a collection with one root, in the form that `parse_xml` gives.

    :raises XmlError: for anything else
    """
    if not isinstance(value, dict) or len(value) != 1:
        raise XmlError("it needs exactly one member, the root")
    try:
        printed: str = xmltodict.unparse(_unparsed(value, 0), full_document=False)
    except (ValueError, TypeError) as error:
        raise XmlError(str(error)) from None
    return printed


def _unparsed(value: Value, depth: int) -> Any:
    if depth > VALUE_DEPTH:
        raise XmlError(f"it is nested more than {VALUE_DEPTH} deep")
    if isinstance(value, list):
        return [_unparsed(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return to_text(value)
    result: dict[str, Any] = {}
    for name, item in value.items():
        if name == ATTRIBUTES and isinstance(item, dict):
            result |= {f"@{attribute}": to_text(text) for attribute, text in item.items()}
        elif name == TEXT:
            result["#text"] = to_text(item)
        else:
            result[name] = _unparsed(item, depth + 1)
    return result
