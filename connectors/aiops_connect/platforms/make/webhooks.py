"""Instant triggers: a webhook that is attached, verified and detached, and the module that it feeds."""

from typing import Any

from aiops_connect import ir
from aiops_connect.naming import identifier
from aiops_connect.platforms.make import dates, errors, fields, iml, interfaces, naming, requests
from aiops_connect.platforms.make.addresses import Addresses
from aiops_connect.platforms.make.components import Component
from aiops_connect.platforms.make.connection import Connections
from aiops_connect.platforms.make.requests import Directives, Value
from aiops_connect.platforms.make.runner.iml.syntax import Node, Path

TOLERANCE_SECONDS = 300
_BODY = iml.variable("body")
_EVENTS = iml.variable("parameters", "events")


def components(
    app: ir.App, connections: Connections, trigger: ir.Trigger, addresses: Addresses, taken: set[str]
) -> list[Component]:
    """The webhook of a trigger, and its module.

    Raises:
        InexpressibleError: something in it cannot be written for Make.
    """
    name = naming.component_id(f"watch {trigger.id}", taken)
    webhook = naming.component_id(f"{name} hook", taken, naming.WEBHOOK_ID_LENGTH_MAX)
    codes: dict[str, Any] = {"communication": _received(trigger), "params": _parameters(trigger)}
    codes |= {"attach": {}, "detach": {}, "update": {}, "requiredScope": []}
    if trigger.subscription is not None:
        codes |= _subscribed(app, connections, trigger, trigger.subscription, addresses)
    subscribing = app.operation(trigger.subscription.subscribe.operation) if trigger.subscription is not None else None
    metadata = {"label": naming.label(trigger.label), "webhookType": "web", **connections.used(subscribing)}
    hook = Component("webhook", webhook, metadata, codes)
    module = {
        "label": _label(trigger),
        "description": naming.sentence(f"Triggers when {_event(trigger)}", ""),
        "moduleType": "instant_trigger",
        "connection": None,
        "altConnection": None,
        "webhook": webhook,
    }
    _, shown = dates.collection(_BODY, trigger.fields)
    sample = interfaces.samples(shown, trigger.sample)
    code: dict[str, Any] = {"interface": interfaces.interface(shown), "samples": sample}
    return [hook, Component("module", name, module, {"staticParams": [], **code})]


def _label(trigger: ir.Trigger) -> str:
    return naming.label(f"Watch {trigger.id.replace('_', ' ')}")


def _event(trigger: ir.Trigger) -> str:
    text = trigger.help or trigger.label
    return text[:1].lower() + text[1:]


def _parameters(trigger: ir.Trigger) -> list[dict[str, Any]]:
    """Which events, where there are several."""
    if len(trigger.events) < 2:
        return []
    choice = ir.Choice(trigger.events)
    return [
        {
            "name": "events",
            "type": "select",
            "label": "Events",
            "multiple": True,
            "required": True,
            "options": fields.options(choice),
            "default": [option.value for option in trigger.events],
            "help": "Which events start the scenario.",
        }
    ]


def _subscribed(
    app: ir.App, connections: Connections, trigger: ir.Trigger, subscription: ir.Subscription, addresses: Addresses
) -> dict[str, Any]:
    """Attach and detach. What subscribing was answered is kept as far as it is needed."""
    subscribe = app.operation(subscription.subscribe.operation)
    stored: dict[str, str] = {}
    found: dict[str, Any] = {}
    if subscription.unsubscribe is not None:
        unsubscribe = app.operation(subscription.unsubscribe.operation)
        values = {one.field: _source(trigger, one.source, stored) for one in subscription.unsubscribe.bindings}
        found["detach"] = _called(connections, unsubscribe, values, addresses)
    values = {one.field: _source(trigger, one.source, stored) for one in subscription.subscribe.bindings}
    attach = _called(connections, subscribe, values, addresses)
    if trigger.signature is not None and trigger.signature.secret is not None:
        stored[_kept(trigger.signature.secret)] = iml.whole(iml.below(_BODY, trigger.signature.secret))
        _hide(attach, iml.below(iml.variable("response", "body"), trigger.signature.secret))
    attach["response"] = {"data": stored, **attach["response"]}
    return {"attach": attach, **found}


