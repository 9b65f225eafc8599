"""Text of a document in Markdown, shown as it is: only in code, where nothing is markup (CommonMark 0.31, sections 4.5
and 6.1), between more backticks than it has itself."""

import json

from aiops_connect import ir
from aiops_connect.printing import code, longest_ticks, visible


def block(text: str, indent: int = 0) -> str:
    """On as many lines as it has; empty for no text. `indent` is that of the list it is in."""
    if not text.strip():
        return ""
    return _fenced(visible(text).rstrip("\n"), "text", indent)


def as_json(value: ir.Json, indent: int = 0) -> str:
    return _fenced(json.dumps(value, ensure_ascii=False, indent=2), "json", indent)


def _fenced(text: str, language: str, indent: int) -> str:
    fence = "`" * max(3, longest_ticks(text) + 1)
    margin = " " * indent
    lines = [f"{fence}{language}", *text.split("\n"), fence]
    return "\n".join(margin + line if line else "" for line in lines)


FILTERS = {"code": code, "block": block, "as_json": as_json}
