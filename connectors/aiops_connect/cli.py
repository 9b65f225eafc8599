"""`aiops-connect`: from a document to connectors, on the command line.

Exit codes: 0 all is well; 1 the document, an overlay or the settings have problems; 2 wrong use; 3 rendered files are
not fresh, or cannot be published; 4 a new version breaks what people have built.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from aiops_connect import diff as differences
from aiops_connect import ir, writer
from aiops_connect.changes import bump
from aiops_connect.discovery import UnknownPlatformError, choose, commands, discover
from aiops_connect.emitter import Emitted, Emitter, JudgesPublishing
from aiops_connect.inspection import lines
from aiops_connect.loading import LoadError, load
from aiops_connect.openapi import Parsed, parse
from aiops_connect.overlay import OverlayError, overlaid
from aiops_connect.printing import one_line
from aiops_connect.problem import Problem
from aiops_connect.publisher import Publisher, PublisherError, load_publisher, unpublishable

PROBLEMS, STALE, BREAKING = 1, 3, 4

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Document = Annotated[
    Path, typer.Argument(help="OpenAPI 3.1 or 3.0, or Swagger 2.0, in YAML or JSON.", show_default=False)
]
Overlays = Annotated[
    list[Path], typer.Option("--overlay", help="An OpenAPI Overlay to apply first; can be given again.")
]
Platforms = Annotated[list[str], typer.Option("--platform", help="Only this platform; can be given again.")]
Settings = Annotated[Path, typer.Option("--publisher", help="Who publishes: the settings file.")]
Output = Annotated[Path, typer.Option("--output", help="The folder that holds a folder for each platform.")]


def main() -> None:
    for platform, group in commands().items():
        app.add_typer(group, name=platform)
    app()


@app.command()
def inspect(document: Document, *, overlay: Overlays = []) -> None:  # noqa: B006 - Typer reads it, nobody writes it
    """Print operations, fields and problems."""
    parsed = _read(document, overlay)
    if parsed.app is not None:
        for text in lines(parsed.app):
            print(text)
    _report(parsed.problems)
    found = len(list(parsed.app.operations)) if parsed.app is not None else 0
    print(
        f"\n{parsed.operations} operations: {found} read, {parsed.excluded} excluded. {len(parsed.problems)} problems."
    )
    raise typer.Exit(PROBLEMS if parsed.problems else 0)


@app.command()
def render(
    document: Document,
    *,
    publisher: Settings = Path("publisher.yaml"),
    output: Output = Path(),
    platform: Platforms = [],  # noqa: B006
    overlay: Overlays = [],  # noqa: B006
    keep_going: Annotated[bool, typer.Option(help="Render what can be rendered, in spite of problems.")] = False,
) -> None:
    """Write the connectors, each into a folder of its platform's name."""
    settings, emitters = _settings(publisher), _emitters(platform)
    parsed = _read(document, overlay)
    rendered = {emitter.name: _emit(emitter, parsed, settings) for emitter in emitters}
    problems = [*parsed.problems, *(problem for emitted in rendered.values() for problem in emitted.problems)]
    _report(problems)
    if problems and not keep_going:
        _fail(PROBLEMS, "Nothing is written. Mend the document, exclude what cannot be rendered, or add --keep-going.")
    for name, emitted in rendered.items():
        for change in _written(output / name, emitted):
            print(f"{output / name / change.path} {change.what}")
    raise typer.Exit(PROBLEMS if problems else 0)


@app.command()
def check(
    document: Document,
    *,
    publisher: Settings = Path("publisher.yaml"),
    output: Output = Path(),
    platform: Platforms = [],  # noqa: B006
    overlay: Overlays = [],  # noqa: B006
    publish: Annotated[bool, typer.Option("--publish", help="Also whether it can be published as it stands.")] = False,
) -> None:
    """Tell whether the connectors are what would be rendered now."""
    settings, emitters = _settings(publisher), _emitters(platform)
    parsed = _read(document, overlay)
    if parsed.problems or parsed.app is None:
        _report(parsed.problems)
        raise typer.Exit(PROBLEMS)
    stale = False
    for emitter in emitters:
        emitted = _emit(emitter, parsed, settings)
        if emitted.problems:
            _report(emitted.problems)
            raise typer.Exit(PROBLEMS)
        for difference in writer.check(output / emitter.name, emitted.files, emitter.kept):
            stale = True
            print(f"{output / emitter.name / difference.path} {difference.what}", file=sys.stderr)
    if stale:
        _fail(STALE, "Render again.")
    if publish and (reasons := _unpublishable(parsed.app, settings, publisher, emitters)):
        _report(reasons)
        raise typer.Exit(STALE)


@app.command()
def diff(
    old: Document,
    new: Document,
    *,
    platform: Platforms = [],  # noqa: B006
    overlay: Overlays = [],  # noqa: B006
) -> None:
    """Tell what a new version changes for the people who use the connectors."""
    emitters = _emitters(platform)
    apps = []
    for document in (old, new):
        parsed = _read(document, overlay)
        _report(parsed.problems)
        if parsed.app is None:
            raise typer.Exit(PROBLEMS)
        apps.append(parsed.app)
    is_breaking = False
    for name, changes in differences.compare_by_platform(apps[0], apps[1], emitters).items():
        severity = bump(changes)
        print(f"{name}: {severity.value if severity is not None else 'no'} version bump, {len(changes)} changes")
        for change in changes:
            print(f"  {'BREAKING' if change.is_breaking else change.severity.value}: {one_line(str(change))}")
        is_breaking |= any(change.is_breaking for change in changes)
    raise typer.Exit(BREAKING if is_breaking else 0)


def _read(document: Path, overlays: Iterable[Path]) -> Parsed:
    try:
        tree = load(document)
        for path in overlays:
            tree = overlaid(tree, load(path), path.name)
    except LoadError as error:
        return Parsed(None, (Problem(document.name, str(error)),))
    except OverlayError as error:
        return Parsed(None, error.problems)
    parsed = parse(tree, document, progress=_progress if sys.stderr.isatty() else None)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return parsed


def _progress(done: int, of: int) -> None:
    print(f"\r\033[Kreading operation {done} of {of}", end="", file=sys.stderr, flush=True)


def _settings(path: Path) -> Publisher:
    try:
        return load_publisher(path)
    except PublisherError as error:
        _report(error.problems)
        raise typer.Exit(PROBLEMS) from error


def _emitters(names: Iterable[str]) -> list[Emitter]:
    try:
        return choose(names, discover())
    except UnknownPlatformError as error:
        raise typer.BadParameter(str(error)) from error


def _emit(emitter: Emitter, parsed: Parsed, settings: Publisher) -> Emitted:
    empty = ir.App("", "", "", "", (), None, ())
    return emitter.emit(parsed.app or empty, settings) if parsed.app is not None else Emitted(())


def _unpublishable(app: ir.App, settings: Publisher, path: Path, emitters: Iterable[Emitter]) -> list[Problem]:
    found = unpublishable(app, settings, path)
    for emitter in emitters:
        if isinstance(emitter, JudgesPublishing):
            found += emitter.unpublishable(app, settings)
    return found


def _written(folder: Path, emitted: Emitted) -> list[writer.Difference]:
    try:
        return writer.write(folder, emitted.files)
    except OSError as error:
        _fail(PROBLEMS, f"{folder} cannot be written: {error.strerror}.")


def _report(problems: Iterable[Problem]) -> None:
    for problem in problems:
        print(one_line(str(problem)), file=sys.stderr)


def _fail(code: int, message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(code)
