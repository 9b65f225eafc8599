"""OpenAPI Overlays (1.0 and 1.1): changes to somebody else's document, kept apart from it.

Of the implementations on PyPI, oas-patch brings a command line, a template engine and a JSONPath of an older kind; what
an overlay is takes a page, over `jsonpath-rfc9535`, which is the query language that the specification names.
"""

import json
from typing import Any

import jsonpath_rfc9535 as jsonpath

from aiops_connect.problem import Problem

_MEMBERS = {"overlay", "info", "extends", "actions"}
_ACTION_MEMBERS = {"target", "description", "update", "remove", "copy"}


class OverlayError(Exception):
    """An overlay cannot be applied. `problems` say why, with pointers into it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def overlaid(tree: Any, overlay: Any, name: str) -> Any:
    """A document with an overlay applied; the document itself stays as it is. `name` is that of the overlay's file.

    A target that selects nothing is refused, although the specification lets it pass: it is a mistake, or the document
    has changed under the overlay.

    Raises:
        OverlayError: it is no overlay, or an action cannot be done.
    """
    problems = list(_problems(overlay, name))
    if problems:
        raise OverlayError(problems)
    changed = json.loads(json.dumps(tree))  # a copy in which nothing stands in two places
    for index, action in enumerate(overlay["actions"]):
        problem = _apply(changed, action)
        if problem is not None:
            problems.append(Problem(f"{name}#/actions/{index}", problem))
    if problems:
        raise OverlayError(problems)
    return changed


def _problems(overlay: Any, name: str) -> "list[Problem]":
    if not isinstance(overlay, dict) or not str(overlay.get("overlay", "")).startswith(("1.0", "1.1")):
        return [Problem(f"{name}#/overlay", "This is no OpenAPI Overlay. It has to say `overlay: 1.0.0`.")]
    found = [
        Problem(f"{name}#/{member}", "An overlay has no such member.")
        for member in overlay
        if member not in _MEMBERS and not member.startswith("x-")
    ]
    actions = overlay.get("actions")
    if not isinstance(actions, list) or not actions:
        return [*found, Problem(f"{name}#/actions", "It has to be a list of at least one action.")]
    for index, action in enumerate(actions):
        pointer = f"{name}#/actions/{index}"
        if not isinstance(action, dict) or not isinstance(action.get("target"), str):
            found.append(Problem(pointer, "An action has to be an object with a target."))
            continue
        found += [
            Problem(f"{pointer}/{member}", "An action has no such member.")
            for member in action
            if member not in _ACTION_MEMBERS and not member.startswith("x-")
        ]
        if sum((action.get("remove") is True, "update" in action, "copy" in action)) != 1:
            found.append(Problem(pointer, "An action has one of update, copy and `remove: true`."))
    return found


def _apply(tree: Any, action: dict[str, Any]) -> str | None:
    """Does one action. Returns a sentence where it cannot be done."""
    try:
        nodes = jsonpath.find(action["target"], tree)
        sources = jsonpath.find(action["copy"], tree) if "copy" in action else None
    except (jsonpath.JSONPathError, TypeError) as error:
        return f"It is no JSONPath (RFC 9535): {error}."
    if not nodes:
        return "The target selects nothing. Mend it, or remove the action."
    if sources is not None and len(sources) != 1:
        return f"What is copied has to be one value; it selects {len(sources)}."
    if action.get("remove") is True:
        return _remove(nodes)
    update = sources[0].value if sources else action["update"]
    for node in nodes:
        if isinstance(node.value, list):
            node.value.extend(_copied(update) if isinstance(update, list) else [_copied(update)])
        elif isinstance(node.value, dict) and isinstance(update, dict):
            _merge(node.value, update)
        elif node.parent is not None and not isinstance(node.value, dict):
            node.value = _copied(update)
        else:
            return "An object is updated by an object."
    return None


def _remove(nodes: Any) -> str | None:
    """Removes from the end, so that what is before keeps its place."""
    for node in sorted(
        nodes,
        key=lambda node: [(isinstance(step, int), step if isinstance(step, int) else 0) for step in node.location],
        reverse=True,
    ):
        if node.parent is None:
            return "The document itself cannot be removed."
        parent, step = node.parent.value, node.location[-1]
        if isinstance(parent, list) or step in parent:
            del parent[step]
    return None


def _merge(target: dict[str, Any], update: dict[str, Any]) -> None:
    """Objects are merged, lists joined, anything else replaced."""
    for name, value in update.items():
        before = target.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            _merge(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            before.extend(_copied(value))
        else:
            target[name] = _copied(value)


def _copied(value: Any) -> Any:
    return json.loads(json.dumps(value))
