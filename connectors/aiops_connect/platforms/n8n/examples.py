"""Workflows to start from: each runs as it stands, with a credential."""

import uuid
from itertools import pairwise

from aiops_connect import ir
from aiops_connect.platforms.n8n import naming
from aiops_connect.platforms.n8n.credentials import Credential

_COUNT_MAX = 5
_COLUMN_WIDTH = 220
_START = "Start"

Workflow = dict[str, object]
Node = dict[str, object]


def workflows(
    groups: tuple[naming.Steps, ...], credentials: tuple[Credential, ...], stem: str, package: str
) -> list[tuple[str, Workflow]]:
    """Paths and workflows: the paid operations, else those that read, as far as the examples of the document reach."""
    steps = [(group, step) for group in groups for step in group.steps if not step.is_waiting]
    paid = [pair for pair in steps if pair[1].operation.credits is not None]
    read = [pair for pair in steps if pair[1].operation.effect in (ir.Effect.LIST, ir.Effect.READ)]
    chains = _chains(steps, paid) or _chains(steps, read)
    return [
        (
            f"examples/{step.operation.id.replace('_', '-')}.json",
            _workflow(step.action, [_node(one, values, credentials, stem, package) for one, values in chain]),
        )
        for step, chain in chains
    ]


Link = tuple[tuple[naming.Steps, naming.Step], dict[str, object]]


def _chains(
    steps: list[tuple[naming.Steps, naming.Step]], chosen: list[tuple[naming.Steps, naming.Step]]
) -> list[tuple[naming.Step, list[Link]]]:
    found = [(step, _chain(steps, group, step)) for group, step in chosen[:_COUNT_MAX]]
    return [(step, chain) for step, chain in found if chain]


def _chain(steps: list[tuple[naming.Steps, naming.Step]], group: naming.Steps, step: naming.Step) -> list[Link]:
    """The step, after one that makes the file it takes; empty where a required value has no example."""
    values: dict[str, object] = {}
    before: list[Link] = []
    names = naming.parameters(one.id for one in _asked(step.operation))
    for one, name in zip(_asked(step.operation), names, strict=True):
        if not one.required:
            continue
        maker = next((pair for pair in steps if pair[1] is not step and _makes(pair[1].operation, one)), None)
        if maker is not None:
            before = _chain(steps, *maker)
        if maker is not None and before:
            values[name] = f"={{{{ $json.{one.name} }}}}"
        elif isinstance(one.example, str) and not one.example.startswith("=") and not isinstance(one.type, ir.File):
            values[name] = one.example
        else:
            return []
    return [*before, ((group, step), values)]


def _asked(operation: ir.Operation) -> list[ir.Field]:
    return [one for one in operation.inputs if not isinstance(one.type, ir.Constant)]


def _makes(operation: ir.Operation, wanted: ir.Field) -> bool:
    """Whether an operation answers a link to a file under the name of the one that is wanted."""
    is_link = isinstance(wanted.type, ir.File) and wanted.type.form is ir.FileForm.URL and wanted.name.isidentifier()
    fields = operation.answer.fields if is_link and operation.answer is not None else ()
    return any(isinstance(one.type, ir.File) and one.name == wanted.name for one in fields)


def _node(
    pair: tuple[naming.Steps, naming.Step],
    values: dict[str, object],
    credentials: tuple[Credential, ...],
    stem: str,
    package: str,
) -> Node:
    group, step = pair
    type_ = f"{package}.{stem[0].lower()}{stem[1:]}"
    parameters = {"resource": group.value, "operation": step.value, **values}
    credential = credentials[0]
    return {
        "name": step.action,
        "type": type_,
        "typeVersion": 1,
        "parameters": parameters,
        "credentials": {credential.name: {"id": "", "name": credential.label}},
    }


def _workflow(name: str, steps: list[Node]) -> Workflow:
    start: Node = {"name": _START, "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "parameters": {}}
    nodes = [start, *steps]
    for column, node in enumerate(nodes):
        node["id"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}#{node['name']}"))
        node["position"] = [column * _COLUMN_WIDTH, 0]
    connections = {
        str(one["name"]): {"main": [[{"node": to["name"], "type": "main", "index": 0}]]} for one, to in pairwise(nodes)
    }
    return {"name": name, "nodes": nodes, "connections": connections, "settings": {"executionOrder": "v1"}}
