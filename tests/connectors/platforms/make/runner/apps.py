"""Small apps written to a folder, and what it takes to run them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiops_connect.platforms.make.runner import (
    Inputs,
    InstantClock,
    Limits,
    Outcome,
    Settings,
    Target,
    Trace,
    load_app,
    run,
)

KINDS = ("connection", "endpoint", "function", "module", "rpc", "webhook")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def write_app(folder: Path, components: Mapping[str, Mapping[str, Any]], base: Any = None, common: Any = None) -> Path:
    """An app of `{"module": {"getJob": {"moduleType": "action", "files": {"communication": {...}}}}}`."""
    manifest: dict[str, Any] = {
        "fileVersion": 1,
        "generalCodeFiles": {"base": None, "common": None, "readme": None, "groups": None},
        "components": {kind: {} for kind in KINDS},
        "origins": [],
    }
    for key, content in (("base", base), ("common", common)):
        if content is not None:
            manifest["generalCodeFiles"][key] = _write(folder, f"general/{key}.iml.json", content)
    for kind, named in components.items():
        for name, component in named.items():
            metadata = {key: value for key, value in component.items() if key != "files"}
            files = {
                code: _write(folder, f"{kind}s/{name}/{name}.{code}.iml.json", content)
                for code, content in component["files"].items()
            }
            manifest["components"][kind][name] = {**metadata, "codeFiles": files}
    (folder / "makecomapp.json").write_text(json.dumps(manifest))
    return folder


def _write(folder: Path, name: str, content: Any) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return name


@dataclass
class Tried:
    """One module, run on an instant clock that starts at noon."""

    folder: Path
    clock: InstantClock = field(default_factory=lambda: InstantClock(NOON))
    trace: Trace = field(default_factory=Trace)

    def run(
        self, target: str = "module:try", limits: Limits | None = None, timezone: str = "UTC", **inputs: Any
    ) -> Outcome:
        bounds = limits or Limits()
        settings = Settings(self.clock, timezone=timezone, limits=bounds)
        return run(load_app(self.folder, bounds), Target.parse(target), Inputs(**inputs), settings, self.trace)


def one_module(
    folder: Path, communication: Any, kind: str = "action", base: Any = None, common: Any = None, **files: Any
) -> Tried:
    """An app with one module named `try`."""
    module = {"moduleType": kind, "connection": None, "files": {"communication": communication, **files}}
    return Tried(write_app(folder, {"module": {"try": module}}, base, common))
