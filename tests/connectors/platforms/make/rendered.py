"""Apps as the emitter renders them, in a folder or in memory, and runs of what is in connectors/make."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiops_connect import ir
from aiops_connect.emitter import Emitted
from aiops_connect.platforms.make.emitter import EMITTER
from aiops_connect.platforms.make.runner import InstantClock, Outcome, Settings, Target, Trace, load_app, run
from aiops_connect.platforms.make.runner.inputs import Inputs
from tests.fixtures.publisher import PUBLISHER

OURS = Path(__file__).parents[4] / "connectors" / "make"


def emitted(app: ir.App) -> Emitted:
    return EMITTER.emit(app, PUBLISHER)


def contents(emitted_: Emitted) -> dict[str, Any]:
    """The JSON of each file by its path."""
    return {file.path: json.loads(file.data) for file in emitted_.files if file.path.endswith(".json")}


def written(emitted_: Emitted, folder: Path) -> Path:
    for file in emitted_.files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    return folder


def ours() -> dict[str, Any]:
    """As `contents`, of the app that is committed."""
    return {path.relative_to(OURS).as_posix(): json.loads(path.read_text()) for path in sorted(OURS.rglob("*.json"))}


def texts(value: Any) -> Iterator[str]:
    """All texts of a JSON value, names of members too, apart from the sign that spreads a collection."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from texts(item)
        case dict():
            for name, item in value.items():
                if name != "{{...}}":
                    yield name
                yield from texts(item)


@dataclass
class MakeAccount:
    """Somebody in Make with a connection: runs components of an app against a server, on an instant clock."""

    base_url: str
    key: str
    folder: Path = OURS
    clock: InstantClock = field(default_factory=lambda: InstantClock(datetime.now(UTC)))
    trace: Trace = field(default_factory=Trace)

    def run(self, target: str, execution_id: str | None = None, **inputs: Any) -> Outcome:
        settings = Settings(self.clock, base_url=self.base_url, execution_id=execution_id or uuid4().hex)
        given = {"connection": {"apiKey": self.key}, **inputs}
        return run(load_app(self.folder), Target.parse(target), Inputs(**given), settings, self.trace)

    def output(self, target: str, **parameters: Any) -> Any:
        """The one bundle that a module puts out."""
        bundles = self.run(target, parameters=parameters).bundles
        assert len(bundles) == 1
        return bundles[0]
