"""What people read of a step before they choose it (checks D018 and D021, and what Zapier's reviewers look at)."""

import re
from collections.abc import Iterator
from typing import Any

from aiops_connect.naming import is_third_person
from aiops_connect.platforms.zapier.naming import title_case
from aiops_connect.platforms.zapier.publishing import Finding, is_hidden

_TRIGGERS_WHEN = "Triggers when "
_SENTENCE_END = re.compile(r"[.!?](?=\s)")
_SENTENCES_MAX = 2  # what it does, and what it costs


def display_findings(kind: str, where: str, step: dict[str, Any], title: str) -> Iterator[Finding]:
    if is_hidden(step):
        return
    label, description = step["display"]["label"], step["display"]["description"]
    if title_case(label) != label:
        yield Finding("D018", where, f"Write the label in title case: {title_case(label)}.")
    if kind == "triggers":
        if not (description.startswith(_TRIGGERS_WHEN) and description.endswith(".")):
            yield Finding("D021", where, f"Begin the description with “{_TRIGGERS_WHEN}” and end it with a full stop.")
    else:
        yield from _action(kind, where, label, description)
    yield from _wording(where, f"{label} {description}", title)


def _action(kind: str, where: str, label: str, description: str) -> Iterator[Finding]:
    if kind == "searches" and not label.startswith("Find "):
        yield Finding("review", where, "Begin the label of a search with “Find”.")
    if not is_third_person(description) or not description.endswith("."):
        yield Finding("review", where, "Describe it by a verb in the third person, and end with a full stop.")
    if len(_SENTENCE_END.findall(description)) >= _SENTENCES_MAX:
        yield Finding("review", where, "Describe it in one sentence, and say in another at most what it costs.")


def _wording(where: str, shown: str, title: str) -> Iterator[Finding]:
    if title and re.search(rf"(?i)(?<!\w){re.escape(title)}(?!\w)", shown):
        yield Finding("review", where, f"Leave out {title}: it is shown beside the step.")
