"""A workflow of n8n to paste: it makes one call and uses what is answered.

The versions of the nodes are ones that n8n has understood since 2024 and still does. The credential is not named, only
its type: whoever pastes the workflow chooses their own.
"""

import json
import uuid
from itertools import pairwise
from typing import Any

from aiops.web.reference.examples import Call, body_text

TRIGGER = "Start"
COLUMN_WIDTH = 220
RETRIES = 3
RETRY_MILLISECONDS = 5000  # the most that n8n waits


def n8n_workflow(title: str, call: Call, *, key_name: str, is_link: bool) -> str:
    """The workflow as JSON. `key_name` tells this node's Idempotency-Key from those of others in the workflow;
    `is_link` says that the result is a link, whose file the last node fetches."""
    nodes = [_node(TRIGGER, "manualTrigger", 1, {}), _request(title, call, key_name)]
    if call.result is not None:
        nodes.append(_download(call.result) if is_link else _keep(call.result))
    for column, node in enumerate(nodes):
        node["id"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{call.url}#{node['name']}"))
        node["position"] = [column * COLUMN_WIDTH, 0]
    connections = {
        one["name"]: {"main": [[{"node": to["name"], "type": "main", "index": 0}]]} for one, to in pairwise(nodes)
    }
    return json.dumps({"name": title, "nodes": nodes, "connections": connections}, ensure_ascii=False, indent=2)


def expression(field: str) -> str:
    """How a field of the node before is named in the next node."""
    return f"{{{{ $json.{field} }}}}" if field.isidentifier() else f"{{{{ $json[{json.dumps(field)}] }}}}"


def idempotency_expression(key_name: str) -> str:
    """A key that is new for each execution and item, and stays the same when n8n tries a node again."""
    return f"{{{{ $execution.id }}}}-{key_name}-{{{{ $itemIndex }}}}"


def _node(name: str, kind: str, version: float, parameters: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "parameters": parameters,
        **settings,
    }


def _request(title: str, call: Call, key_name: str) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "method": call.method,
        "url": call.url,
        "authentication": "genericCredentialType",
        "genericAuthType": "httpHeaderAuth",
        "sendHeaders": True,
        "headerParameters": {
            "parameters": [{"name": "Idempotency-Key", "value": f"={idempotency_expression(key_name)}"}]
        },
        "sendBody": True,
        "specifyBody": "json",
        "jsonBody": body_text(call.body),
        "options": {},
    }
    return _node(
        title, "httpRequest", 4.2, parameters, retryOnFail=True, maxTries=RETRIES, waitBetweenTries=RETRY_MILLISECONDS
    )


def _download(field: str) -> dict[str, Any]:
    options = {"response": {"response": {"responseFormat": "file"}}}
    return _node("Fetch the file", "httpRequest", 4.2, {"url": f"={expression(field)}", "options": options})


def _keep(field: str) -> dict[str, Any]:
    assignment = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, field)),
        "name": field,
        "value": f"={expression(field)}",
        "type": "string",
    }
    return _node("Use the result", "set", 3.4, {"assignments": {"assignments": [assignment]}, "options": {}})
