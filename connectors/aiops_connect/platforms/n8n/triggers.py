"""The triggers as one node that asks for the events."""

from dataclasses import dataclass

from aiops_connect import ir
from aiops_connect.platforms.n8n import prose
from aiops_connect.platforms.n8n.calls import call
from aiops_connect.platforms.n8n.literals import Value
from aiops_connect.platforms.n8n.options import in_order
from aiops_connect.platforms.n8n.properties import Property


@dataclass(frozen=True, slots=True)
class Triggers:
    """The parameter for the events, and what is subscribed to for them."""

    property: Property
    subscriptions: tuple[Property, ...]
    is_manual: bool


def triggers(app: ir.App) -> Triggers | None:
    """None where the API tells of nothing. Events of several subscriptions are chosen one at a time."""
    if not app.triggers:
        return None
    groups: list[tuple[Property, list[Value]]] = []
    options: list[Property] = []
    for one in app.triggers:
        events = one.events or (ir.Option(one.id, one.label, one.help),)
        made = _subscription(one)
        group = next((values for known, values in groups if known == made), None)
        if group is None:
            group = []
            groups.append((made, group))
        for event in events:
            if all(known["value"] != str(event.value) for known in options):
                option: Property = {"name": _unique(event, options), "value": str(event.value)}
                if help_text := prose.help_text(event.help, str(option["name"])):
                    option["description"] = help_text
                options.append(option)
            group.append(str(event.value))
    is_single = len(groups) > 1
    property_: Property = {"displayName": "Trigger On", "name": "events"}
    property_ |= {"type": "options" if is_single else "multiOptions", "required": True}
    property_["options"] = list(in_order(options, "name"))
    property_["default"] = options[0]["value"] if is_single else []
    subscriptions = tuple({"events": list(events), **made} for made, events in groups)
    return Triggers(property_, subscriptions, any("subscribe" not in made for made, _ in groups))


def _unique(event: ir.Option, options: list[Property]) -> str:
    name = prose.title(event.label)
    return f"{name} ({event.value})" if any(known["name"] == name for known in options) else name


def _subscription(one: ir.Trigger) -> Property:
    made: Property = {}
    if one.event is not None and one.events:
        made["event"] = one.event
    if one.delivery is not None:
        made["delivery"] = one.delivery
    if one.signature is not None:
        made["signature"] = {"secret": one.signature.secret} if one.signature.secret is not None else {}
    if one.subscription is not None:
        made["subscribe"] = call(one.subscription.subscribe)
        if one.subscription.unsubscribe is not None:
            made["unsubscribe"] = call(one.subscription.unsubscribe)
        if one.subscription.list is not None:
            made["list"] = call(one.subscription.list)
    return made
