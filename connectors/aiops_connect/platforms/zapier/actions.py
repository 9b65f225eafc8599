"""Creates and searches: what Zapier is told of them, and what the runtime part does for them."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.zapier import answers, fields, naming
from aiops_connect.platforms.zapier.calls import asked_for, call, items_of
from aiops_connect.platforms.zapier.jobs import job, outputs_of
from aiops_connect.platforms.zapier.paging import paging
from aiops_connect.pointers import pointer

DEDUPLICATION_KEY = "deduplication_key"
SAMPLE_ONLY = "test_with_sample"


@dataclass(frozen=True, slots=True)
class Action:
    """One step. `definition` is what Zapier shows, `plan` what the runtime part reads."""

    key: str
    definition: dict[str, Any]
    plan: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        return {"definition": self.definition, "plan": self.plan}


def is_search(operation: ir.Operation) -> bool:
    """What only reads is a search: a miss there is no error, and people look for it there."""
    return operation.effect in (ir.Effect.LIST, ir.Effect.READ) and isinstance(operation.execution, ir.Immediate)


def create(operation: ir.Operation, app: ir.App, dynamic: dict[str, str]) -> Action:
    words = naming.action_words(operation)
    asked = fields.inputs(asked_for(operation), dynamic)
    plan: dict[str, Any] = {"call": call(operation, app, asked)}
    answer = answers.answered(operation)
    if isinstance(operation.execution, ir.Job):
        plan["job"] = job(operation, operation.execution, app)
        answer = dataclasses.replace(answer, fields=outputs_of(operation, operation.execution))
        if operation.credits is not None:
            asked.fields.append(_sample_only())
    if operation.idempotency is not None:
        plan["idempotency"] = operation.idempotency
        asked.fields.append(_deduplication_key())
    if operation.effect is ir.Effect.DELETE:
        asked.fields.insert(0, _warning())
    return _action(naming.key(operation.id), words, operation, asked, answer, plan=plan)


def search(operation: ir.Operation, app: ir.App, dynamic: dict[str, str]) -> Action:
    words = naming.find_words(operation)
    asked = fields.inputs(asked_for(operation), dynamic)
    plan: dict[str, Any] = {"call": call(operation, app, asked)}
    items = items_of(operation)
    if items is not None:
        plan["items"] = items
    pages = paging(operation.pagination)
    if pages is not None:
        plan["paging"] = pages
    answer = answers.found(operation)
    if not _tells_apart(asked, operation):
        label = app.connection.account_label if app.connection is not None else None
        _narrow(asked, plan, answer.fields, label)
    return _action(naming.search_key(words), words, operation, asked, answer, plan=plan)


def _action(
    key: str,
    words: list[str],
    operation: ir.Operation,
    asked: fields.Inputs,
    answer: answers.Answered,
    *,
    plan: dict[str, Any],
) -> Action:
    if answer.files and plan["call"]["answer"] == "json":
        plan["files"] = [file.data for file in answer.files]
    made: dict[str, Any] = {"inputFields": sorted(asked.fields, key=_order)} | answer.described()
    if asked.has_advanced:
        made["inputFieldGroups"] = [{"key": fields.ADVANCED, "label": "Advanced", "emphasize": False}]
    definition = {
        "key": key,
        "noun": naming.noun(words),
        "display": {"label": naming.label(" ".join(words)), "description": naming.description(operation, words)},
        "operation": made,
    }
    return Action(key, definition, plan)


def _order(one: fields.InputField) -> tuple[bool, bool]:
    return ("group" in one, not one.get("required", False) and "children" not in one and one.get("type") != "copy")


def _tells_apart(asked: fields.Inputs, operation: ir.Operation) -> bool:
    """Whether something is asked for that tells one thing from another: more than how long a page is."""
    limit = operation.pagination.limit if operation.pagination is not None else None
    return any("group" not in one and one["key"] != limit for one in asked.fields)


def _narrow(
    asked: fields.Inputs, plan: dict[str, Any], answered: tuple[ir.Field, ...], account_label: ir.Pointer | None
) -> None:
    """Gives a search that asks for nothing something to look for: a text of what it finds, which only counts where it
    is entered."""
    texts = [field for field in answered if isinstance(field.type, ir.Text | ir.Choice)]
    texts.sort(key=lambda field: pointer((field.name,)) != account_label)
    if not texts:
        asked.fields.append(
            {"key": "about", "type": "copy", "helpText": "There is nothing to set: it finds what the connection sees."}
        )
        return
    field = texts[0]
    key = naming.unique(naming.key(field.id), asked.taken)
    label = naming.label(field.label)
    wanted = {
        "key": key,
        "label": label,
        "type": "string",
        "helpText": f"What is found has this {label}. Left empty, anything may be found.",
    }
    asked.fields.insert(0, wanted)
    plan["narrow"] = {"key": key, "pointer": pointer((field.name,))}


def _deduplication_key() -> fields.InputField:
    return {
        "key": DEDUPLICATION_KEY,
        "label": "Deduplication Key",
        "type": "string",
        "group": fields.ADVANCED,
        "helpText": "A text that is new for each piece of work, such as the ID of what triggered the Zap. A repeat of "
        "this step with the same key is charged once. Two steps of the same kind, in one Zap or in two, need different "
        "keys: add a word to each. Left empty, a repeat of the same run is told by itself.",
    }


def _sample_only() -> fields.InputField:
    return {
        "key": SAMPLE_ONLY,
        "label": "Test With Sample",
        "type": "boolean",
        "group": fields.ADVANCED,
        "helpText": "Yes: a test of this step in the editor shows a sample and costs nothing. Zaps that are on always "
        "do the real work.",
    }


def _warning() -> fields.InputField:
    return {"key": "warning", "type": "copy", "helpText": "**This cannot be undone.** What is removed is gone."}
