"""What a new version of a document changes for the people whose Zaps use its app. What is breaking, is what Zapier's
promotion refuses without a new major version."""

from collections.abc import Iterator
from typing import Any

from aiops_connect import ir
from aiops_connect.changes import Change, Severity
from aiops_connect.platforms.zapier.definition import definition
from aiops_connect.platforms.zapier.publishing import KINDS, WORDS, Definition, inputs
from aiops_connect.platforms.zapier.publishing.promotion import changed, guardrail
from aiops_connect.platforms.zapier.steps import steps
from aiops_connect.publisher import Publisher

# Who publishes makes no difference to what changes.
_ANYBODY = Publisher("app", "App", "", "", "", "https://app.example", "", "")


def changes(old: ir.App, new: ir.App) -> Iterator[Change]:
    before, after = (definition(steps(app, _ANYBODY)) for app in (old, new))
    refused = list(guardrail(before, after))
    for subject, message in refused:
        yield Change(Severity.MAJOR, subject, message)
    yield from _warnings(before, after, {subject for subject, _ in refused})
    yield from _additions(before, after)
    yield from _texts(before, after)


def _warnings(before: Definition, after: Definition, refused: set[str]) -> Iterator[Change]:
    """What promotion only warns of."""
    for finding in changed(before, after):
        if finding.where not in refused:
            yield Change(Severity.MINOR, finding.where, f"{finding.message} ({finding.code})")


def _additions(before: Definition, after: Definition) -> Iterator[Change]:
    for kind in KINDS:
        for key, step in after[kind].items():
            subject = f"{WORDS[kind]} {key}"
            if key not in before[kind]:
                yield Change(Severity.MINOR, subject, "It is new.")
                continue
            known = {field["key"] for field in inputs(before[kind][key])}
            for field in inputs(step):
                if field["key"] not in known:
                    yield Change(Severity.MINOR, f"{subject}, input {field['key']}", _of_new(field))


def _of_new(field: dict[str, Any]) -> str:
    if field.get("required") and "default" not in field:
        return "It is new, and required: promotion lets it pass, but Zaps that are on lack it. Give it a default."
    return "It is new."


def _texts(before: Definition, after: Definition) -> Iterator[Change]:
    for kind in KINDS:
        for key in before[kind].keys() & after[kind].keys():
            if _shown(before[kind][key]) != _shown(after[kind][key]):
                yield Change(Severity.PATCH, key, "It is shown differently: a text, an order, a choice or a sample.")


def _shown(step: dict[str, Any]) -> Any:
    return (step["noun"], step["display"], step["operation"])
