"""Ideas for what to do with an app: templates of Zaps, which Zapier shows beside it, and a call to try it by."""

import json
import shlex
from collections.abc import Iterator

from aiops_connect.platforms.zapier.actions import Action
from aiops_connect.platforms.zapier.steps import Steps

_MAX = 5


def ideas(steps: Steps) -> list[str]:
    """Of the steps that do the most: those with jobs, where there are any, and the triggers that people see."""
    done = [one for one in steps.creates if "job" in one.plan] or steps.creates
    shown = [one for one in steps.triggers if "hidden" not in one.definition["display"]]
    return [*_of_actions(done[:_MAX]), *_of_triggers(shown[:_MAX])]


def trial(steps: Steps) -> str:
    """A step and what to enter, as arguments in a shell; empty where there is no step."""
    if not steps.creates:
        return ""
    action = steps.creates[0]
    fields = action.definition["operation"]["inputFields"]
    entered = {field["key"]: field.get("placeholder", "sample") for field in fields if field.get("required")}
    return f"{action.key} --inputData {shlex.quote(json.dumps(entered))}"


def _of_actions(actions: list[Action]) -> Iterator[str]:
    for action in actions:
        definition = action.definition
        asked = [field["label"] for field in definition["operation"]["inputFields"] if field.get("required")]
        row = f" with the row's {asked[0]}" if asked else ""
        end = "save the file to a drive" if "files" in action.plan else "write the answer into the row"
        yield f"New row in a table → **{definition['display']['label']}**{row} → {end}"


def _of_triggers(triggers: list[Action]) -> Iterator[str]:
    for trigger in triggers:
        yield f"**{trigger.definition['display']['label']}** → send a message to the team's channel"
