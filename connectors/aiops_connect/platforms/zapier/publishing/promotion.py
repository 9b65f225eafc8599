"""What a new version may not take away: checks C001 to C003, and what Zapier's promotion refuses without a new major
version."""

from collections.abc import Iterator
from typing import Any

from aiops_connect.platforms.zapier.publishing import KINDS, WORDS, Definition, Finding, inputs, is_hidden


def guardrail(old: Definition, new: Definition) -> Iterator[tuple[str, str]]:
    """What promotion refuses: of what, and why."""
    before, after = _authentication_type(old), _authentication_type(new)
    if before != after:
        yield "authentication", f"Its type is {after} in place of {before}; people have to connect anew."
    for kind in KINDS:
        for key, step in old.get(kind, {}).items():
            subject = f"{WORDS[kind]} {key}"
            if key not in new.get(kind, {}):
                yield subject, "It is gone; Zaps that use it stop."
            else:
                yield from _step(subject, step, new[kind][key])
    for key in old.get("searchOrCreates", {}).keys() - new.get("searchOrCreates", {}).keys():
        yield f"search or create {key}", "It is gone; Zaps that use it stop."


def _authentication_type(definition: Definition) -> str | None:
    authentication = definition.get("authentication")
    return authentication["type"] if authentication is not None else None


def _step(subject: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, str]]:
    before, after = old["operation"].get("type"), new["operation"].get("type")
    if before != after:
        yield subject, f"It is of the type {after} in place of {before}."
    fields = {field["key"]: field for field in inputs(new)}
    known = {field["key"]: field for field in inputs(old)}
    for key in known:
        if key not in fields:
            yield f"{subject}, input {key}", "It is gone; what people entered there is lost."
    for key, field in fields.items():
        was_optional = key in known and not known[key].get("required")
        if was_optional and field.get("required") and "default" not in field:
            yield f"{subject}, input {key}", "It is required now, and has no default: Zaps that are on lack it."


def changed(old: Definition, new: Definition) -> Iterator[Finding]:
    """Checks C001 to C003: what makes templates of Zaps invalid. `where` is as in `guardrail`."""
    for kind in KINDS:
        for key, step in old.get(kind, {}).items():
            where = f"{WORDS[kind]} {key}"
            after = new.get(kind, {}).get(key)
            if after is None or (is_hidden(after) and not is_hidden(step)):
                yield Finding("C001", where, "Keep it, and visible.")
                continue
            lost = {field["key"] for field in inputs(step)} - {field["key"] for field in inputs(after)}
            yield from (Finding("C002", f"{where}, input {name}", "Keep the input.") for name in sorted(lost))
            gone = step["operation"].get("sample", {}).keys() - after["operation"].get("sample", {}).keys()
            yield from (Finding("C003", f"{where}, output {name}", "Keep it in the sample.") for name in sorted(gone))
