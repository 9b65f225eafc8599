"""`aiops-connect`, by its output and exit codes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from aiops_connect.cli import app
from tests.fixtures.documents import OK, document, with_operation
from tests.fixtures.publisher import SETTINGS

ROOT = Path(__file__).parents[2]
GOOD = with_operation({"summary": "Act", "x-credits": 2}, servers=[{"url": "https://api.example.test"}])
BAD = with_operation({"requestBody": {"content": {"text/xml": {}}}})


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.json").write_text(json.dumps(GOOD))
    (tmp_path / "bad.json").write_text(json.dumps(BAD))
    settings = dict(SETTINGS)
    (tmp_path / "publisher.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path


def options(folder: Path) -> list[str]:
    return ["--publisher", str(folder / "publisher.yaml"), "--output", str(folder)]


def test_inspect_prints_operations_and_ends_well(folder: Path) -> None:
    result = run("inspect", folder / "good.json")
    assert result.exit_code == 0
    assert "act: POST /things, answers with the result, 2 credits" in result.stdout
    assert result.stdout.endswith("1 operations: 1 read, 0 excluded. 0 problems.\n")
    assert result.stderr == ""


def test_inspect_tells_problems_and_says_so_by_its_exit_code(folder: Path) -> None:
    result = run("inspect", folder / "bad.json")
    assert result.exit_code == 1
    pointer = "#/paths/~1things/post/requestBody/content/text~1xml"
    assert (
        result.stderr
        == f"{pointer}: A body of text/xml cannot be made of fields. Offer JSON, or exclude the operation.\n"
    )


def test_inspect_of_no_file(folder: Path) -> None:
    result = run("inspect", folder / "no.json")
    assert result.exit_code == 1
    assert result.stderr == "no.json: It cannot be read: No such file or directory.\n"


def test_render_then_check_then_change(folder: Path) -> None:
    assert run("check", folder / "good.json", *options(folder)).exit_code == 3
    result = run("render", folder / "good.json", *options(folder))
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, f"{folder / 'markdown/operations.md'} is new.")
    assert run("check", folder / "good.json", *options(folder)).exit_code == 0
    (folder / "markdown" / "operations.md").write_text("by hand")
    result = run("check", folder / "good.json", *options(folder))
    assert result.exit_code == 3
    assert result.stderr == f"{folder / 'markdown/operations.md'} is not what would be rendered now.\nRender again.\n"


def test_render_writes_nothing_where_there_are_problems_unless_told_to(folder: Path) -> None:
    result = run("render", folder / "bad.json", *options(folder))
    assert result.exit_code == 1
    assert "Nothing is written." in result.stderr
    assert not (folder / "markdown").exists()
    assert run("render", folder / "bad.json", *options(folder), "--keep-going").exit_code == 1
    assert (folder / "markdown" / "operations.md").exists()


def test_render_twice_gives_the_same_bytes(folder: Path) -> None:
    """Also in processes of their own, whose hashes of texts differ."""
    contents = []
    for seed in ("1", "2"):
        command = [
            sys.executable,
            "-m",
            "aiops_connect",
            "render",
            str(ROOT / "openapi" / "aiops.yaml"),
            *options(folder),
        ]
        subprocess.run(command, check=True, env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True)
        contents.append((folder / "markdown" / "operations.md").read_bytes())
    assert contents[0] == contents[1]


def test_check_publish_refuses_addresses_of_nobody(folder: Path) -> None:
    run("render", folder / "good.json", *options(folder))
    result = run("check", folder / "good.json", *options(folder), "--publish")
    assert result.exit_code == 3
    assert "publisher.yaml#/email: An address under .example is nobody's. Enter yours." in result.stderr


@pytest.mark.parametrize(
    ("change", "exit_code", "line"),
    [
        pytest.param({}, 0, "markdown: no version bump, 0 changes", id="nothing"),
        pytest.param({"summary": "Do"}, 0, "markdown: patch version bump, 1 changes", id="texts"),
        pytest.param({"x-credits": 9}, 4, "markdown: major version bump, 1 changes", id="breaking"),
    ],
)
def test_diff_says_by_its_exit_code_whether_anything_breaks(
    folder: Path, change: dict[str, Any], exit_code: int, line: str
) -> None:
    new = with_operation({"summary": "Act", "x-credits": 2, **change}, servers=GOOD["servers"])
    (folder / "new.json").write_text(json.dumps(new))
    result = run("diff", folder / "good.json", folder / "new.json", "--platform", "markdown")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (exit_code, line)


def test_an_overlay_is_applied_first(folder: Path) -> None:
    overlay = {"overlay": "1.0.0", "actions": [{"target": "$.paths.*.*", "update": {"x-connector-exclude": True}}]}
    (folder / "o.yaml").write_text(yaml.safe_dump(overlay))
    result = run("inspect", folder / "bad.json", "--overlay", folder / "o.yaml")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "1 operations: 0 read, 1 excluded. 0 problems.")


def test_an_overlay_that_does_not_fit_is_told(folder: Path) -> None:
    overlay = {"overlay": "1.0.0", "actions": [{"target": "$.no", "remove": True}]}
    (folder / "o.yaml").write_text(yaml.safe_dump(overlay))
    result = run("inspect", folder / "good.json", "--overlay", folder / "o.yaml")
    assert (result.exit_code, result.stderr) == (
        1,
        "o.yaml#/actions/0: The target selects nothing. Mend it, or remove the action.\n",
    )


def test_an_unknown_platform_is_wrong_use(folder: Path) -> None:
    result = run("render", folder / "good.json", *options(folder), "--platform", "fax")
    assert result.exit_code == 2
    assert "There is no platform fax." in result.stderr


def test_settings_that_cannot_be_used_are_told(folder: Path) -> None:
    (folder / "publisher.yaml").write_text("name: x")
    result = run("render", folder / "good.json", *options(folder))
    assert result.exit_code == 1
    assert "publisher.yaml#/author: Add it." in result.stderr


def test_text_of_a_document_does_not_act_on_the_terminal(folder: Path) -> None:
    evil = document({"/\x1b[2J": {"get": {"operationId": "a", "tags": ["\x1b[31m"], "responses": OK}}})
    (folder / "evil.json").write_text(json.dumps(evil))
    result = run("inspect", folder / "evil.json")
    assert "\x1b" not in result.stdout + result.stderr
    assert "GET /␛[2J" in result.stdout


def test_the_connectors_of_the_service_are_fresh() -> None:
    arguments = ("--publisher", ROOT / "connectors" / "publisher.yaml", "--output", ROOT / "connectors")
    assert run("check", ROOT / "openapi" / "aiops.yaml", *arguments).exit_code == 0
