"""Prints the reference: as the page that people read, as Markdown and as llms.txt. Once per process and server."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from aiops.accounts.plans import SMALLEST
from aiops.contract.document import Document
from aiops.web import templating
from aiops.web.reference import examples, workflow
from aiops.web.reference.examples import Call
from aiops.web.reference.model import Field, Operation, Plan, Reference, Server
from aiops.web.reference.prose import cell, inline, prose
from aiops.web.reference.reading import read_reference

_HEADING = re.compile(r'<h([23]) id="([^"]+)"><a href="[^"]+">(.*?)</a></h\1>')

_INDENT = re.compile(r"\s*\n\s*<|\s{2,}<")  # of the templates: a "<" in code is escaped


@dataclass(frozen=True, slots=True)
class Entry:
    """A heading in the table of contents."""

    anchor: str
    title: Markup
    children: tuple["Entry", ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    reference: Reference
    content: Markup
    contents: tuple[Entry, ...]
    markdown: str
    llms: str


@lru_cache(maxsize=4)
def rendered(document: Document, plans: tuple[Plan, ...], server: Server) -> Rendered:
    """The reference of a document, in all its forms."""
    reference = read_reference(document, plans, server)
    values = {"reference": reference, **_TOOLS}
    printed = templating.environment().get_template("reference/content.html").render(values)
    content = Markup(_INDENT.sub("\n<", printed))  # noqa: S704
    plain = templating.environment().overlay(autoescape=False)
    return Rendered(
        reference=reference,
        content=content,
        contents=_contents(content),
        markdown=_tidy(plain.get_template("reference/reference.md").render(values, **_MARKDOWN_TOOLS)),
        llms=_tidy(plain.get_template("reference/llms.txt").render(values, **_MARKDOWN_TOOLS)),
    )


def _tidy(text: str) -> str:
    """One empty line where the templates leave several."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _contents(content: Markup) -> tuple[Entry, ...]:
    """The headings of the page; so the table of contents lists what is there."""
    entries: list[Entry] = []
    for level, anchor, title in _HEADING.findall(content):
        entry = Entry(anchor, Markup(title))  # noqa: S704 - cut out of what was escaped
        if level == "2":
            entries.append(entry)
        else:
            parent = entries[-1]
            entries[-1] = Entry(parent.anchor, parent.title, (*parent.children, entry))
    return tuple(entries)


def n8n_workflow(operation: Operation) -> str:
    """The first example of a service as a workflow."""
    result = operation.result
    is_link = result is not None and result.kind == "URL"
    call = operation.requests[0].call
    return workflow.n8n_workflow(operation.title, call, key_name=operation.id, is_link=is_link)


def code_text(text: str) -> Markup:
    """Code between tags, where quotes need no escape: it is a third of the page, and half of it are quotes."""
    return Markup(html.escape(text, quote=False))  # noqa: S704 - escaped in this very line


def with_header(call: Call, header: Field) -> Call:
    return replace(call, headers=((header.name, header.example or header.name),))


def one_line(text: str) -> str:
    """A text in a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def plain_text(text: str) -> str:
    """A text that is not CommonMark, in CommonMark."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def code_span(text: str) -> str:
    """A text as code in a line of Markdown."""
    fence = "`" * (_longest_run(text) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{one_line(text)}{padding}{fence}"


def code_block(text: str, language: str) -> str:
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


_TOOLS: dict[str, Any] = {
    "prose": prose,
    "inline": inline,
    "cell": cell,
    "curl": examples.curl,
    "python": examples.python,
    "javascript": examples.javascript,
    "body_text": examples.body_text,
    "authorization": examples.AUTHORIZATION,
    "key": examples.KEY,
    "first_plan": SMALLEST,
    "code_text": code_text,
    "with_header": with_header,
    "n8n_workflow": n8n_workflow,
    "expression": workflow.expression,
    "idempotency_expression": workflow.idempotency_expression,
}
_MARKDOWN_TOOLS: dict[str, Callable[..., str]] = {
    "one_line": one_line,
    "plain": plain_text,
    "code_span": code_span,
    "code_block": code_block,
}
