"""Loading an app: its manifest, its files with comments, and what is said of those that are wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from aiops_connect.platforms.make.runner import AppError, Limits, load_app
from aiops_connect.platforms.make.runner.files import parse_json

MANIFEST = {
    "fileVersion": 1,
    "generalCodeFiles": {"base": "base.iml.json", "common": None, "readme": None, "groups": None},
    "components": {
        "module": {"get": {"moduleType": "action", "codeFiles": {"communication": "get.iml.json"}}, "reserved": None}
    },
    "origins": [],
}


def write(folder: Path, manifest: Any = MANIFEST, **files: str) -> Path:
    (folder / "makecomapp.json").write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
    for name, content in files.items():
        (folder / f"{name}.iml.json").write_text(content)
    return folder


def test_an_app_of_before_endpoints_loads(tmp_path: Path) -> None:
    app = load_app(write(tmp_path, base='{"baseUrl": "https://a.example"}', get="{}"))
    assert set(app.components) == {("module", "get")}
    base = app.base()
    assert base is not None
    assert base.value == {"baseUrl": "https://a.example"}


COMMENTED: list[tuple[str, Any]] = [
    ('// first\n{"a": 1} // last', {"a": 1}),
    ('{/* in\nside */"a": "// no comment"}', {"a": "// no comment"}),
    ('{"a": "\\"/* neither */"}', {"a": '"/* neither */'}),
    ('{"url": "https://a.example"}', {"url": "https://a.example"}),
]


@pytest.mark.parametrize(("text", "value"), COMMENTED)
def test_comments(text: str, value: Any) -> None:
    assert parse_json(text, "x.iml.json", comments=True) == value


MALFORMED = [
    ('{"a" 1}', True, "Line 1, column 6: Expecting ':' delimiter."),
    ('{\n  // note\n  "a" 1\n}', True, "Line 3, column 7: Expecting ':' delimiter."),
    ('{"a": 1} // x', False, "Line 1, column 10: Extra data. Comments are allowed in .iml.json files only."),
    ("{'a': 1}", True, "Line 1, column 2: Expecting property name enclosed in double quotes."),
    ("", True, "Line 1, column 1: Expecting value."),
    ("[" * 100_000, True, "The file is nested too deep."),
]


@pytest.mark.parametrize(("text", "comments", "message"), MALFORMED, ids=[row[2][:50] for row in MALFORMED])
def test_malformed(text: str, comments: bool, message: str) -> None:
    with pytest.raises(AppError) as raised:
        parse_json(text, "x.iml.json", comments=comments)
    assert raised.value.message == message


def test_a_malformed_file_is_shown_with_a_caret() -> None:
    with pytest.raises(AppError) as raised:
        parse_json('{\n  /* a */ "b" 1\n}', "x.iml.json", comments=True)
    assert (
        str(raised.value)
        == "x.iml.json\n    /* a */ \"b\" 1\n                ^\n  Line 2, column 15: Expecting ':' delimiter."
    )


# The manifest, and what is said of it.
MANIFESTS: list[tuple[Any, str]] = [
    ([], "makecomapp.json\n  A collection is needed here."),
    ({"generalCodeFiles": {}}, "makecomapp.json\n  The manifest lacks 'components'."),
    ({"components": {}}, "makecomapp.json\n  The manifest lacks 'generalCodeFiles'."),
    (
        {"components": {"module": []}, "generalCodeFiles": {}},
        "makecomapp.json: /components/module\n  A collection is needed here.",
    ),
    (
        {"components": {"module": {"a": {}}}, "generalCodeFiles": {}},
        "makecomapp.json: /components/module/a\n  The component lacks 'codeFiles'.",
    ),
    (
        {"components": {"rpc": {"a": {"codeFiles": {"params": 1}}}}, "generalCodeFiles": {}},
        "makecomapp.json: /components/rpc/a/codeFiles/params\n  The path of 'params' is a text or null.",
    ),
]


@pytest.mark.parametrize(("manifest", "message"), MANIFESTS, ids=[row[1].splitlines()[-1] for row in MANIFESTS])
def test_a_manifest_that_is_wrong(tmp_path: Path, manifest: Any, message: str) -> None:
    with pytest.raises(AppError) as raised:
        load_app(write(tmp_path, manifest))
    assert str(raised.value) == message


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(AppError) as raised:
        load_app(tmp_path)
    assert str(raised.value) == (
        f"makecomapp.json\n  {tmp_path} has no such file; every Make app in the layout of local development has one."
    )


def test_files_that_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "outside.iml.json").write_text("{}")
    folder = tmp_path / "app"
    folder.mkdir()
    app = load_app(write(folder, base="{}", get="{}"), Limits(file_bytes=500))
    component = app.component("module", "get")
    for name, content, message in (
        ("get", b"x" * 501, "The file is larger than 500 bytes."),
        ("get", b"\xff", "The file is not UTF-8."),
    ):
        (folder / f"{name}.iml.json").write_bytes(content)
        with pytest.raises(AppError) as raised:
            app.code(component, "communication")
        assert (raised.value.file, raised.value.message) == ("get.iml.json", message)
    (folder / "get.iml.json").unlink()
    (folder / "get.iml.json").symlink_to(tmp_path / "outside.iml.json")
    with pytest.raises(AppError, match=r"The file lies outside of the app\."):
        app.code(component, "communication")
