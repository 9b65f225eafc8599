"""JSON and XML."""

from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.functions.registry import function
from aiops_connect.platforms.make.runner.iml.values import UNDEFINED, Value, is_missing, parse_json, to_json, to_text
from aiops_connect.platforms.make.runner.iml.xml import XmlError, parse_xml, print_xml
from aiops_connect.platforms.make.runner.limits import VALUE_DEPTH


@function("parseJSON(text)")
def parse_json_(_: Context, text: Value) -> Value:
    try:
        return parse_json(text if isinstance(text, bytes) else to_text(text))
    except ValueError as error:
        raise ImlEvaluationError(f"The text is not valid JSON: {error}.") from None


@function("createJSON(value)")
def create_json(_: Context, value: Value) -> Value:
    return UNDEFINED if value is UNDEFINED else to_json(value)


@function("parseXML(text)")
def parse_xml_(_: Context, text: Value) -> Value:
    try:
        return parse_xml(to_text(text))
    except XmlError as error:
        raise ImlEvaluationError(f"The text is not valid XML: {error}.") from None


@function("createXML(collection)")
def create_xml(_: Context, collection: Value) -> Value:
    try:
        return print_xml(collection)
    except XmlError as error:
        raise ImlEvaluationError(f"The collection cannot be written as XML: {error}.") from None


@function("toDataStructure(data, [type])")
def to_data_structure(_: Context, data: Value, kind: Value = UNDEFINED) -> Value:
    """Parameters that describe a collection, as an interface does."""
    if not is_missing(kind) and to_text(kind) != "json":
        raise ImlEvaluationError("Only the type 'json' is known.")
    value = parse_json_(_, data) if isinstance(data, str) else data
    return _fields(value) if isinstance(value, dict) else []


def _fields(collection: dict[str, Value]) -> list[Value]:
    return [{"name": name, **_specification(value, 1)} for name, value in collection.items()]


def _specification(value: Value, depth: int) -> dict[str, Value]:
    if depth > VALUE_DEPTH:
        raise ImlEvaluationError(f"The value is nested more than {VALUE_DEPTH} deep.")
    if isinstance(value, dict):
        return {
            "type": "collection",
            "spec": [{"name": name, **_specification(item, depth + 1)} for name, item in value.items()],
        }
    if isinstance(value, list):
        return {"type": "array", "spec": _specification(value[0], depth + 1) if value else {"type": "any"}}
    names = {bool: "boolean", int: "number", float: "number", bytes: "buffer", str: "text"}
    return {"type": names.get(type(value), "any")}
