"""Text of a document as n8n's interface and its linter want it: labels in title case, help in a sentence or a few.

Help is shown as HTML, and a value that begins with an equals sign is an expression; neither can come of a document.
The rules are those of eslint-plugin-n8n-nodes-base.
"""

import re
import unicodedata

_HELP_LENGTH_MAX = 500
_SMALL = re.compile(
    r"\b(?:an?d?|a[st]|because|but|by|en|for|i[fn]|neither|nor|o[fnr]|only|over|per|so|some|tha[tn]|the|to|up|upon"
    r"|vs?\.?|versus|via|when|with|without|yet)\b",
    re.IGNORECASE,
)
_TOKENS = re.compile(r"[^\s:–—-]+|.")
_MANUAL_CASE = re.compile(r".(?=[A-Z]|\..)")
_FIRST = re.compile(r"[A-Za-z0-9À-ÿ]")
_UPPER = (
    (re.compile(r"\b[iI]d(s?)\b"), r"ID\1"),
    (re.compile(r"\b[uU]rl(s?)\b"), r"URL\1"),
    (re.compile(r"\b[jJ]son\b"), "JSON"),
    (re.compile(r"omma separated"), "omma-separated"),
)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(
    r"`+|\*\*|__|^#+\s*|^\s*[-*]\s+|(?<!\w)\*(?=\w)|(?<=[\w.])\*(?!\w)",
    re.MULTILINE,
)
_RUN_IN = re.compile(r"(\*\*|__)(\w+)\.\1(?=\s)")  # a heading at the beginning of its paragraph: **Tip.**
_SENTENCE = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!etc)[.](?= )")
_TAG = re.compile(r"</?[a-zA-Z][^>]*>")
# Phrases that say nothing by themselves, which the linter takes for that anywhere; and the same in other words.
_WEAK = {
    "resource to consume": "resource that is consumed",
    "resource to operate on": "resource that is operated on",
    "operation to perform": "operation that is performed",
    "action to perform": "action that is performed",
    "method of authentication": "means of authentication",
}
_ANY_WEAK = re.compile("|".join(_WEAK), re.IGNORECASE)
_ORDER = {mark: number for number, mark in enumerate("_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$")}


def inert(text: str) -> str:
    """Text that no expression begins in, on one line."""
    line = " ".join(text.split())
    return "＝" + line[1:] if line.startswith("=") else line


def title(text: str) -> str:
    """A label in title case, by the rules of the linter (npm's title-case 3)."""
    line = _cased(inert(text)).replace("*", "∗")
    found = []
    for token in _TOKENS.finditer(line):
        word, end = token[0], token.end()
        is_inner = bool(_SMALL.search(word)) and token.start() != 0 and end != len(line)
        is_scheme = line[end : end + 1] == ":" and not line[end + 1 : end + 2].isspace()
        if not _MANUAL_CASE.search(word) and not is_inner and not is_scheme:
            word = _FIRST.sub(lambda first: first[0].upper(), word, count=1)
        found.append(word)
    return "".join(found)


def sentence(words: list[str]) -> str:
    """Words as an action of n8n: sentence case, without articles."""
    kept = [word for word in words if word not in ("a", "an", "the")] or words
    cased = [
        word.upper() if word in ("id", "url", "json", "api") and place else word for place, word in enumerate(kept)
    ]
    return " ".join([cased[0].capitalize(), *cased[1:]])


def help_text(
    text: str, label: str = "", *, more: str = "", is_boolean: bool = False, length_max: int = _HELP_LENGTH_MAX
) -> str:
    """A description; empty where there is nothing to say beyond the label. `more` are whole sentences after it, which
    stay where the text is too long."""
    line = _TAG.sub("", _MARKS.sub("", _RUN_IN.sub(r"\2:", _LINK.sub(r"\1", text))))
    line = _shortened(_cased(inert(line)), length_max - len(more))
    line = _punctuated(_joined(line, more) if more else line)
    line = line[:1].upper() + line[1:]
    if is_boolean and not line.startswith("Whether"):
        line = _punctuated(
            f"Whether to set {inert(label)[:1].lower()}{inert(label)[1:]}" + (f". {line}" if line else "")
        )
    if _trivial(line) in (*_WEAK, label.lower()):
        return ""
    line = _ANY_WEAK.sub(lambda found: found[0][0] + _WEAK[found[0].lower()][1:], line)
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def without(text: str, name: str) -> str:
    """A Markdown text without the sentences in which the name stands as code."""
    sentences = re.split(r"(?<!e\.g\.)(?<!i\.e\.)(?<=[.!?])(\s+)", text)
    kept = [one for one in zip(sentences[::2], [*sentences[1::2], ""], strict=True) if f"`{name}`" not in one[0]]
    return "".join(sentence + gap for sentence, gap in kept).rstrip()


def sorting(label: str) -> tuple[list[tuple[int, int, str]], str]:
    """The order of `localeCompare`: marks, digits, letters, whatever their case; lower case first where all is one."""
    plain = unicodedata.normalize("NFD", label)
    ranks = []
    for character in plain:
        if unicodedata.combining(character):
            continue
        if character.isspace():
            ranks.append((0, 0, ""))
        elif character.isalpha():
            ranks.append((4, 0, character.casefold()))
        elif character.isdigit():
            ranks.append((3, 0, character))
        else:
            ranks.append((1, _ORDER[character], "") if character in _ORDER else (2, 0, character))
    return ranks, label.swapcase()


def _joined(line: str, more: str) -> str:
    if not line or line.endswith((".", "!", "?", "…")):
        return f"{line} {more}".strip()
    return f"{line}. {more}"


def _cased(line: str) -> str:
    for found, better in _UPPER:
        line = found.sub(better, line)
    return line


def _trivial(line: str) -> str:
    return re.sub(r"\.$", "", re.sub(r"^The\s", "", line)).lower()


def _shortened(line: str, length_max: int) -> str:
    if len(line) <= length_max:
        return line
    ends = [found.end() for found in _SENTENCE.finditer(line) if found.end() <= length_max]
    return line[: ends[-1]] if ends else line[:length_max].rstrip() + "…"


def _punctuated(line: str) -> str:
    """One sentence ends without a full stop, several end with one."""
    parts = len(line.replace("e.g.", "", 1).split(". "))
    if parts == 1:
        return line.rstrip(". ")
    return line if line.endswith(".") else line.rstrip("!?;:, ") + "."
