"""An app as `zapier-platform` serialises it: what Zapier's checks and promotion look at."""

from typing import Any

from aiops_connect.platforms.zapier.actions import Action
from aiops_connect.platforms.zapier.steps import Steps

_FUNCTION = "$func$2$f$"
_HOOK = ("perform", "performList", "performSubscribe", "performUnsubscribe")


def definition(steps: Steps) -> dict[str, Any]:
    """Without the request middleware; a function is a mark, as it is there."""
    made: dict[str, Any] = {
        kind: {one.key: _step(one) for one in actions}
        for kind, actions in (("triggers", steps.triggers), ("searches", steps.searches), ("creates", steps.creates))
    }
    if steps.authentication is not None:
        shown = {**steps.authentication.definition, "test": _FUNCTION}
        if "label" in steps.authentication.plan:
            shown["connectionLabel"] = "{{connection_label}}"
        made["authentication"] = shown
    return made


def _step(action: Action) -> dict[str, Any]:
    is_hook = action.definition["operation"].get("type") == "hook"
    functions = dict.fromkeys(_HOOK if is_hook else ("perform",), _FUNCTION)
    return {**action.definition, "operation": {**action.definition["operation"], **functions}}
