"""Rules of the code that no linter knows."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FUNCTION_LINES_MAX = 70
GENERATED = "GENERATED"
VAGUE_NAMES = {"utils", "helpers", "common", "misc", "manager"}


def modules() -> list[Path]:
    return [
        path
        for folder in ("backend", "connectors", "tests")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "node_modules" not in path.parts
    ]


def is_generated(path: Path) -> bool:
    return GENERATED in path.read_text(encoding="utf-8").partition("\n")[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_are_short(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX} == {}


def test_names_say_what_is_inside() -> None:
    assert [path for path in modules() if path.stem in VAGUE_NAMES] == []


def test_each_module_says_what_it_is_for() -> None:
    """Handlers of operations are told by their name, which is that of the operation in the document."""
    silent = [
        str(path.relative_to(ROOT))
        for path in modules()
        if path.is_relative_to(ROOT / "backend")
        and path.parent.name != "operations"
        and path.name not in ("__init__.py", "__main__.py")
        and not is_generated(path)
        and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []
