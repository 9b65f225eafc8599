"""Ideas for templates of Zaps, which Zapier shows beside an app."""

from collections.abc import Iterator

from aiops_connect.platforms.zapier.actions import Action
from aiops_connect.platforms.zapier.steps import Steps

_MAX = 5


def ideas(steps: Steps) -> list[str]:
    """Of the steps that do the most: those with jobs, where there are any, and the triggers that people see."""
    done = [one for one in steps.creates if "job" in one.plan] or steps.creates
    shown = [one for one in steps.triggers if "hidden" not in one.definition["display"]]
    return [*_of_actions(done[:_MAX]), *_of_triggers(shown[:_MAX])]


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
