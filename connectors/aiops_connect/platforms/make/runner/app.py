"""A Make app in the layout of Make's local development: `makecomapp.json` and the files it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from aiops_connect.platforms.make.runner.errors import AppError
from aiops_connect.platforms.make.runner.files import read_json
from aiops_connect.platforms.make.runner.limits import Limits

MANIFEST = "makecomapp.json"
ComponentKind = Literal["connection", "webhook", "module", "rpc", "function", "endpoint"]


@dataclass(frozen=True, slots=True)
class Block:
    """A JSON value of the app and where it stands."""

    value: Any
    file: str
    pointer: str = ""

    def at(self, *path: str | int) -> "Block":
        """What stands below, by keys and positions that are there."""
        block = self
        for step in path:
            pointer = f"{block.pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"
            block = Block(block.value[step], block.file, pointer)
        return block

    def members(self) -> dict[str, "Block"]:
        """The members of a collection.

        :raises AppError: for anything else
        """
        if not isinstance(self.value, dict):
            raise self.error("A collection is needed here.")
        return {key: self.at(key) for key in self.value}

    def error(self, message: str) -> AppError:
        return AppError(message, self.file, self.pointer)


@dataclass(frozen=True, slots=True)
class Component:
    """One connection, webhook, module, RPC or endpoint; `codes` are its files by their keys in the manifest."""

    kind: ComponentKind
    name: str
    metadata: Mapping[str, Any]
    codes: Mapping[str, str]


@dataclass(frozen=True)
class App:
    """What the manifest says; files are read when they are needed."""

    root: Path
    components: Mapping[tuple[ComponentKind, str], Component]
    general: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)

    def component(self, kind: ComponentKind, name: str) -> Component:
        """:raises AppError: for a component that the manifest does not have"""
        component = self.components.get((kind, name))
        if component is None:
            names = [other for other_kind, other in self.components if other_kind == kind]
            close = get_close_matches(name, names, n=1)
            known = f"Did you mean {close[0]!r}?" if close else f"There is {', '.join(sorted(names)) or 'none'}."
            raise AppError(f"The app has no {kind} {name!r}. {known}", MANIFEST, f"/components/{kind}")
        return component

    def code(self, component: Component, key: str) -> Block | None:
        """The content of one of the component's files; None where the manifest names none."""
        name = component.codes.get(key)
        return Block(read_json(self.root, name, self.limits), name) if name else None

    def base(self) -> Block | None:
        """What modules and RPCs inherit."""
        return self._general("base")

    def common(self) -> dict[str, Any]:
        block = self._general("common")
        if block and not isinstance(block.value, dict):
            raise block.error("The common data are a collection.")
        return dict(block.value) if block else {}

    def _general(self, key: str) -> Block | None:
        name = self.general.get(key)
        return Block(read_json(self.root, name, self.limits), name) if name else None


def load_app(root: Path, limits: Limits | None = None) -> App:
    """The app in a folder.

    :raises AppError: for a folder without a manifest, or a manifest that does not have Make's shape
    """
    bounds = limits or Limits()
    if not (root / MANIFEST).is_file():
        raise AppError(f"{root} has no such file; every Make app in the layout of local development has one.", MANIFEST)
    manifest = Block(read_json(root, MANIFEST, bounds), MANIFEST)
    members = manifest.members()
    for key in ("components", "generalCodeFiles"):
        if key not in members:
            raise manifest.error(f"The manifest lacks {key!r}.")
    components: dict[tuple[ComponentKind, str], Component] = {}
    kinds = members["components"].members()
    for kind in get_args(ComponentKind):
        for name, block in kinds[kind].members().items() if kind in kinds else ():
            if block.value is not None:  # a name that is only reserved
                components[kind, name] = _component(kind, name, block)
    return App(root, components, _code_files(members["generalCodeFiles"]), bounds)


def _component(kind: ComponentKind, name: str, block: Block) -> Component:
    members = block.members()
    if "codeFiles" not in members:
        raise block.error("The component lacks 'codeFiles'.")
    return Component(kind, name, block.value, _code_files(members["codeFiles"]))


def _code_files(block: Block) -> dict[str, str]:
    """The files by their keys; one that is null is not part of the local app."""
    for name, member in block.members().items():
        if not isinstance(member.value, str | None):
            raise member.error(f"The path of {name!r} is a text or null.")
    return {key: path for key, path in block.value.items() if path}
