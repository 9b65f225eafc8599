"""Make's own JSON schemas, from the folder AIOPS_MAKE_SCHEMAS, over the files of an app."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

_ADDRESS = "https://make.invalid/"
_MANIFEST = "makecomapp.json"
_BY_SUFFIX = {
    ".communication.iml.json": "api.json",
    ".oauth-communication.iml.json": "api-oauth.json",
    ".scope-list.iml.json": "scopes.json",
    ".attach.iml.json": "api.json",
    ".detach.iml.json": "api.json",
    ".update.iml.json": "api.json",
    "params.iml.json": "parameters.json",
    ".interface.iml.json": "parameters.json",
    ".samples.iml.json": "samples.json",
    "scope.iml.json": "scope.json",
    "base.iml.json": "base.json",
    "common.json": "common.json",
    "groups.json": "groups.json",
}


@cache
def validator(name: str) -> Any:
    """Each schema has a relative name of its own to which the others refer."""
    folder = Path(os.environ["AIOPS_MAKE_SCHEMAS"])
    schemas = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
    resources: list[tuple[str, Any]] = [(f"{_ADDRESS}{each}", schema) for each, schema in schemas.items()]
    resources.append(("http://json-schema.org/draft-07/schema", {}))  # named for a key that we never render
    registry = jsonschema_rs.Registry(resources)
    return jsonschema_rs.Draft7Validator({"$ref": f"{_ADDRESS}{name}"}, registry=registry)


def all_schemas() -> list[str]:
    return sorted(path.name for path in Path(os.environ["AIOPS_MAKE_SCHEMAS"]).glob("*.json"))


def schema_of(path: str) -> str | None:
    """The schema that Make's tools apply to a file of this name."""
    if path == _MANIFEST:
        return "makecomapp.schema.json"
    return next((schema for suffix, schema in _BY_SUFFIX.items() if path.endswith(suffix)), None)


def violations(files: dict[str, Any]) -> list[str]:
    """What the schemas say against an app, by the path of the file."""
    found = []
    for path, content in files.items():
        schema = schema_of(path)
        if schema is not None:
            errors = validator(schema).iter_errors(content)
            found += [f"{path}: {'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in errors]
    return found
