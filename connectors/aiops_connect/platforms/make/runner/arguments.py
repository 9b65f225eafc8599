"""Values on the command line: JSON, files by `@path`; and buffers of the output to files."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiops_connect.platforms.make.runner.iml.values import Value, plain
from aiops_connect.platforms.make.runner.webhooks import Payload

FILE_MARK = "@"
NAME_KEYS = ("fileName", "filename", "file_name", "name")


class ArgumentError(ValueError):
    """A value on the command line that cannot be used."""


def read_collection(text: str, option: str, size_max: int, *, files: bool) -> dict[str, Value]:
    """A JSON object, or the one in the file `@path`.

    With `files`, a text in it that begins with `@` is the content of the file of that name, and `@@` is a plain `@`.

    :raises ArgumentError: for anything else
    """
    if text.startswith(FILE_MARK):
        text = _read(Path(text[1:]), option, size_max).decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ArgumentError(f"{option} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ArgumentError(f'{option} has to be a JSON object such as {{"name": "value"}}')
    return {key: _with_files(item, option, size_max) for key, item in value.items()} if files else value


def _with_files(value: Any, option: str, size_max: int) -> Value:
    if isinstance(value, dict):
        return {key: _with_files(item, option, size_max) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_files(item, option, size_max) for item in value]
    if isinstance(value, str) and value.startswith(FILE_MARK):
        return value[1:] if value.startswith(FILE_MARK * 2) else _read(Path(value[1:]), option, size_max)
    return value


def _read(path: Path, option: str, size_max: int) -> bytes:
    try:
        if path.stat().st_size > size_max:
            raise ArgumentError(f"{option}: {path} is larger than {size_max} bytes")
        return path.read_bytes()
    except OSError as error:
        hint = f" Write {FILE_MARK * 2} for a text that begins with {FILE_MARK}."
        raise ArgumentError(f"{option}: {path} cannot be read: {error.strerror}.{hint}") from None


def read_payload(text: str, size_max: int) -> Payload:
    """What a service sends to a webhook: `{"body": ..., "headers": {...}, "query": {...}, "method": "POST"}`.

    :raises ArgumentError: for anything else
    """
    value = read_collection(text, "--payload", size_max, files=False)
    if unknown := set(value) - {"body", "headers", "query", "method"}:
        raise ArgumentError(f"--payload has no member {min(unknown)!r}; it has body, headers, query and method")
    headers, query = value.get("headers", {}), value.get("query", {})
    if not isinstance(headers, dict) or not isinstance(query, dict):
        raise ArgumentError("--payload: headers and query are JSON objects")
    texts = {name: str(item) for name, item in headers.items()}
    return Payload(value.get("body"), texts, query, str(value.get("method", "POST")))


def printable(value: Value, folder: Path | None, name: str = "file") -> Any:
    """The value in JSON; a buffer by size and hash, and where it was saved if there is a folder for it."""
    if isinstance(value, Mapping):
        said = next((value[key] for key in NAME_KEYS if isinstance(value.get(key), str)), None)
        return {key: printable(item, folder, said or f"{name}-{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [printable(item, folder, f"{name}-{place}") for place, item in enumerate(value, 1)]
    if not isinstance(value, bytes):
        return plain(value)
    shown: dict[str, Any] = {"size_bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    return shown if folder is None else {**shown, "file": str(_save(value, folder, name))}


def _save(data: bytes, folder: Path, name: str) -> Path:
    """Under the last part of the name, which may come from a server; a file that is there is not overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    base = Path(name.replace("\\", "/").replace("\0", "")).name or "file"
    for number in range(1, 1000):
        path = folder / (base if number == 1 else f"{number}-{base}")
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        except OSError as error:
            raise ArgumentError(f"--save-files: {path} cannot be written: {error.strerror}") from None
        return path
    raise ArgumentError(f"--save-files: {folder} has too many files named {base}")
