"""Reading the app's files: JSON, with comments where Make allows them."""

import json
import re
from pathlib import Path
from typing import Any

from aiops_connect.platforms.make.runner.errors import AppError
from aiops_connect.platforms.make.runner.limits import Limits

COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def read_json(root: Path, name: str, limits: Limits) -> Any:
    """The content of a file below `root`; comments are allowed in `.iml.json` and the old `.imljson`.

    :raises AppError: for a file that is missing, outside of the app, too large or not JSON
    """
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise AppError("The file lies outside of the app.", name)
    try:
        if path.stat().st_size > limits.file_bytes:
            raise AppError(f"The file is larger than {limits.file_bytes} bytes.", name)
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise AppError("The file is not UTF-8.", name) from None
    except OSError as error:
        raise AppError(f"The file cannot be read: {error.strerror}.", name) from None
    return parse_json(text, name, comments=name.endswith((".iml.json", ".imljson")))


def parse_json(text: str, name: str, *, comments: bool) -> Any:
    """JSON; comments are blanked out, so that errors tell the line and column of the file.

    :raises AppError: for what is not JSON
    """
    try:
        return json.loads(COMMENT.sub(_blank, text) if comments else text)
    except json.JSONDecodeError as error:
        line = (text.splitlines() or [""])[min(error.lineno, text.count("\n") + 1) - 1 : error.lineno]
        excerpt = f"{line[0]}\n{' ' * (error.colno - 1)}^" if line and len(line[0]) <= 200 else ""
        hint = "" if comments or "//" not in "".join(line) else " Comments are allowed in .iml.json files only."
        raise AppError(f"Line {error.lineno}, column {error.colno}: {error.msg}.{hint}", name, "", excerpt) from None
    except RecursionError:
        raise AppError("The file is nested too deep.", name) from None


def _blank(match: "re.Match[str]") -> str:
    return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])
