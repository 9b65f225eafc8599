"""The words that say what OpenAPI cannot, one line each in openapi/README.md, and where each of them may stand."""

from typing import Any

from aiops_connect.openapi.nodes import Node
from aiops_connect.pointers import escape

PREFIX = "x-connector-"

CREDITS = "x-credits"
EXCLUDE = "x-connector-exclude"
CHECK = "x-connector-check"
ACCOUNT_LABEL = "x-connector-account-label"
CREDITS_LEFT = "x-connector-credits-left"
MULTILINE = "x-connector-multiline"
ADVANCED = "x-connector-advanced"
FILE = "x-connector-file"
OPTIONS = "x-connector-options"
JOB = "x-connector-job"
WAITS_FOR = "x-connector-waits-for"
TRIGGERS = "x-connector-triggers"
KEY_PREFIX = "x-connector-key-prefix"

WORDS = frozenset(
    {
        CREDITS,
        EXCLUDE,
        CHECK,
        ACCOUNT_LABEL,
        CREDITS_LEFT,
        MULTILINE,
        ADVANCED,
        FILE,
        OPTIONS,
        JOB,
        WAITS_FOR,
        TRIGGERS,
        KEY_PREFIX,
    }
)

_FREE_FORM = frozenset({"example", "examples", "default", "const", "enum"})
_NAMES = frozenset({"properties", "patternProperties", "schemas", "responses", "parameters", "headers", "paths"})


def read(root: Node) -> frozenset[str]:
    """Every text that the words of a document hold: among them are the operations that it refers to.

    Each member that looks like a word and is none is reported: a typing error would otherwise be a fact that is
    silently absent. Words of others are left alone.
    """
    texts: set[str] = set()
    waiting = [(root, False)]
    while waiting:
        node, are_names = waiting.pop()
        for name, child in _members(node):
            if not are_names and name in _FREE_FORM:
                continue
            if not are_names and name.startswith(PREFIX):
                texts |= _texts(child)
                if name not in WORDS:
                    node.report("There is no such word. openapi/README.md has those there are.", at=name)
            if isinstance(child, dict | list):
                below = Node(child, f"{node.pointer}/{escape(name)}", node.file)
                waiting.append((below, not are_names and name in _NAMES))
    return frozenset(texts)


def _members(node: Node) -> list[tuple[str, Any]]:
    if isinstance(node.value, dict):
        return list(node.value.items())
    return [(str(index), child) for index, child in enumerate(node.value)]


def _texts(value: Any) -> set[str]:
    match value:
        case str():
            return {value}
        case dict():
            return {text for child in value.values() for text in _texts(child)}
        case list():
            return {text for child in value for text in _texts(child)}
        case _:
            return set()
