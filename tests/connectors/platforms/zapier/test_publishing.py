"""Zapier's publishing checks: nothing is found in ours, and what each is for is found where it is wrong."""

import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aiops_connect.cli import app as commands
from aiops_connect.platforms.zapier.definition import definition
from aiops_connect.platforms.zapier.publishing import listing, people, promotion, rules
from aiops_connect.platforms.zapier.steps import steps
from tests.connectors.platforms.zapier.app_in_core import APP, ROOT, running_app
from tests.connectors.platforms.zapier.test_documents import OURS, read
from tests.fixtures.documents import with_operation

FUNCTION = "$func$2$f$"
Wrong = Callable[[dict[str, Any]], object]


def sound() -> dict[str, Any]:
    """An app in which nothing is found."""
    return {
        "authentication": {
            "type": "custom",
            "test": FUNCTION,
            "fields": [
                {
                    "key": "api_key",
                    "label": "API Key",
                    "type": "password",
                    "helpText": "It is in [your account](https://api.example/account).",
                }
            ],
            "connectionLabel": "{{email}}",
        },
        "triggers": {
            "done": {
                "key": "done",
                "noun": "Job",
                "display": {"label": "Job Done", "description": "Triggers when a job is done."},
                "operation": {
                    "type": "hook",
                    "perform": FUNCTION,
                    "performList": FUNCTION,
                    "performSubscribe": FUNCTION,
                    "performUnsubscribe": FUNCTION,
                    "inputFields": [],
                    "sample": {"id": "1", "at": "2026-01-05T10:15:00Z"},
                    "outputFields": [{"key": "at", "label": "At", "type": "datetime"}],
                },
            },
            "jobs": {
                "key": "jobs",
                "noun": "Job",
                "display": {"label": "Jobs", "description": "Triggers when jobs are listed.", "hidden": True},
                "operation": {"type": "polling", "perform": FUNCTION, "sample": {"id": "1", "name": "One"}},
            },
        },
        "searches": {
            "find_job": {
                "key": "find_job",
                "noun": "Job",
                "display": {"label": "Find Job", "description": "Finds a job."},
                "operation": {
                    "perform": FUNCTION,
                    "inputFields": [{"key": "job_id", "label": "Job", "dynamic": "jobs.id.name"}],
                    "sample": {"id": "1"},
                },
            }
        },
        "creates": {
            "draw": {
                "key": "draw",
                "noun": "Image",
                "display": {"label": "Draw Image", "description": "Draws an image, see `http://plain.example`."},
                "operation": {
                    "perform": FUNCTION,
                    "inputFields": [
                        {"key": "prompt", "label": "Prompt", "helpText": "What it shows.", "required": True}
                    ],
                    "sample": {"id": "1", "size": 3},
                    "outputFields": [{"key": "size", "label": "Size", "type": "integer", "required": True}],
                },
            }
        },
        "searchOrCreates": {"find_job": {"key": "find_job", "search": "find_job", "create": "draw"}},
    }


def prompt(app: dict[str, Any]) -> dict[str, Any]:
    field: dict[str, Any] = app["creates"]["draw"]["operation"]["inputFields"][0]
    return field


