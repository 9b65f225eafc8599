"""How the platforms are found: by their folders being there."""

import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

from aiops_connect import platforms
from aiops_connect.emitter import Emitter


class UnknownPlatformError(Exception):
    """There is no such platform. The message names those there are."""


def discover(package: ModuleType = platforms) -> dict[str, Emitter]:
    """The emitters by their names. A platform is one folder with a module `emitter`; nothing else names it.

    Raises:
        TypeError: a folder has no EMITTER, or one of another name.
    """
    found = {}
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        if not module.ispkg:
            continue
        emitter = getattr(importlib.import_module(f"{package.__name__}.{module.name}.emitter"), "EMITTER", None)
        if not isinstance(emitter, Emitter) or emitter.name != module.name:
            raise TypeError(f"platforms/{module.name}/emitter.py needs an EMITTER with the name {module.name}.")
        found[module.name] = emitter
    return found


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
