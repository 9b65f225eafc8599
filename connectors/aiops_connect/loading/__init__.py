"""Files into plain data, or one sentence that says why not."""

import json
import math
from pathlib import Path
from typing import Any

from aiops_connect.limits import DEPTH_MAX, FILE_BYTES_MAX, NODES_MAX
from aiops_connect.loading import yaml_reader


class LoadError(Exception):
    """A file or a text cannot be read. The message is a sentence that the name of the file can stand before."""


def load(path: Path) -> Any:
    """What a file of YAML or JSON says.

    Raises:
        LoadError: there is no such file, it is neither, or it is beyond the limits.
    """
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise LoadError(f"It cannot be read: {error.strerror}.") from error
    if len(content) > FILE_BYTES_MAX:
        raise LoadError(f"It is larger than {FILE_BYTES_MAX:,} bytes.")
    try:
        return loads(content.decode("utf-8-sig"), is_json=path.suffix == ".json")
    except UnicodeDecodeError as error:
        raise LoadError(f"It is not UTF-8 at byte {error.start}. Save it as UTF-8.") from error


def loads(text: str, *, is_json: bool = False) -> Any:
    """What a text of YAML says, or of JSON, which is read faster as such.

    Raises:
        LoadError: it is neither, or beyond the limits.
    """
    try:
        return _json(text) if is_json else yaml_reader.read(text)
    except yaml_reader.YamlError as error:
        raise LoadError(str(error)) from error


def _json(text: str) -> Any:
    try:
        tree = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_number)
    except RecursionError:
        raise LoadError(f"It is nested more than {DEPTH_MAX} levels deep. Flatten it.") from None
    except ValueError as error:
        raise LoadError(f"It is not JSON: {error}.") from error
    _measure(tree)
    return tree


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands twice in one object; leave one")
    return found


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is beyond the numbers that are read")
    return number


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _measure(tree: Any) -> None:
    """Raises LoadError beyond the limits of depth and number."""
    nodes = 1
    level = _containers([tree])
    for _ in range(DEPTH_MAX):
        if not level:
            return
        children = [child for one in level for child in (one.values() if isinstance(one, dict) else one)]
        nodes += len(children)
        if nodes > NODES_MAX:
            raise LoadError(f"It holds more than {NODES_MAX:,} values.")
        level = _containers(children)
    if level:
        raise LoadError(f"It is nested more than {DEPTH_MAX} levels deep. Flatten it.")


def _containers(nodes: list[Any]) -> list[Any]:
    return [node for node in nodes if isinstance(node, dict | list)]
