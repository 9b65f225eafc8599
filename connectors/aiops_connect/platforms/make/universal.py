"""The module that makes any call of the API, on its own host and nowhere else."""

from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.make.components import Component
from aiops_connect.platforms.make.connection import Connections

ID = "makeApiCall"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def component(app: ir.App, connections: Connections, base_url: str) -> Component:
    """Make wants one in each app. The path comes after the host and a slash, so that no path leads to another."""
    origin = "/".join(base_url.split("/")[:3])
    example = next((one.path for one in app.operations if one.method == "GET" and "{" not in one.path), "/")
    prefix = base_url[len(origin) :]
    communication = {
        "url": f"{origin if prefix else ''}/{{{{parameters.url}}}}",
        "method": "{{parameters.method}}",
        "headers": {"{{...}}": "{{toCollection(parameters.headers, 'key', 'value')}}"},
        "qs": {"{{...}}": "{{toCollection(parameters.qs, 'key', 'value')}}"},
        "type": "text",
        "body": "{{ifempty(parameters.body, undefined)}}",
        "response": {"output": {"body": "{{body}}", "headers": "{{headers}}", "statusCode": "{{statusCode}}"}},
    }
    metadata = {
        "label": "Make an API call",
        "description": "Performs an arbitrary authorized API call.",
        "moduleType": "universal",
        **connections.used(None),
    }
    codes: dict[str, Any] = {
        "communication": communication,
        "staticParams": [],
        "mappableParams": _parameters(origin, f"{prefix}{example}"),
        "interface": [
            {"name": "body", "label": "Body", "type": "any"},
            {"name": "headers", "label": "Headers", "type": "collection"},
            {"name": "statusCode", "label": "Status code", "type": "uinteger"},
        ],
        "samples": {"body": {}, "headers": {"content-type": "application/json"}, "statusCode": 200},
        "scope": [],
    }
    return Component("module", ID, metadata, codes)


def _parameters(origin: str, example: str) -> list[dict[str, Any]]:
    return [
        {
            "name": "url",
            "type": "text",
            "label": "URL",
            "required": True,
            "help": f"Enter a path relative to `{origin}`. For example, `{example}`.",
            "validate": {"pattern": "^/"},
        },
        {
            "name": "method",
            "type": "select",
            "label": "Method",
            "required": True,
            "default": "GET",
            "options": [{"label": name, "value": name} for name in _METHODS],
        },
        {
            "name": "headers",
            "type": "array",
            "label": "Headers",
            "labels": {"add": "Add item"},
            "help": "The credentials are added by themselves.",
            "default": [{"key": "Content-Type", "value": "application/json"}],
            "spec": _pair(),
        },
        {
            "name": "qs",
            "type": "array",
            "label": "Query string",
            "labels": {"add": "Add item"},
            "spec": _pair(),
        },
        {"name": "body", "type": "any", "label": "Body", "help": "What is sent, as it is. Nothing with GET."},
    ]


def _pair() -> list[dict[str, Any]]:
    return [
        {"name": "key", "type": "text", "label": "Key"},
        {"name": "value", "type": "text", "label": "Value"},
    ]
