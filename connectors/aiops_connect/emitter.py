"""What a platform's folder has to offer."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

import jinja2

from aiops_connect import ir
from aiops_connect.changes import Change
from aiops_connect.problem import Problem
from aiops_connect.publisher import Publisher


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """One file of a connector. `path` is relative to its folder, with `/` between its steps."""

    path: str
    content: str | bytes

    @property
    def data(self) -> bytes:
        return self.content.encode() if isinstance(self.content, str) else self.content


@dataclass(frozen=True, slots=True)
class Emitted:
    """What came of an app: its files, and why some of it is not in them."""

    files: tuple[GeneratedFile, ...]
    problems: tuple[Problem, ...] = ()


@runtime_checkable
class Emitter(Protocol):
    """Renders connectors for one platform. An object of this kind is the `EMITTER` of `platforms/<name>/emitter.py`.

    `kept` are names of files and folders that may lie among the rendered ones without being rendered, such as what the
    platform's own tools leave behind.
    """

    @property
    def name(self) -> str:
        """The name of its folder."""

    @property
    def kept(self) -> frozenset[str]: ...

    def emit(self, app: ir.App, publisher: Publisher) -> Emitted:
        """Pure: the same files for the same app, nothing read, nothing written."""


@runtime_checkable
class JudgesChanges(Protocol):
    """An emitter whose platform has rules of its own for what a change means to the people who use a connector."""

    def changes(self, old: ir.App, new: ir.App) -> Iterable[Change]:
        """Replaces what `diff` says for all platforms alike."""


@runtime_checkable
class JudgesPublishing(Protocol):
    """An emitter whose platform has rules of its own for what it publishes."""

    def unpublishable(self, app: ir.App, publisher: Publisher) -> Iterable[Problem]:
        """What it would refuse, beside what none takes."""


@cache
def templates(package: str) -> jinja2.Environment:
    """The templates in the folder `templates` of a package. What a template names has to be there. Nothing is escaped
    by itself: a platform brings filters that do it for its own syntax."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - nothing here is HTML
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
