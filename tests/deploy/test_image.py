"""The Dockerfile, as far as it can be judged without Docker: by its linter, and by building from what it copies."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def test_its_linter_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    linted = subprocess.run(
        [hadolint, "--failure-threshold", "info", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")


def stages() -> tuple[str, str]:
    """What builds, and what the image is."""
    first, _, last = DOCKERFILE.read_text().partition("\nFROM python:3.13-slim-bookworm\n")
    return first, last


def installed(stage: str) -> set[str]:
    """Packages of Debian."""
    return {name for line in re.findall(r"apt-get install (.+) \\$", stage, re.MULTILINE) for name in line.split()}


def test_the_first_process_waits_for_those_that_lost_their_parents() -> None:
    _, image = stages()
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", image, re.MULTILINE)
    assert json.loads(entry) == ["tini", "-e", "143", "--", "aiops"]
    assert "tini" in installed(image)


def test_what_has_no_wheel_can_be_built_and_the_image_has_no_compiler() -> None:
    build, image = stages()
    assert "build-essential" in installed(build)
    assert installed(image) == {"--yes", "--no-install-recommends", "flite", "tini"}


def copied() -> list[str]:
    """What the first stage takes from the repository."""
    first, _ = stages()
    return [name for line in re.findall(r"^COPY (.+)$", first, re.MULTILINE) for name in line.split()[:-1]]


def test_nothing_is_copied_that_docker_is_told_to_ignore() -> None:
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in copied()} == {line for line in ignored if line.startswith("!")}


def test_what_is_copied_is_all_that_the_package_is_made_of(tmp_path: Path) -> None:
    """The wheel that the image installs has every file of the package, and the contract."""
    for name in copied():
        source, target = ROOT / name, tmp_path / "context" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    build = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    arguments = ["--no-build-isolation", "--wheel-dir", str(tmp_path), str(tmp_path / "context")]
    subprocess.run([*build, *arguments], check=True)
    (wheel,) = tmp_path.glob("aiops-*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("aiops/")}
    ours = {
        str(path.relative_to(ROOT / "backend"))
        for path in (ROOT / "backend" / "aiops").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == {*ours, "aiops/contract/aiops.yaml"}
