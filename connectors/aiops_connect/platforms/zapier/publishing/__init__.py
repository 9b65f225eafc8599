"""Zapier's publishing checks, as far as the files of an app can fail them (docs.zapier.com, integration check
reference).

A definition is an app as `zapier-platform` serialises it. Checks that want an account, a live Zap or a person are in
`people`, each with its reason, and in the list of the app's README.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Definition = dict[str, Any]
KINDS = ("triggers", "searches", "creates")
WORDS = {"triggers": "trigger", "searches": "search", "creates": "action"}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A check that would fail: its code, where, and what to do. `review` is the code of what Zapier's reviewers look
    at, which has none of its own."""

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.code} {self.where}: {self.message}"


def steps(definition: Definition) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The kind of each step, where it is, and itself."""
    for kind in KINDS:
        for key, step in definition.get(kind, {}).items():
            yield kind, f"{kind}/{key}", step


def inputs(step: dict[str, Any]) -> list[dict[str, Any]]:
    """The input fields that stand in the definition, those in groups too; not those that a function makes."""
    found = []
    for field in step["operation"].get("inputFields", []):
        if isinstance(field, dict):
            found += [field, *field.get("children", [])]
    return found


def is_hidden(step: dict[str, Any]) -> bool:
    return bool(step["display"].get("hidden", False))
