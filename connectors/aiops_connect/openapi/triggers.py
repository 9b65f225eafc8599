"""Webhooks into triggers: one for each that the document describes, and those that `x-connector-triggers` makes of
several, with how a platform subscribes to them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aiops_connect import ir, naming
from aiops_connect.openapi import annotations, words
from aiops_connect.openapi.callbacks import Delivery, deliveries
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.schemas import Schemas
from aiops_connect.pointers import pointer, type_at, value_at

_MEMBERS = ("summary", "description", "webhooks", "event", "subscribe", "unsubscribe", "list", "samples", "secret")
_CALL = ("operationId", "parameters")
_SAMPLES = ("operationId", "items", "at")
_PLATFORM = {"$url": ir.FromPlatform.URL, "$events": ir.FromPlatform.EVENTS}
_ANSWER = "$response.body#"
_EVENT_NAMES = ("type", "event", "event_type", "eventType", "action")
_SEPARATE = object()


@dataclass(frozen=True, slots=True)
class Linker:
    """Finds what words refer to: operations by their operationId, and their inputs."""

    operations: Mapping[str, ir.Operation]
    ids: Mapping[str, str]

    def operation(self, node: Node, name: str) -> ir.Operation | None:
        id_ = annotations.operation_id(node, name, self.ids)
        if id_ is not None and id_ not in self.operations:
            node.report("The operation cannot be rendered. Mend it, or name another.", at=name)
        return self.operations.get(id_ or "")

    def call(self, holder: Node, name: str) -> ir.Call | None:
        """A call that a member describes; None where there is no such member, or, with a problem, it describes none."""
        if not holder.has(name):
            return None
        node = annotations.members(holder, name, _CALL, ("operationId",))
        operation = self.operation(node, "operationId") if node is not None else None
        if node is None or operation is None:
            return None
        bindings = [
            self._binding(value, parameter, operation) for parameter, value in node.members("parameters").items()
        ]
        return ir.Call(operation.id, tuple(binding for binding in bindings if binding is not None))

    def _binding(self, node: Node, name: str, operation: ir.Operation) -> ir.Binding | None:
        field = next((field for field in operation.inputs if field.name == name), None)
        if field is None:
            node.report(
                f"{operation.id} has no input of this name. It has {', '.join(one.name for one in operation.inputs)}."
            )
            return None
        return ir.Binding(field.id, _source(node.value))


def _source(value: ir.Json) -> ir.Source:
    """What fills an input: a runtime expression as in a link of OpenAPI, `$url`, `$events`, or the value itself."""
    if isinstance(value, str) and value in _PLATFORM:
        return _PLATFORM[value]
    if isinstance(value, str) and value.startswith(_ANSWER):
        return ir.FromAnswer(value.removeprefix(_ANSWER))
    return ir.Literally(value)


def triggers(root: Node, schemas: Schemas, linker: Linker) -> tuple[ir.Trigger, ...]:
    """The triggers of a document. Webhooks that a trigger takes together are none of their own; one that is excluded is
    left out."""
    described = {
        name: delivery
        for name, item in root.members("webhooks").items()
        for delivery in deliveries(item, schemas)
        if not delivery.node.flag(words.EXCLUDE)
    }
    made = [(name, node) for name, node in root.members(words.TRIGGERS).items()]
    taken = {webhook for _, node in made if isinstance(node.value, dict) for webhook in node.texts("webhooks")}
    alone = [name for name in described if name not in taken]
    ids = naming.identifiers([*(name for name, _ in made), *alone], otherwise="event")
    found = [_combined(root, name, id_, described, linker) for (name, _), id_ in zip(made, ids, strict=False)]
    found += [_alone(name, described[name], id_) for name, id_ in zip(alone, ids[len(made) :], strict=True)]
    return tuple(trigger for trigger in found if trigger is not None)


def _alone(name: str, delivery: Delivery, id_: str) -> ir.Trigger:
    label = naming.title(delivery.label, name)
    return ir.Trigger(
        id=id_,
        label=label,
        events=(ir.Option(name, label, delivery.help),),
        payload=delivery.payload,
        help=delivery.help,
        event=_event_pointer(delivery.payload, [name]),
        sample=delivery.sample,
        signature=ir.Signature(ir.SignatureScheme.STANDARD_WEBHOOKS) if delivery.is_signed else None,
        delivery="webhook-id" if delivery.is_signed else None,
    )


def _combined(root: Node, name: str, id_: str, described: Mapping[str, Delivery], linker: Linker) -> ir.Trigger | None:
    holder = root.child(words.TRIGGERS)
    node = annotations.members(holder, name, _MEMBERS, ("webhooks",)) if holder is not None else None
    if node is None:
        return None
    chosen = list(_chosen(node, described))
    if not chosen:
        return None
    events = [webhook for webhook, _ in chosen]
    first = chosen[0][1]
    subscribe = linker.call(node, "subscribe")
    subscription = None
    if subscribe is not None:
        subscription = ir.Subscription(subscribe, linker.call(node, "unsubscribe"), linker.call(node, "list"))
    secret = annotations.pointer(node, "secret")
    return ir.Trigger(
        id=id_,
        label=naming.title(node.text("summary"), name),
        events=tuple(ir.Option(event, naming.title(one.label, event), one.help) for event, one in chosen),
        payload=first.payload,
        help=node.text("description"),
        event=annotations.pointer(node, "event") if node.has("event") else _event_pointer(first.payload, events),
        sample=first.sample,
        subscription=subscription,
        samples=_samples(node, linker, chosen),
        signature=ir.Signature(ir.SignatureScheme.STANDARD_WEBHOOKS, secret) if first.is_signed else None,
        delivery="webhook-id" if first.is_signed else None,
    )


def _chosen(node: Node, described: Mapping[str, Delivery]) -> Iterator[tuple[str, Delivery]]:
    """The webhooks that a trigger takes together. They have one payload."""
    payload: object = _SEPARATE
    for item in node.items("webhooks"):
        delivery = described.get(item.value) if isinstance(item.value, str) else None
        if delivery is None:
            item.report("The document has no webhook of this name. Mend it, or add the webhook.")
        elif payload not in (_SEPARATE, delivery.payload):
            item.report("This webhook has another payload than the first. Make it a trigger of its own.")
        else:
            payload = delivery.payload
            yield item.value, delivery


def _event_pointer(payload: ir.FieldType | None, events: list[str]) -> ir.Pointer | None:
    """Where the payload names the event: a member of a usual name, or one that holds just these names."""
    if not isinstance(payload, ir.Group):
        return None
    for field in payload.fields:
        match field.type:
            case ir.Choice(options) if {option.value for option in options} >= set(events):
                return f"/{field.name}"
            case ir.Constant(value) if [value] == events:
                return f"/{field.name}"
    names = [field.name for field in payload.fields if isinstance(field.type, ir.Text)]
    return next((f"/{name}" for name in _EVENT_NAMES if name in names), None)


def _samples(holder: Node, linker: Linker, chosen: Sequence[tuple[str, Delivery]]) -> ir.Samples | None:
    if not holder.has("samples"):
        return None
    node = annotations.members(holder, "samples", _SAMPLES, ("operationId", "items"))
    operation = linker.operation(node, "operationId") if node is not None else None
    items = annotations.pointer(node, "items") if node is not None else None
    if node is None or operation is None or items is None:
        return None
    where = annotations.pointer(node, "at") or ""
    state, events = _told_apart(where, chosen)
    return ir.Samples(ir.Call(operation.id), items, where, state, events)


def _told_apart(
    where: ir.Pointer, chosen: Sequence[tuple[str, Delivery]]
) -> tuple[ir.Pointer | None, tuple[tuple[str, str], ...]]:
    """The choice among the members of an item that has a value of its own in the example of each event, and the event
    of each value."""
    item = type_at(chosen[0][1].payload, where)
    for member in item.fields if isinstance(item, ir.Group) else ():
        state = pointer((member.name,))
        values = [value_at(one.sample, where + state) for _, one in chosen if one.sample is not ir.MISSING]
        texts = [value for value in values if isinstance(value, str)]
        if isinstance(member.type, ir.Choice) and len(set(texts)) == len(chosen):
            return state, tuple(zip(texts, (event for event, _ in chosen), strict=True))
    return None, ()
