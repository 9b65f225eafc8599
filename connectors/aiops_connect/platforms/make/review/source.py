"""An app under review: its files by their paths, and its components."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiops_connect.platforms.make.runner.app import MANIFEST, load_app
from aiops_connect.platforms.make.runner.files import read_json
from aiops_connect.platforms.make.runner.limits import Limits


@dataclass(frozen=True, slots=True)
class Part:
    """One component. `code` gives the content of one of its files, `path` where that stands."""

    kind: str
    id: str
    metadata: Mapping[str, Any]
    files: Mapping[str, Any]

    def path(self, code: str) -> str:
        return str(self.metadata.get("codeFiles", {}).get(code) or MANIFEST)

    def code(self, code: str) -> Any:
        return self.files.get(self.path(code)) if self.path(code) != MANIFEST else None

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The requests of its communication, in their order."""
        found = self.code("communication") or []
        return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """What it asks for, without what options bring along."""
        codes = ("staticParams", "mappableParams", "params")
        return [one for code in codes for one in self.code(code) or [] if isinstance(one, dict)]

    @property
    def all_parameters(self) -> list[dict[str, Any]]:
        """With what options bring along."""
        return [found for one in self.parameters for found in _with_nested(one)]


def _with_nested(parameter: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield parameter
    options = parameter.get("options")
    for option in options if isinstance(options, list) else []:
        nested = option.get("nested") if isinstance(option, dict) else None
        for one in nested if isinstance(nested, list) else []:
            if isinstance(one, dict):
                yield from _with_nested(one)


@dataclass(frozen=True, slots=True)
class Source:
    """`files` holds what `makecomapp.json` names, each parsed."""

    files: Mapping[str, Any]

    @property
    def manifest(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.files[MANIFEST]
        return found

    def parts(self, kind: str) -> list[Part]:
        named = self.manifest.get("components", {}).get(kind) or {}
        return [Part(kind, name, one, self.files) for name, one in named.items() if one is not None]

    def modules(self, *types: str) -> list[Part]:
        """Those of these types; all where none is named."""
        return [one for one in self.parts("module") if not types or one.metadata.get("moduleType") in types]

    def general_path(self, code: str) -> str:
        return str(self.manifest.get("generalCodeFiles", {}).get(code) or MANIFEST)

    def general(self, code: str) -> Any:
        return self.files.get(self.general_path(code)) or {}


def texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value, names of members too."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from texts(item)
        case dict():
            for name, item in value.items():
                yield name
                yield from texts(item)


def read_source(folder: Path) -> dict[str, Any]:
    """The files of an app by their paths, as `review` takes them; those that are no JSON are left out.

    :raises AppError: for a folder that holds no app, or a file that is missing or cannot be read
    """
    app, limits = load_app(folder), Limits()
    named = [*app.general.values(), *(path for one in app.components.values() for path in one.codes.values())]
    return {
        path: read_json(folder, path, limits) for path in (MANIFEST, *named) if path.endswith((".json", ".imljson"))
    }
