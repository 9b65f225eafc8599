"""The app against another server than its own, such as one on this machine."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from aiops_connect.platforms.make.runner.app import MANIFEST, App, Block, Component
from aiops_connect.platforms.make.runner.errors import AppError


@dataclass(frozen=True, slots=True)
class Rebased:
    """The app's blocks with another server in place of the one that the base names.

    What lies below its `baseUrl` lies below the new one; other paths of its host are those of the new host.
    """

    app: App
    base_url: str | None

    def base(self) -> Block | None:
        block = self.app.base()
        return self.moved(block) if block else None

    def code(self, component: Component, key: str) -> Block | None:
        block = self.app.code(component, key)
        return self.moved(block) if block else None

    def moved(self, block: Block) -> Block:
        if self.base_url is None:
            return block
        base = self.app.base()
        own = base.value.get("baseUrl") if base and isinstance(base.value, dict) else None
        if base is None or not isinstance(own, str) or "{{" in own:
            raise AppError("Another base URL needs a `baseUrl` without expressions in the base.", MANIFEST)
        new = self.base_url.rstrip("/")
        moves = ((own.rstrip("/"), new), (_origin(own), _origin(new)))
        return replace(block, value=_replaced(block.value, moves))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _replaced(value: Any, moves: tuple[tuple[str, str], ...]) -> Any:
    """The URLs in a block that begin with an old address begin with the new one."""
    if isinstance(value, dict):
        return {key: _replaced(item, moves) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, moves) for item in value]
    if isinstance(value, str):
        for old, new in moves:
            if value.startswith(old) and value[len(old) :][:1] in ("", "/", "?", "{"):
                return new + value[len(old) :]
    return value
