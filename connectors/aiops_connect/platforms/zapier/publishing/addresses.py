"""Addresses anywhere in a definition: what is called, what texts link to (checks D007, D008 and D025)."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from aiops_connect.platforms.zapier.publishing import Definition, Finding, inputs, steps

_CODE_OR_LINK = re.compile(r"`[^`]*`|\[([^\]]*)\]\(([^)]*)\)")
_BARE_URL = re.compile(r"https?://\S")
_WHOLE_LINK = re.compile(r"https://[^\s/]+\.[^\s]+$|mailto:")
_HALF_LINK = re.compile(r"\[[^\]]*\(https?:[^)]*\)")
_DANGEROUS = re.compile(r"(?i)\b(javascript|vbscript|data):")
_NOT_CALLED = frozenset(("sample", "placeholder", "default", "choices"))


def address_findings(definition: Definition) -> Iterator[Finding]:
    for where, text in _texts(definition):
        yield from _links(where, text)
    for where, address in _called(definition, ""):
        if _DANGEROUS.match(address):
            yield Finding("D025", where, "Call a server, not a script.")
        elif urlsplit(address).scheme == "http":
            yield Finding("D007", where, "Use an address of https.")


def has_link(text: str) -> bool:
    return any(True for _ in _links_in(text))


def _texts(definition: Definition) -> Iterator[tuple[str, str]]:
    """The texts that are shown as Markdown."""
    for field in (definition.get("authentication") or {}).get("fields", []):
        yield f"authentication/{field['key']}", field.get("helpText", "")
    for _, where, step in steps(definition):
        yield where, step["display"].get("description", "")
        yield from ((f"{where}/{field['key']}", field.get("helpText", "")) for field in inputs(step))


def _links(where: str, text: str) -> Iterator[Finding]:
    for words, address in _links_in(text):
        if _DANGEROUS.match(address.strip()):
            yield Finding("D025", where, "Link to a page, not to a script.")
        elif urlsplit(address).scheme == "http":
            yield Finding("D007", where, "Use an address of https.")
        elif not words or not _WHOLE_LINK.match(address):
            yield Finding("D008", where, f"Mend the link to {address!r}.")
    rest = _CODE_OR_LINK.sub("", text)
    if _HALF_LINK.search(rest):
        yield Finding("D008", where, "Close the bracket of the link.")
    elif _BARE_URL.search(rest):
        yield Finding("D008", where, "Make the bare address a link, or put it in backticks.")


def _links_in(text: str) -> Iterator[tuple[str, str]]:
    """The words and the address of each link that is no code."""
    for found in _CODE_OR_LINK.finditer(text):
        if found[2] is not None:
            yield found[1], found[2]


def _called(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every `url` in a definition: those of requests that are written down as data."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "url" and isinstance(member, str):
                yield where, member
            elif name not in _NOT_CALLED:
                yield from _called(member, f"{where}/{name}".lstrip("/"))
    elif isinstance(value, list):
        for item in value:
            yield from _called(item, where)
