"""The one module that writes."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from aiops_connect.emitter import GeneratedFile
from aiops_connect.writer import LIST, UnsafePathError, check, write

FILES = [GeneratedFile("a.txt", "é"), GeneratedFile("deep/b.bin", b"\x00")]


def told(differences: Sequence[object]) -> list[str]:
    return [str(one) for one in differences]


def test_files_are_written_and_then_fresh(tmp_path: Path) -> None:
    assert told(write(tmp_path, FILES)) == ["a.txt is new.", "deep/b.bin is new.", f"{LIST} is new."]
    assert (tmp_path / "a.txt").read_bytes() == "é".encode()
    assert check(tmp_path, FILES) == []
    assert write(tmp_path, FILES) == []


def test_what_is_not_rendered_any_more_is_removed_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "mine.txt").write_text("by hand")
    assert told(write(tmp_path, FILES[:1])) == [f"{LIST} is changed.", "deep/b.bin is removed."]
    assert sorted(path.name for path in tmp_path.iterdir()) == [LIST, "a.txt", "mine.txt"]


def test_differences_are_told(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "a.txt").write_text("changed")
    (tmp_path / "deep" / "b.bin").unlink()
    (tmp_path / "mine.txt").write_text("by hand")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x.js").write_text("")
    assert told(check(tmp_path, FILES, {"node_modules"})) == [
        "a.txt is not what would be rendered now.",
        "deep/b.bin is missing.",
        "mine.txt is not rendered.",
    ]


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../x", "a//b", "", ".", "a\\b", "a\0b", LIST])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UnsafePathError):
        write(tmp_path, [GeneratedFile(path, "")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "A")])
def test_two_files_of_one_path_are_refused(tmp_path: Path, paths: tuple[str, str]) -> None:
    with pytest.raises(UnsafePathError):
        write(tmp_path, [GeneratedFile(path, "") for path in paths])


def test_a_list_that_names_files_elsewhere_removes_none(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    folder = tmp_path / "out"
    write(folder, FILES)
    (folder / LIST).write_text("../outside.txt\n")
    write(folder, FILES)
    assert outside.exists()
