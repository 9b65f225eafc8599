"""A document with every construct: what is rendered of it, file by file, and that it works.

After a change that is meant: `UPDATE_GOLDEN=1 pytest tests/connectors/platforms/zapier/test_golden.py`, then read what
git shows.
"""

import os
import shutil
from pathlib import Path

import pytest

from aiops_connect.platforms.zapier.emitter import EMITTER
from tests.connectors.platforms.zapier.app_in_core import ROOT, running_app
from tests.connectors.platforms.zapier.test_documents import read, refused, rendered

THINGS = ROOT / "tests" / "golden" / "things.yaml"
GOLDEN = ROOT / "tests" / "golden" / "zapier"
FOLDERS = ("creates/", "searches/", "triggers/")
FILES = ("authentication.json", "index.js", "operations.json", "package.json", "settings.json")


def generated() -> dict[str, bytes]:
    """What differs from document to document."""
    files = EMITTER.emit(*read(THINGS)).files
    return {file.path: file.data for file in files if file.path.startswith(FOLDERS) or file.path in FILES}


def test_what_is_rendered_is_what_was_reviewed() -> None:
    made = generated()
    if "UPDATE_GOLDEN" in os.environ:
        shutil.rmtree(GOLDEN, ignore_errors=True)
        for name, data in made.items():
            (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / name).write_bytes(data)
    reviewed = {path.relative_to(GOLDEN).as_posix(): path.read_bytes() for path in GOLDEN.rglob("*") if path.is_file()}
    assert made == reviewed


async def test_its_definition_is_sound(tmp_path: Path) -> None:
    rendered(THINGS, tmp_path, "http://127.0.0.1:1")
    async with running_app(tmp_path, {}) as running:
        assert (await running.send({"command": "validate"})).results == []


@pytest.mark.parametrize("only_required", [True, False], ids=["required", "all"])
async def test_each_action_sends_what_the_document_asks_for(only_required: bool, tmp_path: Path) -> None:
    assert await refused(THINGS, tmp_path, only_required=only_required) == {}
