"""How the platforms are found: by their folders being there."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable
from types import ModuleType

import typer

from aiops_connect import platforms
from aiops_connect.emitter import Emitter


class UnknownPlatformError(Exception):
    """There is no such platform. The message names those there are."""


def commands(package: ModuleType = platforms) -> dict[str, typer.Typer]:
    """The commands that platforms bring along, by the platform: the `app` of a module `cli` in its folder."""
    found = {name: _module(package, name, "cli") for name in _folders(package)}
    return {name: module.app for name, module in found.items() if module is not None}


def discover(package: ModuleType = platforms) -> dict[str, Emitter]:
    """The emitters by their names. A platform is one folder with a module `emitter`; nothing else names it.

    Raises:
        TypeError: a folder has no EMITTER, or one of another name.
    """
    found = {}
    for name in _folders(package):
        offered = _module(package, name, "emitter")
        if offered is None:
            continue
        emitter = getattr(offered, "EMITTER", None)
        if not isinstance(emitter, Emitter) or emitter.name != name:
            raise TypeError(f"platforms/{name}/emitter.py needs an EMITTER with the name {name}.")
        found[name] = emitter
    return found


def _folders(package: ModuleType) -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg)


def _module(package: ModuleType, platform: str, name: str) -> ModuleType | None:
    """A module of a platform's folder, or None where it has no such."""
    full_name = f"{package.__name__}.{platform}.{name}"
    return importlib.import_module(full_name) if importlib.util.find_spec(full_name) else None


def choose(names: Iterable[str], emitters: dict[str, Emitter]) -> list[Emitter]:
    """The emitters of these names; all of them where there are none.

    Raises:
        UnknownPlatformError: there is no emitter of a name.
    """
    chosen = list(names) or list(emitters)
    for name in chosen:
        if name not in emitters:
            raise UnknownPlatformError(
                f"There is no platform {name}. There are {', '.join(emitters)}; one more is a folder in platforms/."
            )
    return [emitters[name] for name in chosen]
