"""Text functions for HTML and Markdown."""

import html
from html.parser import HTMLParser

import regex

from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.functions.registry import function
from aiops_connect.platforms.make.runner.iml.values import Value, to_text

MARKDOWN = regex.compile(r"([\\`*_{}\[\]()#+\-.!|>~])")


class _TextOnly(HTMLParser):
    """Gathers what is outside of tags; line breaks of HTML become those of text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 its signature
        self.silent += tag in ("script", "style")
        if tag == "br":
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style") and self.silent > 0

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)


@function("stripHTML(text)")
def strip_html(_: Context, text: Value) -> Value:
    """Without tags and without what stands in `style` and `script`; `<br>` becomes a new line."""
    parser = _TextOnly()
    parser.feed(to_text(text))
    parser.close()
    return "".join(parser.parts)


@function("escapeHTML(text)")
def escape_html(_: Context, text: Value) -> Value:
    return html.escape(to_text(text), quote=False)


@function("escapeMarkdown(text)")
def escape_markdown(_: Context, text: Value) -> Value:
    return MARKDOWN.sub(r"\\\1", to_text(text))
