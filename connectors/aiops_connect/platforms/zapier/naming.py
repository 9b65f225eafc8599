"""Keys, labels and descriptions as Zapier's reviewers want them (docs.zapier.com, integration checks reference)."""

from aiops_connect import help_texts, ir, naming
from aiops_connect.platforms.zapier.prose import plain, sentence, without_tags

LABEL_LENGTH_MAX = 64
NOUN_LENGTH_MAX = 255
DESCRIPTION_LENGTH_MAX = 400

_ARTICLES = frozenset(("a", "an", "the"))
_SMALL = _ARTICLES | {
    "and",
    "as",
    "at",
    "but",
    "by",
    "for",
    "from",
    "in",
    "into",
    "of",
    "on",
    "or",
    "per",
    "to",
    "with",
}
_READING = frozenset(("get", "list", "find", "retrieve", "fetch", "show", "read", "search", "return"))
_STATES = frozenset(("is", "are", "was", "were", "has", "have"))
_ABBREVIATIONS = {"api": "API", "id": "ID", "ids": "IDs", "uri": "URI", "url": "URL", "urls": "URLs"}
_VOWELS = "aeiou"
_TAKEN_IN_JAVASCRIPT = frozenset(("constructor",))  # every object has one: the schema calls the key used twice


def key(text: str, *, otherwise: str = "step") -> str:
    """A key that the schema takes: a letter, then letters, digits and underscores, two characters at least."""
    name = naming.identifier(text, otherwise=otherwise)
    return f"{name}_{otherwise}" if len(name) < 2 or name in _TAKEN_IN_JAVASCRIPT else name


def search_key(words: list[str]) -> str:
    return key("_".join(["find", *naming.words(" ".join(words[1:]))]))


def unique(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken; it is taken then."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    taken.add(found)
    return found


def title_case(text: str) -> str:
    """Each word with a capital, small ones within the text without: `Aspect ratio` becomes `Aspect Ratio`."""
    words = plain(text).split()
    last = len(words) - 1
    return " ".join(_capital(word, is_edge=place in (0, last)) for place, word in enumerate(words))


def _capital(word: str, *, is_edge: bool) -> str:
    lower = word.lower()
    if not is_edge and lower in _SMALL:
        return lower
    if lower in _ABBREVIATIONS:
        return _ABBREVIATIONS[lower]
    return word[:1].upper() + word[1:]


def label(text: str) -> str:
    """A label of 2 to 64 characters."""
    titled = title_case(without_tags(text).replace("`", ""))
    if len(titled) > LABEL_LENGTH_MAX:
        titled = titled[:LABEL_LENGTH_MAX].rpartition(" ")[0] or titled[:LABEL_LENGTH_MAX]
    return titled if len(titled) > 1 else f"{titled or 'The'} Value"


def input_label(field: ir.Field) -> str:
    """`Audio File or URL` of an audio URL: what is entered in a field for files may be either."""
    words = label(field.label)
    is_link = isinstance(field.type, ir.File) and field.type.form is ir.FileForm.URL
    return label(f"{words.removesuffix(' URL')} File or URL") if is_link and words != "URL" else words


def output_label(field: ir.Field, above: str) -> str:
    """`Job ID` of what is called a job and is its id; `Limits Audio Minutes` of what stands in others."""
    words = label(f"{above} {field.label}".strip())
    is_id = naming.words(field.name)[-1:] == ["id"]
    return words if not is_id or words.endswith("ID") else label(f"{words} ID")


def action_words(operation: ir.Operation) -> list[str]:
    """The words of an operation's label, without articles: a verb, then what it is done to."""
    words = [word for word in sentence(operation.label).strip(" .").split() if word.lower() not in _ARTICLES]
    return words if len(words) > 1 else [word.capitalize() for word in naming.words(operation.id)]


def find_words(operation: ir.Operation) -> list[str]:
    """The same for a search, which finds, whatever the document calls that."""
    words = action_words(operation)
    return ["Find", *(words[1:] if _is_reading(words[0]) and len(words) > 1 else words)]


def _is_reading(verb: str) -> bool:
    return verb.lower() in _READING or verb.lower() in map(naming.third_person, _READING)


def noun(words: list[str]) -> str:
    """What it is done to, of the words of an action."""
    return title_case(" ".join(words[1:] or words))[:NOUN_LENGTH_MAX].ljust(2, "s")


def trigger_noun(words: list[str]) -> str:
    """What it happens to: `Job` of `Job Finished`, `Credits` of `Credits Are Low`."""
    ends = [place for place, word in enumerate(words) if word.lower() in _STATES or word.lower().endswith("ed")]
    return noun(["", *words[: ends[0] if ends and ends[0] > 0 else None]])


def description(operation: ir.Operation, words: list[str]) -> str:
    """A sentence in the third person, with a full stop, and what the step costs."""
    return f"{_what_it_does(operation, words)} {help_texts.price(operation)}".rstrip()


def _what_it_does(operation: ir.Operation, words: list[str]) -> str:
    """The document's own sentence where it is in the third person, else one made of the label."""
    first = sentence(operation.help)
    if naming.is_third_person(first) and len(first) < DESCRIPTION_LENGTH_MAX:
        verb, _, rest = first.partition(" ")
        if words[0] != "Find":
            return first
        if _is_reading(verb):
            return f"Finds {rest}"
    rest = " ".join(word.lower() if word.istitle() else word for word in words[1:])
    return f"{naming.third_person(words[0].capitalize())} {_article(rest)}{plain(rest)}."


def _article(rest: str) -> str:
    if not rest or (rest.endswith("s") and not rest.endswith("ss")):
        return ""
    return "an " if rest[0].lower() in _VOWELS else "a "


def trigger_description(trigger: ir.Trigger) -> str:
    """`Triggers when a job has succeeded.`"""
    what = sentence(trigger.help) or f"{label(trigger.label).lower()} happens."
    if what.startswith("Triggers when "):
        return what
    is_word = what[1:2].islower() or what[1:2] == " "
    return f"Triggers when {what[0].lower() + what[1:] if is_word else what}"
