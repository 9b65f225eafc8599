"""`aiops-connect diff`: breaking is what Zapier's promotion refuses without a new major version, and nothing else."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from aiops_connect import ir
from aiops_connect.changes import Severity, bump
from aiops_connect.loading import load
from aiops_connect.openapi import parse
from aiops_connect.platforms.zapier.emitter import EMITTER
from aiops_connect.platforms.zapier.publishing.promotion import guardrail
from tests.connectors.platforms.zapier.test_documents import OURS
from tests.connectors.platforms.zapier.test_publishing import Wrong, draw, hook, prompt, sound


def ours(change: Callable[[dict[str, Any]], object] = lambda tree: None) -> ir.App:
    tree = copy.deepcopy(load(OURS))
    assert isinstance(tree, dict)
    change(tree)
    parsed = parse(tree, OURS)
    assert parsed.app is not None, parsed.problems
    return parsed.app


def image(tree: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = tree["components"]["schemas"]["ImageRequest"]
    return found


def require_a_new_input(tree: dict[str, Any]) -> None:
    image(tree)["properties"]["size"] = {"type": "string", "title": "Size"}
    image(tree)["required"].append("size")


def exclude(tree: dict[str, Any]) -> None:
    tree["paths"]["/api/services/image_gen"]["post"]["x-connector-exclude"] = True


def use_basic(tree: dict[str, Any]) -> None:
    tree["components"]["securitySchemes"]["api_key"] = {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": "https://aiops.example/authorize",
                "tokenUrl": "https://aiops.example/token",
                "scopes": {},
            }
        },
    }


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        (exclude, "action generate_image"),
        (
            lambda tree: tree["paths"]["/api/account"]["get"].update({"x-connector-exclude": True}),
            "search find_account",
        ),
        (lambda tree: tree["x-connector-triggers"].pop("job_finished"), "trigger job_finished"),
        (use_basic, "authentication"),
        (lambda tree: image(tree)["properties"].pop("style"), "action generate_image, input style"),
        (
            lambda tree: (image(tree)["properties"]["style"].pop("default"), image(tree)["required"].append("style")),
            "action generate_image, input style",
        ),
    ],
    ids=["action", "search", "trigger", "authentication", "input", "required"],
)
def test_what_promotion_refuses_is_breaking(change: Callable[[dict[str, Any]], object], subject: str) -> None:
    changes = list(EMITTER.changes(ours(), ours(change)))
    assert [one.subject for one in changes if one.is_breaking] == [subject]


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        (lambda app: app["creates"].pop("draw"), "action draw"),
        (lambda app: app["searches"].pop("find_job"), "search find_job"),
        (lambda app: app["triggers"].pop("done"), "trigger done"),
        (lambda app: app["authentication"].update(type="oauth2"), "authentication"),
        (lambda app: hook(app).update(type="polling"), "trigger done"),
        (lambda app: app.pop("searchOrCreates"), "search or create find_job"),
        (lambda app: prompt(app).update(key="text"), "action draw, input prompt"),
        (lambda app: draw(app)["inputFields"][1].update(required=True), "action draw, input style"),
    ],
)
def test_each_case_of_the_guardrail_is_named(change: Wrong, subject: str) -> None:
    old = sound()
    draw(old)["inputFields"].append({"key": "style", "label": "Style"})
    new = copy.deepcopy(old)
    change(new)
    assert [found for found, _ in guardrail(old, new)] == [subject]


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        (lambda tree: None, None),
        (lambda tree: image(tree)["properties"]["style"].update(description="Another."), Severity.PATCH),
        (lambda tree: image(tree)["properties"].update(size={"type": "string", "title": "Size"}), Severity.MINOR),
        (lambda tree: image(tree)["required"].append("style"), Severity.PATCH),
        (lambda tree: tree["paths"]["/api/credits/transactions"]["get"].pop("x-connector-exclude"), Severity.MINOR),
        (require_a_new_input, Severity.MINOR),
        (lambda tree: tree["components"]["schemas"]["Account"]["properties"].pop("plan"), Severity.MINOR),
    ],
    ids=["nothing", "text", "input", "required with a default", "search", "new and required", "output"],
)
def test_all_else_is_not_breaking(change: Callable[[dict[str, Any]], object], severity: Severity | None) -> None:
    changes = list(EMITTER.changes(ours(), ours(change)))
    assert bump(changes) is severity


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (require_a_new_input, "action generate_image, input size: It is new, and required: promotion lets it pass"),
        (
            lambda tree: tree["components"]["schemas"]["Account"]["properties"].pop("plan"),
            "search find_account, output plan: Keep it in the sample. (C003)",
        ),
    ],
    ids=["new and required", "output"],
)
def test_what_promotion_lets_pass_is_told_all_the_same(change: Callable[[dict[str, Any]], object], said: str) -> None:
    assert [str(one) for one in EMITTER.changes(ours(), ours(change)) if str(one).startswith(said)]
