"""Identifiers and labels out of what a document calls things. What a platform wants otherwise, its folder decides."""

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_ACRONYMS = {
    word.lower(): word
    for word in (
        "API",
        "CSV",
        "HTML",
        "HTTP",
        "ID",
        "IDs",
        "IP",
        "JSON",
        "MIME",
        "PDF",
        "SSO",
        "URI",
        "URL",
        "URLs",
        "UUID",
        "XML",
    )
}
LABEL_LENGTH_MAX = 80


def words(text: str) -> list[str]:
    """The words of a name, in lower case: `maxTokens`, `max-tokens` and `max_tokens` have the same two."""
    plain = unicodedata.normalize("NFKD", text)
    return [word.lower() for word in _WORD.findall(plain)]


def identifier(text: str, *, otherwise: str = "value") -> str:
    """In snake_case, of ASCII letters and digits, with a letter first: `__proto__` becomes `proto`."""
    name = "_".join(words(text)) or otherwise
    return name if name[0].isalpha() else f"{otherwise}_{name}"


def identifiers(names: Iterable[str], *, otherwise: str = "value") -> list[str]:
    """An identifier for each name, told apart by a number where two would be the same."""
    taken: set[str] = set()
    found = []
    for name in names:
        base = candidate = identifier(name, otherwise=otherwise)
        number = 2
        while candidate in taken:
            candidate, number = f"{base}_{number}", number + 1
        taken.add(candidate)
        found.append(candidate)
    return found


def label(name: str) -> str:
    """A name as people would write it: `max_tokens` becomes "Max tokens", `user_id` "User ID"."""
    written = [_ACRONYMS.get(word, word) for word in words(name)]
    if not written:
        return name.strip() or "Value"
    sentence = " ".join(written)
    return sentence[0].upper() + sentence[1:]


def title(text: str, name: str) -> str:
    """The label that a document gives, on one line; that of the name where it gives none, or a paragraph."""
    line = " ".join(text.split())
    return line if line and len(line) <= LABEL_LENGTH_MAX else label(name)


def third_person(verb: str) -> str:
    """`Generate` becomes `Generates`."""
    lower = verb.lower()
    if lower.endswith("s") and not lower.endswith("ss"):
        return verb
    if lower.endswith(("ss", "sh", "ch", "x", "z", "o")):
        return f"{verb}es"
    if lower.endswith("y") and lower[-2:-1] not in "aeiou":
        return f"{verb[:-1]}ies"
    return f"{verb}s"


def is_third_person(text: str) -> bool:
    """Whether a sentence says what something does: `Draws an image …`."""
    verb = text.partition(" ")[0]
    return verb.isalpha() and verb[0].isupper() and verb.endswith("s") and not verb.endswith("ss")
