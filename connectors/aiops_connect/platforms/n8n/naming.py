"""What resources, operations and parameters are called in n8n."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aiops_connect import ir, naming
from aiops_connect.platforms.n8n import prose

# What work is called that is more than the making of a thing: "transcribe audio" makes a transcription.
_WORK = {
    "classify": "classification",
    "detect": "detection",
    "moderate": "moderation",
    "summarize": "summary",
    "transcribe": "transcription",
    "translate": "translation",
}
_STANDARD = {
    "create": ("Create", "create"),
    "delete": ("Delete", "delete"),
    "get": ("Get", "get"),
    "list": ("Get Many", "getAll"),
    "update": ("Update", "update"),
    "upsert": ("Create or Update", "upsert"),
}
_IRREGULAR = {
    "children": "child",
    "criteria": "criterion",
    "media": "media file",
    "people": "person",
    "series": "series",
}
_NO_PLURAL = ("ss", "us", "is", "data", "news", "sms")
_COLOUR = re.compile(r"colou?r", re.IGNORECASE)

RESERVED = frozenset(
    {
        "additionalFields",
        "allowUnauthorizedCerts",
        "authentication",
        "binaryPropertyName",
        "events",
        "filters",
        "limit",
        "maximumWait",
        "notice",
        "operation",
        "options",
        "output",
        "resource",
        "returnAll",
        "simplify",
        "updateFields",
        "values",
        "waitForCompletion",
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """An operation as one of those of its resource. `action` is what the list of all nodes shows. `is_waiting`: it
    looks a job up until that has ended."""

    name: str
    value: str
    action: str
    operation: ir.Operation
    is_waiting: bool = False

    @property
    def about(self) -> str:
        """What it does, in a few words."""
        return "Take up a job that goes on, and get its result" if self.is_waiting else self.operation.label


@dataclass(frozen=True, slots=True)
class Steps:
    """A resource and its operations."""

    name: str
    value: str
    steps: tuple[Step, ...]


def camel(text: str) -> str:
    first, *others = naming.words(text) or ["value"]
    joined = first + "".join(word.capitalize() for word in others)
    return joined if joined[0].isalpha() else f"value{joined}"


def pascal(text: str) -> str:
    name = camel(text)
    return name[0].upper() + name[1:]


def parameters(ids: Iterable[str], reserved: Iterable[str] = RESERVED) -> list[str]:
    """A name of a parameter for each id. No name may hold "color": n8n would ask for a colour."""
    taken = set(reserved)
    found = []
    for one in ids:
        base = candidate = camel(_COLOUR.sub("tint", one))
        number = 2
        while candidate in taken:
            candidate, number = f"{base}{number}", number + 1
        taken.add(candidate)
        found.append(candidate)
    return found


def steps(app: ir.App) -> tuple[Steps, ...]:
    """The resources. Paid work, and work that takes its time, is found under what it makes; all else under the tag."""
    groups: dict[str, list[ir.Operation]] = {}
    for resource in app.resources:
        for operation in resource.operations:
            noun = _made(operation) or singular(resource.label)
            groups.setdefault(noun, []).append(operation)
    awaited = {one.execution.status.operation for one in app.operations if isinstance(one.execution, ir.Job)}
    named = zip(groups.items(), parameters(groups, ()), strict=True)
    return tuple(
        Steps(prose.title(noun), value, tuple(_steps(noun, members, awaited))) for (noun, members), value in named
    )


def singular(label: str) -> str:
    """The last word of a label in the singular, as resources are called."""
    head, space, last = label.rpartition(" ")
    return f"{head}{space}{_singular(last)}"


def _singular(word: str) -> str:
    lower = word.lower()
    if lower in _IRREGULAR:
        return _IRREGULAR[lower]
    if lower.endswith(_NO_PLURAL) or not lower.endswith("s"):
        return word
    if lower.endswith("ies") and len(lower) > 4:
        return f"{word[:-3]}y"
    return word[:-2] if lower.endswith(("sses", "xes", "ches", "shes", "zes")) else word[:-1]


def _made(operation: ir.Operation) -> str:
    """What an operation makes; empty where it is no such work, or its id does not say."""
    verb, *noun = operation.id.split("_")
    is_work = operation.credits is not None or isinstance(operation.execution, ir.Job)
    if not is_work or not noun:
        return ""
    return naming.label(_WORK.get(verb) or singular(" ".join(noun)))


def _steps(noun: str, members: list[ir.Operation], awaited: set[str]) -> Iterable[Step]:
    taken_names: set[str] = set()
    taken_values: set[str] = set()
    for operation in members:
        name, value = _named(noun, operation)
        if name in taken_names or value in taken_values:
            name, value = prose.title(operation.label), camel(operation.id)
        if name in taken_names:
            name = f"{name} ({prose.title(operation.id)})"
        taken_names.add(name)
        taken_values.add(value)
        yield Step(name, value, _action(operation, name), operation)
        if operation.id in awaited:
            action = prose.sentence(["wait", "for", *naming.words(prose.title(noun))])
            yield Step("Wait for Completion", "wait", action, operation, is_waiting=True)


def _named(noun: str, operation: ir.Operation) -> tuple[str, str]:
    verb, *rest = operation.id.split("_")
    about = naming.words(singular(" ".join(rest)))
    if about == naming.words(noun) or _made(operation):
        return _STANDARD.get(verb) or (prose.title(verb), camel(verb))
    return prose.title(operation.label), camel(operation.id)


def _action(operation: ir.Operation, name: str) -> str:
    words = naming.words(operation.label) or naming.words(operation.id)
    if name == "Get Many":
        words = ["get", "many", *(words[1:] or words)]
    return prose.sentence(words)
