"""`aiops-connect diff`: what is breaking for n8n is what changes what a saved workflow does."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aiops_connect import ir
from aiops_connect.changes import Change, Severity, bump
from aiops_connect.loading import load
from aiops_connect.openapi import parse
from aiops_connect.platforms.n8n.emitter import EMITTER

OURS = Path(__file__).parents[4] / "openapi" / "aiops.yaml"
Edit = Callable[[dict[str, Any]], object]


def ours(edit: Edit = lambda tree: None) -> ir.App:
    tree = copy.deepcopy(load(OURS))
    assert isinstance(tree, dict)
    edit(tree)
    parsed = parse(tree, OURS)
    assert parsed.app is not None, parsed.problems
    return parsed.app


def changes(edit: Edit) -> list[Change]:
    return list(EMITTER.changes(ours(), ours(edit)))


def request(tree: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = tree["components"]["schemas"]["ImageRequest"]
    return found


def operation(tree: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = tree["paths"]["/api/services/image_gen"]["post"]
    return found


def rename_tag(tree: dict[str, Any]) -> None:
    tree["paths"]["/api/account"]["get"]["tags"] = ["Profiles"]


def no_low_credits(tree: dict[str, Any]) -> None:
    del tree["x-connector-triggers"]["credits_low"], tree["webhooks"]["credits.low"]


BREAKING: dict[str, Edit] = {
    "Image: Generate (image.generate)": lambda tree: operation(tree).update({"x-connector-exclude": True}),
    "Account: Get (account.get)": rename_tag,
    "Image: Generate (image.generate), parameter additionalFields.style": (
        lambda tree: request(tree)["properties"].pop("style")
    ),
    "Image: Generate (image.generate), parameter seed": (
        lambda tree: request(tree).update(
            properties={**request(tree)["properties"], "seed": {"type": "integer"}}, required=["prompt", "seed"]
        )
    ),
    "Image: Generate (image.generate), output image_url": (
        lambda tree: tree["components"]["schemas"]["ImageResult"]["properties"].pop("image_url")
    ),
    "event credits.low": no_low_credits,
}


@pytest.mark.parametrize("subject", BREAKING)
def test_what_breaks_a_workflow_is_major(subject: str) -> None:
    assert subject in [change.subject for change in changes(BREAKING[subject]) if change.is_breaking]


def dearer(tree: dict[str, Any]) -> None:
    operation(tree)["x-credits"] = 6


def optional(tree: dict[str, Any]) -> None:
    request(tree)["properties"]["seed"] = {"type": "integer"}


def worded(tree: dict[str, Any]) -> None:
    request(tree)["properties"]["prompt"]["description"] = "Something else."


@pytest.mark.parametrize(
    ("edit", "severity"),
    [(lambda tree: None, None), (dearer, Severity.MAJOR), (optional, Severity.MINOR), (worded, Severity.PATCH)],
    ids=["nothing", "dearer", "optional", "worded"],
)
def test_the_version_is_raised_by_the_gravest(edit: Edit, severity: Severity | None) -> None:
    assert bump(changes(edit)) is severity