def _kept(pointer: ir.Pointer) -> str:
    """The name under which a member of the answer is kept; `id` and `url` are Make's own."""
    return f"external_{identifier(pointer)}"


def _source(trigger: ir.Trigger, source: ir.Source, stored: dict[str, str]) -> Value:
    match source:
        case ir.FromAnswer(pointer):
            stored[_kept(pointer)] = iml.whole(iml.below(_BODY, pointer))
            return iml.variable("webhook", _kept(pointer))
        case ir.FromPlatform.URL:
            return iml.variable("webhook", "url")
        case ir.FromPlatform.EVENTS:
            names = [option.value for option in trigger.events]
            return _EVENTS if len(names) > 1 else ir.Literally(list(names))
        case ir.Literally():
            return source


def _called(
    connections: Connections, operation: ir.Operation, values: dict[str, Value], addresses: Addresses
) -> Directives:
    """Nothing is inherited from the base here: address, credentials, errors and log are said again."""
    found = connections.carried(operation)
    called = requests.request(operation, values, addresses.of(operation))
    carried = found.sent
    merged = {name: {**called.get(name, {}), **carried.get(name, {})} for name in ("headers", "qs")}
    return {
        **called,
        **{name: content for name, content in merged.items() if content},
        "response": {"error": errors.directive([operation])},
        "log": {"sanitize": [*found.sanitize, *(iml.source(path) for path in _secrets(operation))]},
    }


def _secrets(operation: ir.Operation) -> list[Path]:
    """What the answer has that nobody else may see."""
    answered = operation.answer.fields if operation.answer is not None else ()
    return [iml.variable("response", "body", one.name) for one in answered if one.is_secret]


def _hide(called: Directives, path: Path) -> None:
    """Keeps a value out of the log, whatever the document says of it."""
    sanitize = called["log"]["sanitize"]
    if iml.source(path) not in sanitize:
        sanitize.append(iml.source(path))


def _received(trigger: ir.Trigger) -> Directives:
    """What becomes of a call: it is dropped where its signature is not right."""
    conditions = []
    if trigger.signature is not None and trigger.signature.secret is not None and trigger.subscription is not None:
        conditions.append(_is_signed(trigger.signature.secret))
    if trigger.event is not None and trigger.events:
        event = iml.below(_BODY, trigger.event)
        conditions.append(iml.some(*(iml.equals(event, iml.text(str(one.value))) for one in trigger.events)))
    condition = {"condition": iml.whole(iml.every(*conditions))} if conditions else {}
    return {**condition, "output": dates.collection(_BODY, trigger.fields)[0]}


def _is_signed(secret: ir.Pointer) -> Node:
    """Standard Webhooks: HMAC-SHA256 of id, time and body, in one of the signatures. Make shows the body parsed, so it
    is written again as JSON, as JSON.stringify does."""
    header = [iml.variable("headers", f"webhook-{name}") for name in ("id", "timestamp", "signature")]
    body = iml.call("createJSON", iml.variable("body"))
    content = iml.joined(header[0], iml.text("."), header[1], iml.text("."), body)
    key = iml.call("replace", iml.variable("webhook", _kept(secret)), iml.text("whsec_"), iml.variable("emptystring"))
    digest = iml.call("sha256", content, iml.text("base64"), key, iml.text("base64"))
    age = iml.call("abs", iml.binary("-", iml.variable("timestamp"), iml.call("parseNumber", header[1])))
    is_fresh = iml.binary("<=", age, iml.number(TOLERANCE_SECONDS))
    return iml.every(
        header[0], header[1], is_fresh, iml.call("contains", header[2], iml.joined(iml.text("v1,"), digest))
    )
