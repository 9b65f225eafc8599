"""Swagger 2.0 into OpenAPI 3.1, on the way in. Of the converters on PyPI none is a library by itself: each comes with a
generator, and most with its dependencies.

Schemas stay as they are, except for where their references lead: what 2.0 says in another way than 3.1, such as
`type: file` and `x-nullable`, is understood where schemas are read.
"""

from collections.abc import Iterator
from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_BODY = {"body", "formData"}
_FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")
_MOVED = {
    "#/definitions/": "#/components/schemas/",
    "#/parameters/": "#/components/parameters/",
    "#/responses/": "#/components/responses/",
}
_STYLES = {"ssv": "spaceDelimited", "pipes": "pipeDelimited"}
_SCHEMA_MEMBERS = {
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
    "x-nullable",
}
_FLOWS = {
    "implicit": "implicit",
    "password": "password",
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
}


def converted(tree: dict[str, Any]) -> dict[str, Any]:
    """The same API in OpenAPI 3.1. What is not as 2.0 wants it is taken over as it is, for whoever reads it to report;
    so nothing is raised."""
    components = {
        "schemas": tree.get("definitions", {}),
        "parameters": {name: _parameter(one) for name, one in _members(tree, "parameters") if not _is_body(one)},
        "responses": {name: _response(one, _texts(tree, "produces")) for name, one in _members(tree, "responses")},
        "securitySchemes": {name: _scheme(one) for name, one in _members(tree, "securityDefinitions")},
    }
    kept = {
        name: value
        for name, value in tree.items()
        if name in ("info", "tags", "security", "externalDocs") or str(name).startswith("x-")
    }
    moved = {
        "openapi": "3.1.0",
        **kept,
        "servers": _servers(tree),
        "paths": {path: _path_item(item, tree) for path, item in _members(tree, "paths")},
        "components": components,
    }
    return {name: _with_moved_references(value) for name, value in moved.items()}


def _members(holder: Any, name: str) -> Iterator[tuple[str, Any]]:
    found = holder.get(name) if isinstance(holder, dict) else None
    yield from found.items() if isinstance(found, dict) else ()


def _texts(holder: Any, name: str) -> list[str]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _servers(tree: dict[str, Any]) -> list[dict[str, Any]]:
    base = tree.get("basePath", "")
    if "host" not in tree:
        return [{"url": base or "/"}]
    schemes = _texts(tree, "schemes") or ["https"]
    return [{"url": f"{scheme}://{tree['host']}{base}"} for scheme in sorted(schemes, key=lambda one: one != "https")]


def _path_item(item: Any, tree: dict[str, Any]) -> Any:
    if not isinstance(item, dict):
        return item
    shared = _resolved(item.get("parameters"), tree)
    moved = {name: value for name, value in item.items() if name not in METHODS and name != "parameters"}
    moved["parameters"] = [_parameter(one) for one in shared if not _is_body(one)]
    for method in METHODS:
        if method in item:
            moved[method] = _operation(item[method], [one for one in shared if _is_body(one)], tree)
    return moved


def _operation(node: Any, shared: list[Any], tree: dict[str, Any]) -> Any:
    if not isinstance(node, dict):
        return node
    listed = _resolved(node.get("parameters"), tree)
    in_body = [one for one in listed if _is_body(one)] or shared
    consumes = _texts(node, "consumes") or _texts(tree, "consumes")
    produces = _texts(node, "produces") or _texts(tree, "produces")
    moved = {
        name: value for name, value in node.items() if name not in ("consumes", "produces", "parameters", "schemes")
    }
    moved["parameters"] = [_parameter(one) for one in listed if not _is_body(one)]
    if in_body:
        moved["requestBody"] = _request_body(in_body, consumes)
    moved["responses"] = {status: _response(one, produces) for status, one in _members(node, "responses")}
    return moved


