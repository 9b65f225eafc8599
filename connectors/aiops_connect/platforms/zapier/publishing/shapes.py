"""Of what an app and its steps are made (checks D006, D009, D015 to D017, D022, D027 and D028)."""

from collections.abc import Iterator
from typing import Any

from aiops_connect.platforms.zapier.package import PLATFORM
from aiops_connect.platforms.zapier.publishing import Definition, Finding, inputs, steps


def app_findings(definition: Definition) -> Iterator[Finding]:
    hooks = [step for _, _, step in steps(definition)]
    if len(hooks) == 1 and _is_static(hooks[0]["operation"]):
        yield Finding("D016", "triggers", "Add a step: people have Webhooks by Zapier for a hook alone.")
    for key, pair in _pairs(definition):
        for kind, name in (("searches", pair.get("search")), ("creates", pair.get("create"))):
            if name not in definition.get(kind, {}):
                yield Finding("D015", f"searchOrCreates/{key}", f"There is no {name} under {kind}.")
    version = definition.get("platformVersion", PLATFORM)
    if _numbers(version) < _numbers(PLATFORM):
        yield Finding("D027", "platformVersion", f"Take {PLATFORM} in place of {version}.")
    if definition.get("flags", {}).get("cleanInputData"):
        yield Finding("D028", "flags", "Leave cleanInputData off: the runtime part leaves out what is empty.")


def _pairs(definition: Definition) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("searchOrCreates", "searchAndCreates"):
        yield from definition.get(name, {}).items()


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split("-", maxsplit=1)[0].split(".")]


def shape_findings(kind: str, where: str, step: dict[str, Any]) -> Iterator[Finding]:
    operation = step["operation"]
    if operation.get("type") == "hook":
        if "performList" not in operation:
            yield Finding("D006", where, "Give an example of what is delivered, by performList.")
        if _is_static(operation):
            yield Finding("D017", where, "Subscribe and unsubscribe by calls; people enter no addresses.")
    if kind == "searches" and not operation.get("inputFields"):
        yield Finding("D009", where, "Ask for something to search for.")
    if kind == "creates" and operation.get("inputFields") and not inputs(step):
        yield Finding("D022", where, "Have fields in the definition, not only ones that a function makes.")
    if operation.get("cleanInputData"):
        yield Finding("D028", where, "Leave cleanInputData off: the runtime part leaves out what is empty.")


def _is_static(operation: dict[str, Any]) -> bool:
    """A hook whose address people would have to enter by themselves."""
    return operation.get("type") == "hook" and not {"performSubscribe", "performUnsubscribe"} <= operation.keys()
