"""Renders the sheet."""

from aiops_connect import ir, wording
from aiops_connect.emitter import Emitted, GeneratedFile, templates
from aiops_connect.platforms.markdown import text
from aiops_connect.publisher import Publisher


class MarkdownEmitter:
    """One file, `operations.md`."""

    name = "markdown"
    kept: frozenset[str] = frozenset()

    def emit(self, app: ir.App, publisher: Publisher) -> Emitted:
        environment = templates(__package__)
        environment.filters.update(text.FILTERS)
        sheet = environment.get_template("operations.md.jinja").render(
            app=app, publisher=publisher, wording=wording, MISSING=ir.MISSING
        )
        return Emitted((GeneratedFile("operations.md", sheet),))


EMITTER = MarkdownEmitter()
