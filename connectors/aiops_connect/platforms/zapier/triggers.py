"""Triggers: hooks that people choose, and hidden ones that fill a list."""

from collections.abc import Iterator
from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.zapier import fields, naming, outputs, samples
from aiops_connect.platforms.zapier.actions import Action
from aiops_connect.platforms.zapier.jobs import call_of
from aiops_connect.platforms.zapier.paging import paging
from aiops_connect.platforms.zapier.prose import plain
from aiops_connect.problem import Problem

EVENTS = "events"


def hook(trigger: ir.Trigger) -> Action | Problem:
    """A REST hook; a Problem where people would have to enter the address, which Zapier does not publish (D016)."""
    where = f"#/x-connector-triggers/{trigger.id}"
    subscription = trigger.subscription
    if subscription is None or subscription.unsubscribe is None:
        return Problem(
            where,
            "Zapier takes a trigger only where it can subscribe and unsubscribe by itself. Say which operations do "
            "that under x-connector-triggers, or exclude the webhook.",
        )
    label = naming.label(trigger.label)
    files = outputs.file_outputs(trigger.fields)
    plan: dict[str, Any] = {
        "subscribe": call_of(subscription.subscribe),
        "unsubscribe": call_of(subscription.unsubscribe),
        "events": [event.value for event in trigger.events],
        "sample": samples.shown(trigger.sample) if trigger.sample is not ir.MISSING else None,
    }
    if trigger.event is not None:
        plan["event"] = trigger.event
    if files:
        plan["files"] = [file.data for file in files]
    if trigger.samples is not None:
        plan["samples"] = call_of(trigger.samples.call) | {
            "items": trigger.samples.items,
            "pointer": trigger.samples.pointer,
        }
        if trigger.samples.state is not None:
            plan["samples"] |= {"state": trigger.samples.state, "events": dict(trigger.samples.events)}
    if trigger.signature is not None and trigger.signature.secret is not None:
        plan["signature"] = {"scheme": trigger.signature.scheme.value, "secret": trigger.signature.secret}
    definition: dict[str, Any] = {
        "key": naming.key(trigger.id),
        "noun": naming.trigger_noun(label.split()),
        "display": {"label": label, "description": naming.trigger_description(trigger)},
        "operation": {
            "type": "hook",
            "inputFields": _events(trigger),
            "outputFields": outputs.output_fields(trigger.fields, files),
            "sample": outputs.with_files(samples.sample(trigger.payload, trigger.sample), files),
        },
    }
    return Action(definition["key"], definition, plan)


def _events(trigger: ir.Trigger) -> list[fields.InputField]:
    if len(trigger.events) < 2:
        return []
    choices = [
        {"value": str(event.value), "sample": str(event.value), "label": plain(event.label)} for event in trigger.events
    ]
    help_text = "Which of them start the Zap. Left empty, all do."
    return [
        {"key": EVENTS, "label": "Events", "type": "string", "list": True, "choices": choices, "helpText": help_text}
    ]


def lists(app: ir.App, taken: set[str]) -> tuple[list[Action], dict[tuple[str, str], str]]:
    """The hidden triggers that fill lists, and the key of that for each operation's input."""
    made: dict[ir.OptionsSource, Action] = {}
    found = {}
    for operation, field in _with_options(app):
        source = field.options
        assert source is not None
        if source not in made:
            made[source] = _list(source, app.operation(source.call.operation), taken)
        found[operation.id, field.id] = made[source].key
    return list(made.values()), found


def _with_options(app: ir.App) -> Iterator[tuple[ir.Operation, ir.Field]]:
    for operation in app.operations:
        yield from ((operation, field) for field in operation.inputs if field.options is not None)


def _list(source: ir.OptionsSource, operation: ir.Operation, taken: set[str]) -> Action:
    key = naming.unique(naming.key(operation.id), taken)
    label = naming.label(operation.label)
    plan: dict[str, Any] = {
        "call": call_of(source.call),
        "items": source.items,
        "value": source.value,
        "label": source.label,
    }
    pages = paging(operation.pagination)
    if pages is not None:
        plan["paging"] = pages
    definition = {
        "key": key,
        "noun": naming.noun(label.split()),
        "display": {
            "label": label,
            "description": f"Triggers when a list of {naming.noun(label.split()).lower()} is shown.",
            "hidden": True,
        },
        "operation": {
            "type": "polling",
            "canPaginate": pages is not None,
            "outputFields": [
                {"key": "id", "label": "ID", "type": "string", "primary": True},
                {"key": "name", "label": "Name", "type": "string"},
            ],
            "sample": {"id": "sample", "name": "Sample"},
        },
    }
    return Action(key, definition, plan)
