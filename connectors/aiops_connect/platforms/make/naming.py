"""Names as Make wants them: ids in camelCase, files in kebab-case, labels and descriptions of a sentence."""

import re

from aiops_connect import help_texts, ir
from aiops_connect.naming import is_third_person, third_person, words
from aiops_connect.platforms.make import iml

ID_LENGTH_MAX = 48
WEBHOOK_ID_LENGTH_MAX = 35  # Make's tools open no app in which one is longer
LABEL_LENGTH_MAX = 256
DESCRIPTION_LENGTH_MAX = 500
RESERVED = frozenset((
    "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "else", "enum",
    "export", "extends", "false", "finally", "for", "function", "import", "instanceof", "interface", "let", "new",
    "null", "package", "private", "protected", "public", "return", "static", "super", "switch", "this", "throw", "true",
    "try", "typeof", "var", "void", "while", "with", "yield",
))  # fmt: skip
_FOR_EXAMPLE = re.compile(r"\be\.g\.")
_READING = frozenset(("list", "get", "find", "search", "fetch", "retrieve", "return", "returns"))
_SENTENCE = re.compile(r".+?[.!?](?=\s|$)", re.DOTALL)
_MARKUP = re.compile(r"\*{1,2}(?=\S)|(?<=\S)\*{1,2}|`|^#+ ", re.MULTILINE)


def component_id(name: str, taken: set[str], length_max: int = ID_LENGTH_MAX) -> str:
    """An id in camelCase that is not taken yet; it is from now on."""
    first, *rest = words(name) or ["item"]
    camel = "".join([first, *(word.capitalize() for word in rest)])
    ascii_only = re.sub(r"[^A-Za-z0-9]", "", camel)
    base = (ascii_only if ascii_only[:1].isalpha() else f"call{ascii_only}")[: length_max - 4]
    if len(base) < 3 or base in RESERVED:
        base += "Item"
    candidate, number = base, 2
    while candidate.casefold() in taken:
        candidate, number = f"{base}{number}", number + 1
    taken.add(candidate.casefold())
    return candidate


def kebab(camel: str) -> str:
    """`generateImage` becomes `generate-image`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", camel).lower()


def label(text: str) -> str:
    return iml.shown(" ".join(text.split()))[:LABEL_LENGTH_MAX] or "Value"


def search_label(operation: ir.Operation, *, has_filters: bool) -> str:
    """Make says "Search" where there are filters, and "List" where there are none."""
    first, _, rest = operation.label.partition(" ")
    if not rest or first.lower() not in _READING:
        return label(operation.label)
    return label(f"{'Search' if has_filters else 'List'} {rest}")


def sentence(text: str, otherwise: str) -> str:
    """The first sentence of a help, on one line and without markup."""
    plain = " ".join(_MARKUP.sub("", text).split()) or otherwise
    found = _SENTENCE.match(plain)
    short = (found[0] if found else plain)[:DESCRIPTION_LENGTH_MAX].rstrip()
    return iml.shown(short if short.endswith((".", "!", "?")) else f"{short}.")


def description(operation: ir.Operation, module_label: str) -> str:
    """What a module does, in the third person as Make wants it, and what it costs. Where the document's first sentence
    is not so, the label comes before it."""
    said = sentence(operation.help, "") if operation.help.strip() else ""
    if not is_third_person(said):
        verb, _, rest = module_label.rstrip(" .").partition(" ")
        said = f"{third_person(verb)} {rest}".rstrip() + (f": {_continued(said)}" if said else ".")
    return f"{said} {help_texts.price(operation)}".rstrip()


def _continued(text: str) -> str:
    is_word = text[1:2].islower() or text[1:2] == " "
    return text[:1].lower() + text[1:] if is_word else text


def help_text(text: str, otherwise: str = "") -> str:
    """A help as it is, with a full stop at its end; Make shows Markdown. Empty where there is none."""
    plain = _FOR_EXAMPLE.sub("for example", text.strip().rstrip(":;, ")) or otherwise
    if not plain:
        return ""
    return iml.shown(plain if plain.endswith((".", "!", "?")) else f"{plain}.")
