"""Text of a document as text that Zapier shows: Markdown that passes its checks, and nothing that it would take for an
expression."""

import re
from collections.abc import Iterable

from aiops_connect.printing import visible

HELP_LENGTH_MAX = 1000

_SENTENCE_END = re.compile(r"(?<=[.!?])\s")
_URL = re.compile(r"(?<![`(<\w])(?:https?|wss?)://[^\s`)>\]]*[^\s`)>\].,;:!?*_]")
_CODE_OR_LINK = re.compile(r"(`[^`]*`|\[[^\]\[]*\]\([^)]*\))")
_LINK = re.compile(r"\[([^\]\[]*)\]\(([^)\s]*)[^)]*\)")
_SAFE_ADDRESS = re.compile(r"https://[^\s\"'<>]+")
_EMPHASIS = re.compile(r"\*+([^*]+)\*+")
_TAG = re.compile(r"<[^<>]*>")


def plain(text: str) -> str:
    """The same text without `{{` and `}}`, which open and close an expression."""
    found = visible(text)
    while "{{" in found or "}}" in found:
        found = found.replace("{{", "{ {").replace("}}", "} }")
    return found


def without_tags(text: str) -> str:
    return _TAG.sub(" ", text)


def prose(text: str) -> str:
    """Without tags, addresses as code, links only to https (checks D008 and D025)."""
    return "".join(map(_span, _CODE_OR_LINK.split(plain(without_tags(text))))).strip()


def _span(text: str) -> str:
    """Code as it is, a link where it is to be followed, and all else without links."""
    if text.startswith("`"):
        return text
    link = _LINK.fullmatch(text)
    if link is None:
        return _URL.sub(lambda match: f"`{match.group()}`", text)
    words, address = link.groups()
    return f"[{words}]({address})" if words and _SAFE_ADDRESS.fullmatch(address) else words


def paragraph(text: str) -> str:
    """The first paragraph, on one line."""
    return " ".join(prose(text).split("\n\n", maxsplit=1)[0].split())


def sentence(text: str) -> str:
    """The first sentence, on one line."""
    first = _SENTENCE_END.split(_EMPHASIS.sub(r"\1", paragraph(text)))[0].rstrip(" .:;,!?")
    return f"{first}." if first else ""


def help_text(text: str, facts: Iterable[str], label: str) -> str | None:
    """The help of a field: the first paragraph, and what is to be known of its limits; None where that says no more
    than the label (check D011)."""
    first = paragraph(text)
    sentences = [first] if first else []
    sentences += [fact for fact in facts if fact and fact.rstrip(".").lower() not in first.lower()]
    found = " ".join(map(_with_full_stop, sentences))
    if len(found) > HELP_LENGTH_MAX:
        found = f"{found[: HELP_LENGTH_MAX - 2].rpartition(' ')[0]} …"
    return found if found and found.rstrip(".").lower() != label.lower() else None


def _with_full_stop(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…", ":")) else f"{text}."