def draw(app: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = app["creates"]["draw"]["operation"]
    return operation


def hook(app: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = app["triggers"]["done"]["operation"]
    return operation


def displayed(app: dict[str, Any]) -> dict[str, Any]:
    display: dict[str, Any] = app["creates"]["draw"]["display"]
    return display


def call_without_encryption(app: dict[str, Any]) -> None:
    app["authentication"]["test"] = {"url": "http://api.example/me"}


def leave_a_hook_alone(app: dict[str, Any]) -> None:
    """One that is static: both that and that there is nothing else are found."""
    app["triggers"] = {"done": app["triggers"]["done"]}
    hook(app).pop("performSubscribe")
    for kind in ("searches", "creates", "searchOrCreates"):
        app.pop(kind)


RULES: list[tuple[str, Wrong]] = [
    ("D001", lambda app: prompt(app).update(key="api_key")),
    ("D001", lambda app: prompt(app).update(key="user_password")),
    ("D002", lambda app: app["authentication"]["fields"][0].update(helpText="It is somewhere.")),
    ("D003", lambda app: app["authentication"].pop("connectionLabel")),
    ("D003", lambda app: app["authentication"].update(connectionLabel="Our app")),
    ("D003", lambda app: app["authentication"].update(connectionLabel="{{bundle.authData.api_key}}")),
    ("D003", lambda app: app["authentication"].update(connectionLabel="{{email}} {{access_token}}")),
    ("D004", lambda app: prompt(app).update(key="voice_id")),
    ("D005", lambda app: prompt(app).update(dynamic="nowhere.id.name")),
    ("D006", lambda app: hook(app).pop("performList")),
    ("D007", lambda app: prompt(app).update(helpText="See [this](http://api.example/help).")),
    ("D007", call_without_encryption),
    ("D008", lambda app: prompt(app).update(helpText="See https://api.example/help.")),
    ("D008", lambda app: prompt(app).update(helpText="See [this(https://api.example/help).")),
    ("D008", lambda app: prompt(app).update(helpText="See [this](api.example).")),
    ("D008", lambda app: app["creates"]["draw"]["display"].update(description="Draws http://x.example.")),
    ("D009", lambda app: app["searches"]["find_job"]["operation"].pop("inputFields")),
    ("D010", lambda app: app["triggers"]["jobs"]["operation"].update(sample={"name": "One"})),
    ("D011", lambda app: prompt(app).update(helpText="Prompt.")),
    ("D012", lambda app: draw(app).pop("sample")),
    ("D013", lambda app: prompt(app).update(dynamic="jobs.id.name", search="find_nothing.id")),
    ("D014", lambda app: prompt(app).update(dynamic="jobs.id.name", search="find_job.id", list=True)),
    ("D014", lambda app: prompt(app).update(dynamic="jobs.id.name", search="find_job.id", type="boolean")),
    ("D015", lambda app: app["searchOrCreates"]["find_job"].update(create="nothing")),
    ("D015", lambda app: app["searchOrCreates"]["find_job"].update(search="nothing")),
    ("D017", lambda app: hook(app).pop("performSubscribe")),
    ("D017", lambda app: hook(app).pop("performUnsubscribe")),
    ("D018", lambda app: app["creates"]["draw"]["display"].update(label="Draw image")),
    ("D021", lambda app: app["triggers"]["done"]["display"].update(description="A job is done")),
    ("D022", lambda app: draw(app).update(inputFields=[FUNCTION])),
    ("D023", lambda app: hook(app).update(sample={"id": "1", "at": "2026-01-05T10:15:00"})),
    ("D023", lambda app: hook(app).update(sample={"id": "1", "at": "5.1.2026"})),
    ("D024", lambda app: draw(app).update(sample={"id": "1"})),
    ("D024", lambda app: draw(app).update(sample={"id": "1", "size": "3"})),
    ("D025", lambda app: prompt(app).update(helpText="See [this](javascript:alert(1)).")),
    ("D025", lambda app: draw(app).update(perform={"url": "javascript:alert(1)"})),
    ("D026", lambda app: app["authentication"]["fields"].append({"key": "subdomain", "label": "S", "type": "string"})),
    ("D027", lambda app: app.update(platformVersion="18.4.0")),
    ("D028", lambda app: app.update(flags={"cleanInputData": True})),
    ("D028", lambda app: draw(app).update(cleanInputData=True)),
    ("review", lambda app: app["searches"]["find_job"]["display"].update(label="Get Job")),
    ("review", lambda app: displayed(app).update(description="Draw an image.")),
    ("review", lambda app: displayed(app).update(description="Draws an image")),
    ("review", lambda app: displayed(app).update(description="Draws an image. It is good. It is cheap.")),
    ("review", lambda app: displayed(app).update(label="Draw Acme Image")),
    ("review", lambda app: draw(app)["inputFields"].insert(0, {"key": "style", "label": "Style"})),
]


def test_nothing_is_found_in_a_sound_app() -> None:
    assert list(rules.findings(sound(), "Acme")) == []


@pytest.mark.parametrize(("code", "spoil"), RULES, ids=[f"{place}-{code}" for place, (code, _) in enumerate(RULES)])
def test_what_is_wrong_is_found(code: str, spoil: Wrong) -> None:
    app = sound()
    spoil(app)
    assert {one.code for one in rules.findings(app, "Acme")} == {code}


def test_a_hook_alone_that_people_would_have_to_register_is_found() -> None:
    app = sound()
    leave_a_hook_alone(app)
    assert {one.code for one in rules.findings(app)} == {"D016", "D017"}


# Zapier's reference of 2026 has these; there is no D019 and no D020.
DEFINITION = {f"D{number:03}" for number in range(1, 29)} - {"D019", "D020"}
COMPATIBILITY = {"C001", "C002", "C003"}
MARKETING = {f"M{number:03}" for number in range(1, 8)}


def test_each_check_has_a_rule_or_a_reason_why_not() -> None:
    """And each that has a reason is in the list of the README."""
    judged = {code for code, _ in RULES if code != "review"} | {"D016", "M002", "M004", "M005", "M006"} | COMPATIBILITY
    undecided = {one.code for one in people.UNDECIDED}
    assert judged & undecided == set()
    assert judged | undecided >= DEFINITION | COMPATIBILITY | MARKETING
    assert undecided & (DEFINITION | COMPATIBILITY) == set()
    readme = (APP / "README.md").read_text()
    assert [code for code in sorted(undecided) if code not in readme] == []


async def test_nothing_is_found_in_ours() -> None:
    """Neither by what the emitter knows nor by what Zapier's core makes of it."""
    app, publisher = read(OURS)
    assert list(rules.findings(definition(steps(app, publisher)), publisher.title)) == []
    text = listing.description(app, publisher)
    assert list(listing.description_findings(text, publisher.title)) == []
    assert list(listing.publisher_findings(publisher)) == []
    assert list(listing.logo_findings((APP / "logo.png").read_bytes())) == []
    async with running_app(APP, {}) as running:
        assert list(rules.findings(await running.definition(), publisher.title)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Acme is a tool.",
        "Acme is a tool that does very much for all the people who want to have done very much by a tool that does "
        "what they want, whatever that is, and more.",
        "With Acme, people make images of whatever they want.",
        "Acme is a tool that connects Zapier to images.",
        "Acme is a tool that syncs images with other images.",
        "Acme is a tool. It is good. It is cheap. It is here.",
    ],
)
def test_a_description_that_is_not_taken_is_found(text: str) -> None:
    assert {one.code for one in listing.description_findings(text, "Acme")} == {"M002"}


def png(width: int, height: int, colour: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)


@pytest.mark.parametrize(
    ("logo", "found"),
    [
        (png(256, 256, 6), set()),
        (png(255, 255, 6), {"M004"}),
        (png(512, 256, 6), {"M004"}),
        (png(256, 256, 2), {"M004"}),
        (b"<svg/>", {"M004"}),
        (b"", {"M004"}),
    ],
)
def test_a_logo_is_a_large_square_with_transparency(logo: bytes, found: set[str]) -> None:
    assert {one.code for one in listing.logo_findings(logo)} == found


def test_who_publishes_is_at_the_address_of_the_api() -> None:
    _, publisher = read(OURS)
    other = replace(publisher, email="me@mail.example.org")
    assert {one.code for one in listing.publisher_findings(other)} == {"M005"}
    plain = replace(publisher, homepage="http://aiops.example")
    assert {one.code for one in listing.publisher_findings(plain)} == {"M006"}


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("C001", lambda app: app["creates"].pop("draw")),
        ("C001", lambda app: app["creates"]["draw"]["display"].update(hidden=True)),
        ("C002", lambda app: draw(app).update(inputFields=[])),
        ("C003", lambda app: draw(app).update(sample={"id": "1"})),
    ],
)
def test_what_was_public_stays(code: str, change: Wrong) -> None:
    new = sound()
    change(new)
    assert {one.code for one in promotion.changed(sound(), new)} == {code}
    assert list(promotion.changed(sound(), sound())) == []


def test_check_publish_tells_what_zapier_would_refuse(tmp_path: Path) -> None:
    """The address under .example is refused for all platforms; that an ID wants a list, is Zapier's."""
    document = tmp_path / "things.json"
    parameter = {"name": "thing_id", "in": "path", "required": True, "schema": {"type": "string"}}
    tree = with_operation({"parameters": [parameter]}, path="/things/{thing_id}")
    document.write_text(json.dumps(tree | {"servers": [{"url": "https://api.things.example"}]}))
    shutil.copy(ROOT / "connectors" / "publisher.yaml", tmp_path)
    arguments = [str(document), "--publisher", str(tmp_path / "publisher.yaml"), "--output", str(tmp_path)]
    arguments += ["--platform", "zapier"]
    assert CliRunner().invoke(commands, ["render", *arguments]).exit_code == 0
    assert CliRunner().invoke(commands, ["check", *arguments]).exit_code == 0
    result = CliRunner().invoke(commands, ["check", *arguments, "--publish"])
    assert result.exit_code == 3
    assert "zapier/creates/act/thing_id: D004: Fill a list" in result.stderr
