"""All checks of a definition by itself."""

from collections.abc import Iterator

from aiops_connect.platforms.zapier.publishing import Definition, Finding, steps
from aiops_connect.platforms.zapier.publishing.addresses import address_findings
from aiops_connect.platforms.zapier.publishing.connections import connection_findings
from aiops_connect.platforms.zapier.publishing.displays import display_findings
from aiops_connect.platforms.zapier.publishing.entries import entry_findings
from aiops_connect.platforms.zapier.publishing.samples import sample_findings
from aiops_connect.platforms.zapier.publishing.shapes import app_findings, shape_findings


def findings(definition: Definition, title: str = "") -> Iterator[Finding]:
    """All that is found, in the order of the definition. `title` is what the app is called."""
    yield from app_findings(definition)
    yield from connection_findings(definition.get("authentication"))
    yield from address_findings(definition)
    for kind, where, step in steps(definition):
        yield from display_findings(kind, where, step, title)
        yield from shape_findings(kind, where, step)
        yield from entry_findings(where, step, definition)
        yield from sample_findings(kind, where, step)
