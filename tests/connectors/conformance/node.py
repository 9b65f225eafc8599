"""JavaScript of the rendered connectors, run by Node."""

import json
import subprocess
from pathlib import Path
from typing import Any

_NODE = Path(__file__).parents[3] / ".venv" / "bin" / "node"


def run(script: str, folder: Path, given: Any) -> dict[str, Any]:
    """What a script beside this module prints for the connector in a folder."""
    command: list[str | Path] = [
        _NODE,
        "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
        Path(__file__).with_name(script),
        folder,
    ]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told
