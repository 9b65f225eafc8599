"""The one module that writes. A folder of rendered files holds a list of them, so that only what was rendered is ever
removed, and what was added by hand is found."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aiops_connect.emitter import GeneratedFile

LIST = ".rendered"
_HEAD = "# Rendered by aiops-connect; do not edit these files.\n"


class UnsafePathError(Exception):
    """A file would not be written where it belongs. The message says which."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is not as it would be rendered now."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path} {self.what}"


def write(folder: Path, files: Sequence[GeneratedFile]) -> list[Difference]:
    """Makes a folder hold these files, and none that was rendered before and is not now. Returns what changed.

    Raises:
        UnsafePathError: a path leads out of the folder, or two are the same to some system.
        OSError: it cannot be written.
    """
    by_path = _by_path(files)
    superfluous = sorted(_listed(folder) - by_path.keys())
    changed = []
    for path, content in by_path.items():
        target = folder / path
        before = _read(target)
        if before != content:
            _replace(target, content)
            changed.append(Difference(path, "is new." if before is None else "is changed."))
    for path in superfluous:
        target = folder / path
        if target.is_file():
            target.unlink()
            changed.append(Difference(path, "is removed."))
        _remove_empty(target.parent, folder)
    return changed


def check(folder: Path, files: Sequence[GeneratedFile], kept: Iterable[str] = ()) -> list[Difference]:
    """What would change, and files that are in the way. `kept` are names of files and folders that may be there.

    Raises:
        UnsafePathError: as `write` does.
    """
    by_path = _by_path(files)
    differences = []
    for path, content in by_path.items():
        before = _read(folder / path)
        if before is None:
            differences.append(Difference(path, "is missing."))
        elif before != content:
            differences.append(Difference(path, "is not what would be rendered now."))
    extra = _present(folder, frozenset(kept)) - by_path.keys()
    return differences + [Difference(path, "is not rendered.") for path in sorted(extra)]


def _by_path(files: Sequence[GeneratedFile]) -> dict[str, bytes]:
    """The content of each file by its path, the list of them included."""
    found: dict[str, bytes] = {}
    for file in files:
        if not _is_safe(file.path):
            raise UnsafePathError(f"{file.path!r} is no path within the folder.")
        found[file.path] = file.data
    if len({path.casefold() for path in found}) < len(files):
        raise UnsafePathError("Two files have one path, or differ in upper and lower case only.")
    names = "".join(f"{path}\n" for path in sorted(found))
    return found | {LIST: (_HEAD + names).encode()}


def _is_safe(path: str) -> bool:
    pure = PurePosixPath(path)
    is_plain = str(pure) == path and "\\" not in path and "\0" not in path
    return is_plain and not pure.is_absolute() and ".." not in pure.parts and path not in (".", LIST)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _listed(folder: Path) -> set[str]:
    content = _read(folder / LIST)
    lines = content.decode(errors="replace").splitlines() if content is not None else []
    return {line for line in lines if line and not line.startswith("#") and _is_safe(line)}


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _present(folder: Path, kept: frozenset[str]) -> set[str]:
    found = set()
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in kept]
        found |= {(Path(where) / name).relative_to(folder).as_posix() for name in names if name not in kept}
    return found
