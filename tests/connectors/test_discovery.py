"""A platform is one folder, with nothing else edited."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from aiops_connect import ir
from aiops_connect.cli import app as commands
from aiops_connect.discovery import UnknownPlatformError, choose, discover
from aiops_connect.emitter import Emitted, Emitter
from tests.fixtures.publisher import PUBLISHER, SETTINGS

EMITTER = """
from aiops_connect.changes import Change, Severity
from aiops_connect.emitter import Emitted, GeneratedFile

class Emitter:
    name = "paper"
    kept = frozenset()

    def emit(self, app, publisher):
        lines = [f"{operation.method} {operation.path}" for operation in app.operations]
        return Emitted((GeneratedFile("calls.txt", "\\n".join([publisher.title, *lines]) + "\\n"),))

    def changes(self, old, new):
        return [Change(Severity.MAJOR, "paper", "It has to be printed again.")]

EMITTER = Emitter()
"""


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a platform, beside those there are."""
    folder = tmp_path / "platforms" / "paper"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "emitter.py").write_text(EMITTER)
    platforms = sys.modules["aiops_connect.platforms"]
    monkeypatch.setattr(platforms, "__path__", [*platforms.__path__, str(folder.parent)])
    yield folder
    for name in [name for name in sys.modules if name.startswith("aiops_connect.platforms.paper")]:
        del sys.modules[name]


@pytest.fixture
def api(tmp_path: Path) -> Path:
    path = tmp_path / "api.yaml"
    path.write_text("openapi: 3.1.0\ninfo: {title: Things, version: 1.0.0}\npaths: {/things: {get: {responses: {}}}}\n")
    settings = "\n".join(f"{name}: {value}" for name, value in SETTINGS.items())
    (tmp_path / "publisher.yaml").write_text(settings)
    return path


def test_a_folder_is_found_and_run(paper: Path, api: Path) -> None:
    assert {"markdown", "paper"} <= discover().keys()
    arguments = [str(api), "--publisher", str(api.parent / "publisher.yaml"), "--output", str(api.parent / "out")]
    assert CliRunner().invoke(commands, ["render", *arguments]).exit_code == 0
    assert (api.parent / "out" / "paper" / "calls.txt").read_text() == "Things\nGET /things\n"
    assert (api.parent / "out" / "markdown" / "operations.md").exists()
    assert CliRunner().invoke(commands, ["check", *arguments]).exit_code == 0


def test_a_platform_can_judge_changes_by_rules_of_its_own(paper: Path, api: Path) -> None:
    result = CliRunner().invoke(commands, ["diff", str(api), str(api), "--platform", "markdown", "--platform", "paper"])
    assert result.exit_code == 4
    assert "markdown: no version bump, 0 changes\n" in result.stdout
    assert "paper: major version bump, 1 changes\n  BREAKING: paper: It has to be printed again.\n" in result.stdout


def test_an_unknown_platform_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownPlatformError, match=r"There is no platform fax\. There are (\w+, )*markdown"):
        choose(["fax"], discover())


def test_a_folder_without_an_emitter_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_platforms" / "empty").mkdir(parents=True)
    for path in ("__init__.py", "empty/__init__.py", "empty/emitter.py"):
        (tmp_path / "broken_platforms" / path).write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    package = ModuleType("broken_platforms")
    package.__path__ = [str(tmp_path / "broken_platforms")]
    with pytest.raises(TypeError, match="needs an EMITTER with the name empty"):
        discover(package)


@pytest.mark.parametrize("emitter", discover().values(), ids=discover())
def test_an_app_without_operations_is_rendered(emitter: Emitter) -> None:
    empty = ir.App("things", "Things", "1", "", (), None, ())
    emitted = emitter.emit(empty, PUBLISHER)
    assert isinstance(emitted, Emitted)
    assert emitted.files
