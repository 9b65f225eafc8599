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
        return str(directive(self.metadata, "codeFiles", code) or MANIFEST)

    def code(self, code: str) -> Any:
        return self.files.get(self.path(code)) if self.path(code) != MANIFEST else None

    def items(self, code: str) -> list[Mapping[str, Any]]:
        """The objects in a file that holds a list of them."""
        return objects(self.code(code))

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        """The requests of its communication, in their order; of a connection by OAuth, those of its sections."""
        found = self.code("communication")
        if self.metadata.get("connectionType") == "oauth":
            return [one for section in mapping(found).values() for one in objects(section)]
        return objects(found)

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        """What it asks for, without what options bring along."""
        return [one for code in ("staticParams", "mappableParams", "params") for one in self.items(code)]

    @property
    def all_parameters(self) -> list[Mapping[str, Any]]:
        """With what options bring along."""
        return [found for one in self.parameters for found in _with_nested(one)]


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list, or the one object that stands for it."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def items(value: Any) -> list[Any]:
    """A list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def directive(request: Mapping[str, Any], *names: str) -> Any:
    """What stands at a path of members; None where there is nothing."""
    found: Any = request
    for name in names:
        found = mapping(found).get(name)
    return found


def _with_nested(parameter: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield parameter
    options = parameter.get("options")
    for option in objects(items(options)):
        nested = option.get("nested")
        for one in objects(items(nested)):
            yield from _with_nested(one)


@dataclass(frozen=True, slots=True)
class Source:
    """`files` holds what `makecomapp.json` names, each parsed."""

    files: Mapping[str, Any]

    @property
    def manifest(self) -> Mapping[str, Any]:
        return mapping(self.files.get(MANIFEST))

    def parts(self, kind: str) -> list[Part]:
        named = mapping(directive(self.manifest, "components", kind))
        return [Part(kind, name, one, self.files) for name, one in named.items() if isinstance(one, dict)]

    def modules(self, *types: str) -> list[Part]:
        """Those of these types; all where none is named."""
        return [one for one in self.parts("module") if not types or one.metadata.get("moduleType") in types]

    def general_path(self, code: str) -> str:
        return str(directive(self.manifest, "generalCodeFiles", code) or MANIFEST)

    def general(self, code: str) -> Mapping[str, Any]:
        path = self.general_path(code)
        return mapping(self.files.get(path)) if path != MANIFEST else {}

    @property
    def groups(self) -> list[Mapping[str, Any]]:
        path = self.general_path("groups")
        return objects(self.files.get(path)) if path != MANIFEST else []


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
