"""What the API calls: callbacks of operations, and the bodies and signatures that these and webhooks have."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiops_connect import ir, naming
from aiops_connect.openapi.examples import first_example, sample
from aiops_connect.openapi.media_types import Family, preferred
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.schemas import OUTPUT, Schemas

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_STANDARD_WEBHOOKS = {"webhook-id", "webhook-timestamp", "webhook-signature"}
_EXPRESSION = re.compile(r"\{?\$request\.(?:body#/(?P<body>[^}]+)|(?:query|header|path)\.(?P<other>[^}]+))\}?")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one call of the API looks like. `node` is the operation that describes it."""

    node: Node
    label: str
    help: str
    payload: ir.FieldType | None
    sample: ir.Json | ir.Missing
    is_signed: bool


def deliveries(item: Node, schemas: Schemas) -> Iterator[Delivery]:
    """The calls that a path item of a webhook or a callback describes."""
    path_item = item.follow()
    if path_item is None:
        return
    for method in METHODS:
        node = path_item.child(method)
        if node is not None and isinstance(node.value, dict):
            yield _delivery(path_item, node, schemas)


def _delivery(item: Node, node: Node, schemas: Schemas) -> Delivery:
    payload: ir.FieldType | None = None
    example: ir.Json | ir.Missing = ir.MISSING
    request = node.child("requestBody")
    request = request.follow() if request is not None else None
    found = preferred(request) if request is not None else None
    if found is not None:
        _, family, content = found
        schema = content.child("schema")
        is_json = family in (Family.JSON, Family.FORM, Family.MULTIPART)
        payload = schemas.type_of(schema, OUTPUT).type if is_json and schema is not None else ir.AnyJson()
        example = first_example(content)
        if example is ir.MISSING and is_json:
            example = sample(payload)
    headers = {
        parameter.text("name").lower()
        for holder in (item, node)
        for entry in holder.objects("parameters")
        if (parameter := entry.follow()) is not None and parameter.get("in") == "header"
    }
    return Delivery(
        node, node.text("summary"), node.text("description"), payload, example, headers >= _STANDARD_WEBHOOKS
    )


def callbacks(operation: Node, inputs: Sequence[ir.Field], schemas: Schemas) -> tuple[ir.Callback, ...]:
    """The callbacks of an operation."""
    found = [
        (name, expression, delivery)
        for name, entry in operation.members("callbacks").items()
        if (callback := entry.follow()) is not None
        for expression, item in _expressions(callback)
        for delivery in deliveries(item, schemas)
    ]
    ids = naming.identifiers((name for name, _, _ in found), otherwise="callback")
    return tuple(
        ir.Callback(
            id=id_,
            label=naming.title(delivery.label, name),
            payload=delivery.payload,
            sample=delivery.sample,
            field=_address_field(expression, inputs),
            signature=ir.Signature(ir.SignatureScheme.STANDARD_WEBHOOKS) if delivery.is_signed else None,
            help=delivery.help,
        )
        for id_, (name, expression, delivery) in zip(ids, found, strict=True)
    )


def _expressions(callback: Node) -> Iterator[tuple[str, Node]]:
    for expression in callback.value:
        if not expression.startswith("x-") and (item := callback.child(expression)) is not None:
            yield expression, item


def _address_field(expression: str, inputs: Sequence[ir.Field]) -> str | None:
    """The input that a callback's address is taken from (OpenAPI 3.1, section 4.8.20.4)."""
    match = _EXPRESSION.fullmatch(expression)
    if match is None:
        return None
    name = match["body"] or match["other"]
    return next((field.id for field in inputs if field.name == name), None)
