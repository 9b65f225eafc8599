"""Makes the providers that the operator names. One is a module with a function `create(tools)`: a file here, or any
module that can be imported."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from aiops import providers
from aiops.providers.base import OPERATIONS, Provider, Tools


def load_providers(names: Sequence[str], tools: Tools) -> list[Provider]:
    """In the order of `names`.

    Raises:
        ValueError: there is no such provider, or it cannot be used as it is set; the message says what to do.
    """
    if len(set(names)) != len(names):
        raise ValueError(f"AIOPS_PROVIDERS names a provider twice: {', '.join(names)}.")
    return [_load(name, tools) for name in names]


def _load(name: str, tools: Tools) -> Provider:
    path = name if "." in name else f"{providers.__name__}.{name}"
    if not _exists(path):
        raise ValueError(f"AIOPS_PROVIDERS names {name}, which is no provider. There are {', '.join(_ours())}.")
    create = getattr(import_module(path), "create", None)
    if create is None:
        raise ValueError(f"AIOPS_PROVIDERS names {name}, which is no provider: {path} has no function create(tools).")
    provider: Provider = create(tools)
    missing = [one for one in provider.operations if not hasattr(provider, one)]
    if missing or not provider.operations & OPERATIONS:
        lacks = f"{missing[0]} is no method of it" if missing else f"it has none of {', '.join(sorted(OPERATIONS))}"
        raise ValueError(f"The provider {name} (AIOPS_PROVIDERS) cannot be used: {lacks}.")
    return provider


def _exists(path: str) -> bool:
    try:
        return find_spec(path) is not None
    except (ModuleNotFoundError, ValueError):
        return False


def _ours() -> list[str]:
    return sorted(one.name for one in iter_modules(providers.__path__) if _is_provider(one.name))


def _is_provider(name: str) -> bool:
    return hasattr(import_module(f"{providers.__name__}.{name}"), "create")