def _resolved(listed: Any, tree: dict[str, Any]) -> list[Any]:
    """Parameters, those that are references to the document's own as these: only so is it known which are the body."""
    if not isinstance(listed, list):
        return []
    own = dict(_members(tree, "parameters"))
    found = []
    for one in listed:
        reference = one.get("$ref") if isinstance(one, dict) else None
        name = reference.removeprefix("#/parameters/") if isinstance(reference, str) else None
        found.append(own.get(name, one) if name is not None else one)
    return found


def _is_body(parameter: Any) -> bool:
    return isinstance(parameter, dict) and parameter.get("in") in _BODY


def _parameter(node: Any) -> Any:
    if not isinstance(node, dict) or "$ref" in node:
        return node
    moved = {name: value for name, value in node.items() if name not in _SCHEMA_MEMBERS and name != "collectionFormat"}
    moved["schema"] = _schema(node)
    if node.get("type") == "array":
        collection = node.get("collectionFormat", "csv")
        moved["explode"] = collection == "multi"
        if collection in _STYLES:
            moved["style"] = _STYLES[collection]
    return moved


def _schema(node: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name in _SCHEMA_MEMBERS}


def _request_body(parameters: list[Any], consumes: list[str]) -> dict[str, Any]:
    whole = next((one for one in parameters if one["in"] == "body"), None)
    if whole is not None:
        types = [one for one in consumes if one not in _FORM_TYPES] or ["application/json"]
        content = {one: {"schema": whole.get("schema", {})} for one in types}
        return {
            "required": whole.get("required", False),
            "description": whole.get("description", ""),
            "content": content,
        }
    has_file = any(one.get("type") == "file" for one in parameters)
    types = [one for one in consumes if one in _FORM_TYPES] or [_FORM_TYPES[0] if has_file else _FORM_TYPES[1]]
    named = [one for one in parameters if isinstance(one.get("name"), str)]
    described = ("description", *(name for one in named for name in one if name.startswith("x-")))
    form = {
        "type": "object",
        "properties": {
            one["name"]: {**_schema(one), **{name: one[name] for name in described if name in one}} for one in named
        },
        "required": [one["name"] for one in named if one.get("required") is True],
    }
    encoding = {
        one["name"]: {"style": "form", "explode": one.get("collectionFormat") == "multi"}
        for one in named
        if one.get("type") == "array"
    }
    content = {"schema": form, "encoding": encoding}
    return {"required": bool(form["required"]), "content": {types[0]: content}}


def _response(node: Any, produces: list[str]) -> Any:
    if not isinstance(node, dict) or "$ref" in node:
        return node
    moved = {name: value for name, value in node.items() if name not in ("schema", "examples", "headers")}
    moved["headers"] = {
        name: {"schema": _schema(one)} for name, one in _members(node, "headers") if isinstance(one, dict)
    }
    if "schema" in node:
        examples = dict(_members(node, "examples"))
        content: dict[str, Any] = {}
        for media_type in produces or ["application/json"]:
            content[media_type] = {"schema": node["schema"]}
            if media_type in examples:
                content[media_type]["example"] = examples[media_type]
        moved["content"] = content
    return moved


def _scheme(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node.get("type") == "basic":
        return {**node, "type": "http", "scheme": "basic"}
    if node.get("type") != "oauth2":
        return node
    flow = {name: node[name] for name in ("authorizationUrl", "tokenUrl") if name in node}
    flow["scopes"] = node.get("scopes", {})
    return {
        "type": "oauth2",
        "description": node.get("description", ""),
        "flows": {_FLOWS.get(str(node.get("flow")), "implicit"): flow},
    }


def _with_moved_references(node: Any) -> Any:
    """References lead to where things are now; no deeper than a document can be."""
    if isinstance(node, list):
        return [_with_moved_references(one) for one in node]
    if not isinstance(node, dict):
        return node
    moved = {name: _with_moved_references(value) for name, value in node.items()}
    reference = moved.get("$ref")
    if isinstance(reference, str):
        for before, after in _MOVED.items():
            if reference.startswith(before):
                moved["$ref"] = after + reference.removeprefix(before)
    return moved
