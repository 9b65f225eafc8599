"""n8n's own build and linter on what is rendered: ours, a document with every construct, and hostile ones."""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aiops_connect import ir, writer
from aiops_connect.openapi import parse_file
from aiops_connect.platforms.n8n.emitter import EMITTER
from tests.connectors.platforms.n8n.test_package import HOSTILE, every_construct, hostile_app
from tests.fixtures.n8n import PACKAGE, ROOT, node_environment
from tests.fixtures.publisher import PUBLISHER

pytestmark = pytest.mark.n8n

# As the scan of n8n does it: comments that switch rules off count for nothing.
STRICT = ["npx", "--no-install", "eslint", "--no-inline-config", "--max-warnings", "0", "--no-warn-ignored"]
SCANNER = ROOT / "tests" / "n8n" / "scan" / "node_modules" / "@n8n" / "scan-community-package" / "scanner"
# What the scan does with the source of a package and with what is published of it, once it has fetched them.
SCAN = """
const [, scanner, source, published] = process.argv;
const { analyzePackage, SOURCE_FILE_PATTERNS } = await import(`${scanner}/scanner.mjs`);
const found = [await analyzePackage(source, SOURCE_FILE_PATTERNS)];
if (published !== undefined) found.push(await analyzePackage(published, ['**/*.js', 'package.json']));
for (const { passed, message, details } of found) if (!passed) console.error(message, details);
process.exitCode = found.every(({ passed }) => passed) ? 0 : 1;
"""
LOADED = """
const [, folder, file, name] = process.argv;
process.stdout.write(JSON.stringify(require(`${folder}/dist/${file}`)[name]));
"""


def tool(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=node_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def package(folder: Path, app: ir.App) -> Path:
    """Written where the tools are."""
    writer.write(folder, EMITTER.emit(app, PUBLISHER).files)
    (folder / "node_modules").symlink_to(PACKAGE / "node_modules")
    return folder


def judge(folder: Path) -> None:
    tool(folder, "npx", "--no-install", "n8n-node", "build")
    assert "warning" not in tool(folder, "npx", "--no-install", "n8n-node", "lint")
    tool(folder, *STRICT, ".")


def scan(source: Path, *published: Path) -> str:
    return tool(source, "node", "--input-type=module", "-e", SCAN, str(SCANNER), str(source), *map(str, published))


def test_ours_is_built_and_linted(tmp_path: Path) -> None:
    judge(PACKAGE)
    pack = tool(PACKAGE, "npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(tmp_path))
    with tarfile.open(tmp_path / pack.split()[-1]) as archive:
        names = archive.getnames()
        archive.extractall(tmp_path, filter="data")
    tops = {name.split("/")[1] for name in names}
    assert tops == {"dist", "package.json", "README.md", "LICENSE.md"}
    scan(PACKAGE, tmp_path / "package")


def test_the_scan_ignores_comments_that_switch_rules_off(tmp_path: Path) -> None:
    folder = package(tmp_path, every_construct())
    path = folder / "nodes" / "Things" / "Things.node.ts"
    path.write_text(path.read_text() + "/* eslint-disable */\nconsole.log('hidden');\n")
    with pytest.raises(AssertionError, match="no-console"):
        scan(folder)


def test_the_linter_sees_what_is_rendered(tmp_path: Path) -> None:
    """A rule that is broken is reported: the labels are where the linter looks for them."""
    folder = package(tmp_path, every_construct())
    path = folder / "nodes" / "Things" / "properties" / "thing.ts"
    path.write_text(path.read_text().replace("displayName: 'Return All'", "displayName: 'return all'"))
    done = subprocess.run(
        [*STRICT, "."], cwd=folder, env=node_environment(), capture_output=True, text=True, check=False
    )
    assert "n8n-nodes-base/node-param-display-name-miscased" in done.stdout


def test_every_construct_is_built_and_linted(tmp_path: Path) -> None:
    folder = package(tmp_path, every_construct())
    judge(folder)
    scan(folder)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_compiled_to_itself(tmp_path: Path, text: str) -> None:
    """What the compiled package says is the text, and no linter finds code in it."""
    package(tmp_path, hostile_app(text, "Things"))
    judge(tmp_path)
    operations = loaded(tmp_path, "nodes/Things/operations/thing.js", "thingOperations")
    (operation,) = operations.values()
    sent = {one["name"]: one for one in operation["inputs"]}
    assert text in sent
    assert sent["fixed"]["constant"] == text
    properties = loaded(tmp_path, "nodes/Things/properties/thing.js", "thingProperties")
    assert [one for one in strings(properties) if one.startswith("=")] == []


def loaded(folder: Path, file: str, name: str) -> Any:
    return json.loads(tool(folder, "node", "-e", LOADED, str(folder), file, name))


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from strings(one)
        case list():
            for one in value:
                yield from strings(one)


@pytest.mark.timeout(1800)
def test_documents_of_others_are_built_and_linted(tmp_path: Path) -> None:
    for path in sorted(Path(os.environ["AIOPS_SPECS"]).glob("*.yaml")):
        parsed = parse_file(path)
        assert parsed.app is not None
        folder = tmp_path / path.stem
        folder.mkdir()
        judge(package(folder, parsed.app))
        shutil.rmtree(folder)
