"""The words: one list, of which the service, the generator and the page for people each have the same."""

import re
from pathlib import Path

from aiops.contract import document
from aiops_connect.discovery import discover
from aiops_connect.openapi import parse_file, words

ROOT = Path(__file__).parents[3]
ROW = re.compile(r"^\| `(x-[a-z-]+)` \| ([^|]+) \| (.+) \|$", re.MULTILINE)


def test_service_generator_and_page_have_the_same_words() -> None:
    page = [name for name, _, _ in ROW.findall((ROOT / "openapi" / "README.md").read_text())]
    assert len(page) == len(set(page)) > 10
    assert set(page) == words.WORDS == document.WORDS


def test_no_word_names_a_platform() -> None:
    platforms = {*discover(), "n8n", "zapier", "make"}
    assert [word for word in words.WORDS if platforms & set(word.split("-"))] == []


def test_the_contract_of_the_service_has_no_problems_and_uses_them() -> None:
    path = ROOT / "openapi" / "aiops.yaml"
    assert parse_file(path).problems == ()
    used = {word for word in words.WORDS if f"{word}:" in path.read_text()}
    assert used == words.WORDS - {words.KEY_PREFIX}
