"""Zapier's own command line and the app's own tests, on what is rendered: ours, a document with every construct, and
other people's."""

import asyncio
import json
import os
import shlex
import shutil
import zipfile
from pathlib import Path

import pytest

from aiops_connect.platforms.zapier.emitter import EMITTER
from aiops_connect.writer import write
from tests.connectors.platforms.zapier.app_in_core import APP, NODE
from tests.connectors.platforms.zapier.conftest import Zap
from tests.connectors.platforms.zapier.test_documents import DOCUMENTS, OURS, named, read
from tests.connectors.platforms.zapier.test_golden import FOLDERS, THINGS

GUARD = Path(__file__).with_name("no_network.cjs")
OFFLINE = {
    "ZAPIER_ENDPOINT": "http://127.0.0.1:1",
    "DISABLE_ZAPIER_ANALYTICS": "1",
    "NODE_OPTIONS": f"--require={GUARD}",
}
ZIP_BYTES_MAX = 5_000_000

pytestmark = pytest.mark.asyncio(loop_scope="module")
every_document = pytest.mark.parametrize(
    "document", [OURS, THINGS, *(pytest.param(one, marks=pytest.mark.specs) for one in DOCUMENTS)], ids=named
)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one app after another is rendered, with the packages that all of them need. The packages are
    links to files, not one to their folder: the build puts into its archive what it finds under the app."""
    folder = tmp_path_factory.mktemp("workshop")
    shutil.copytree(APP / "node_modules", folder / "node_modules", symlinks=True, copy_function=_link)
    return folder


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def rendered(document: Path, workshop: Path) -> Path:
    write(workshop, EMITTER.emit(*read(document)).files)
    shutil.rmtree(workshop / "build", ignore_errors=True)
    return workshop


async def run(folder: Path, *arguments: str | Path, **environment: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=folder,
        env={"PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder), **OFFLINE, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")


async def tool(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Zapier's command line."""
    return await run(folder, NODE, folder / "node_modules" / ".bin" / "zapier-platform", *arguments, **environment)


@every_document
async def test_zapiers_own_tool_validates_and_builds_it(document: Path, workshop: Path) -> None:
    """Without an account or a network: what the tool would ask Zapier for, is left out."""
    folder = rendered(document, workshop)
    code, said = await tool(folder, "validate", "--without-style", "--format", "json")
    assert (code, json.loads(said)) == (0, []), said
    code, said = await tool(folder, "build", "--skip-dep-install", "--skip-validation")
    assert code == 0, said
    built = folder / "build" / "build.zip"
    assert built.stat().st_size < ZIP_BYTES_MAX
    names = set(zipfile.ZipFile(built).namelist())
    steps = {file.path for file in EMITTER.emit(*read(document)).files if file.path.startswith(FOLDERS)}
    assert steps | {"definition.json", "index.js", "operations.json", "runtime/steps.js", "settings.json"} <= names


@pytest.mark.timeout(600)  # a document has some hundreds of steps
@every_document
async def test_its_own_tests_pass_offline(document: Path, workshop: Path) -> None:
    code, said = await run(rendered(document, workshop), "npm", "test", "--silent")
    assert code == 0, said[-8000:]
    assert "fail 0" in said


@every_document
async def test_its_program_is_sound_by_typescript(document: Path, workshop: Path) -> None:
    folder = rendered(document, workshop)
    assert await run(folder, NODE, folder / "node_modules" / ".bin" / "tsc") == (0, "")


async def test_the_guard_against_the_network_holds(workshop: Path) -> None:
    code, said = await run(workshop, NODE, "-e", "require('node:net').connect(80, '192.0.2.1')")
    assert code == 1
    assert "leaves this machine" in said


async def test_zapier_is_told_how_a_call_is_authenticated(workshop: Path) -> None:
    code, said = await tool(rendered(OURS, workshop), "invoke", "auth", "template")
    assert code == 0, said
    told = json.loads(said[said.index("{") :])
    assert told["supported"] is True
    assert told["template"]["headers"]["Authorization"] == "Bearer {{bundle.authData.api_key}}"


def taught(readme: str, beginning: str) -> list[str]:
    """The lines of code in the README that begin like this."""
    return [line.strip() for line in readme.splitlines() if line.startswith(f"    {beginning}")]


async def test_what_the_readme_says_to_try_works(zap: Zap, workshop: Path) -> None:
    """A connection from `.env`, its test, its label, and a step with what it needs."""
    folder = rendered(OURS, workshop)
    readme = (folder / "README.md").read_text()
    [credentials], [address] = taught(readme, "authData_"), taught(readme, "AIOPS_BASE_URL=")
    (folder / ".env").write_text(f"{credentials.replace('…', zap.key)}\n{address.partition('=')[0]}={zap.server.url}\n")
    said = [await tool(folder, *shlex.split(line)[2:]) for line in taught(readme, "npx zapier-platform ")]
    assert [code for code, _ in said] == [0, 0, 0], said
    test, label, step = (text for _, text in said)
    assert f'"email": "{zap.mark}@example.com"' in test
    assert f"{zap.mark}@example.com" in label
    assert '"credits_charged": 5' in step
    assert await zap.charges() == [-5]


async def test_a_wrong_key_is_told_in_a_sentence(zap: Zap, workshop: Path) -> None:
    folder = rendered(OURS, workshop)
    (folder / ".env").write_text(f"authData_api_key=wrong\nAIOPS_BASE_URL={zap.server.url}\n")
    code, said = await tool(folder, "invoke", "auth", "test")
    assert code != 0
    assert "Missing or invalid API key." in said
