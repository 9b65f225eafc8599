"""All steps of an app, as data: what Zapier shows, and what the runtime part does."""

from dataclasses import dataclass, field
from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.zapier import actions, fields, naming, triggers
from aiops_connect.platforms.zapier.actions import Action
from aiops_connect.platforms.zapier.authentication import Authentication, authentication, can_call
from aiops_connect.platforms.zapier.calls import call, own_node
from aiops_connect.platforms.zapier.jobs import is_result_lost
from aiops_connect.problem import Problem
from aiops_connect.publisher import Publisher

OTHER_CREDENTIALS = (
    "It needs other credentials than those that people connect with, and an app of Zapier has one kind of connection. "
    "Exclude it with x-connector-exclude: true."
)
LOST = (
    "Nothing of its usual answer stands in the job that it waits for, whose result Zapier would lose. Describe JSON "
    "with members of the job's result as that answer, or exclude the operation."
)


@dataclass
class Steps:
    """All steps of an app, by their kinds."""

    creates: list[Action] = field(default_factory=list)
    searches: list[Action] = field(default_factory=list)
    triggers: list[Action] = field(default_factory=list)
    authentication: Authentication | None = None
    problems: list[Problem] = field(default_factory=list)


def steps(app: ir.App, publisher: Publisher) -> Steps:
    """What is rendered of an app, as data."""
    made = Steps()
    made.authentication, problems = authentication(app, publisher)
    made.problems += problems
    for trigger in app.triggers:
        hook = triggers.hook(trigger)
        if isinstance(hook, Problem):
            made.problems.append(hook)
        else:
            made.triggers.append(hook)
    hidden, lists = triggers.lists(app, {one.key for one in made.triggers})
    made.triggers += hidden
    listed = {
        field.options.call.operation for one in app.operations for field in one.inputs if field.options is not None
    }
    for operation in app.operations:
        if operation.effect is ir.Effect.LIST and operation.id in listed:
            continue
        if not can_call(operation, made.authentication):
            made.problems.append(Problem(operation.source, OTHER_CREDENTIALS))
            continue
        if is_result_lost(operation):
            made.problems.append(Problem(operation.source, LOST))
            continue
        dynamic = {name: key for (of, name), key in lists.items() if of == operation.id}
        if actions.is_search(operation):
            _add(made.searches, actions.search(operation, app, dynamic))
        else:
            _add(made.creates, actions.create(operation, app, dynamic))
    return made


def _add(to: list[Action], action: Action) -> None:
    """Under a key of its own."""
    key = naming.unique(action.key, {one.key for one in to})
    action.definition["key"] = key
    to.append(Action(key, action.definition, action.plan))


def operations(app: ir.App, made: Steps) -> dict[str, Any]:
    """The calls that steps make beside their own, by the ids of the operations: for jobs, lists and subscriptions."""
    found = {}
    for name in sorted(_called(made)):
        operation = app.operation(name)
        nodes = fields.Inputs(nodes=[own_node(one) for one in operation.inputs])
        found[name] = call(operation, app, nodes) | {"inputs": nodes.nodes}
    return found


def _called(made: Steps) -> set[str]:
    plans = [one.plan for one in (*made.creates, *made.searches, *made.triggers)]
    if made.authentication is not None:
        plans.append(made.authentication.plan)
    found = set()
    for plan in plans:
        calls = [plan.get(name) for name in ("check", "subscribe", "unsubscribe", "samples")]
        calls += [plan["call"]] if "operation" in plan.get("call", {}) else []
        calls += [plan["job"]["status"]] if "job" in plan else []
        found |= {one["operation"] for one in calls if one is not None}
    return found
