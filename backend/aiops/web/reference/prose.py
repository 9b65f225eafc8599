"""CommonMark from the document to HTML that is only text: no tags of its own, no pictures, no links to scripts."""

import re

from markdown_it import MarkdownIt
from markupsafe import Markup

from aiops.web.reference.model import Note

# Headings would tear up the order of the page's own; a picture would be asked of another host.
_COMMONMARK = MarkdownIt("commonmark", {"html": False}).disable(["heading", "lheading", "image"])
_NOTE = re.compile(r"\*\*([^*]+?)\.?\*\*\s+(.+)", re.DOTALL)


def prose(text: str) -> Markup:
    """Paragraphs."""
    return Markup(_COMMONMARK.render(text))  # noqa: S704 - HTML is escaped, and links are held against a list


def inline(text: str) -> Markup:
    """What stands in a sentence, without a paragraph of its own."""
    return Markup(_COMMONMARK.renderInline(" ".join(text.split())))  # noqa: S704 - as above


def cell(text: str) -> Markup:
    """What stands in a cell of a table: a sentence, or paragraphs where there are several."""
    return prose(text) if "\n\n" in text.strip() else inline(text)


def split_notes(text: str) -> tuple[str, tuple[Note, ...]]:
    """The text without the paragraphs that begin with bold words, and these."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    notes = [_NOTE.fullmatch(paragraph) for paragraph in paragraphs]
    plain = [paragraph for paragraph, note in zip(paragraphs, notes, strict=True) if note is None]
    return "\n\n".join(plain), tuple(Note(note[1], note[2]) for note in notes if note is not None)
