"""Renders an app for Zapier's Platform CLI.

The steps are data, in JSON: what Zapier shows of each (`definition`), and what the runtime part does for it (`plan`).
No text of a document is ever part of a program.
"""

from collections.abc import Iterable

from aiops_connect import ir
from aiops_connect.changes import Change
from aiops_connect.emitter import Emitted, GeneratedFile
from aiops_connect.platforms.zapier import changes, package
from aiops_connect.platforms.zapier.definition import definition
from aiops_connect.platforms.zapier.ideas import ideas, trial
from aiops_connect.platforms.zapier.publishing import listing, people, rules
from aiops_connect.platforms.zapier.steps import operations, steps
from aiops_connect.problem import Problem
from aiops_connect.publisher import Publisher


class ZapierEmitter:
    """An app that `zapier-platform push` takes as it stands."""

    name = "zapier"
    kept = frozenset({"node_modules", "build", ".env", ".zapierapprc.local"})

    def emit(self, app: ir.App, publisher: Publisher) -> Emitted:
        made = steps(app, publisher)
        context = {
            "app": app,
            "publisher": publisher,
            "version": package.version(app),
            "settings": package.settings(app, publisher),
            "steps": made,
            "description": listing.description(app, publisher),
            "platform": package.PLATFORM,
            "ideas": ideas(made),
            "trial": trial(made),
            "undecided": people.UNDECIDED,
        }
        files = list(package.static_files(context))
        files.append(GeneratedFile("settings.json", package.as_json(context["settings"])))
        files.append(GeneratedFile("operations.json", package.as_json(operations(app, made))))
        if publisher.logo_png:
            files.append(GeneratedFile("logo.png", publisher.logo_png))
        if made.authentication is not None:
            files.append(GeneratedFile("authentication.json", package.as_json(made.authentication.data)))
        for kind, actions in (("creates", made.creates), ("searches", made.searches), ("triggers", made.triggers)):
            files += [GeneratedFile(f"{kind}/{one.key}.json", package.as_json(one.data)) for one in actions]
        return Emitted(tuple(sorted(files, key=lambda file: file.path)), tuple(made.problems))

    def changes(self, old: ir.App, new: ir.App) -> Iterable[Change]:
        """By what Zapier's promotion of a version refuses."""
        return changes.changes(old, new)

    def unpublishable(self, app: ir.App, publisher: Publisher) -> Iterable[Problem]:
        """By Zapier's publishing checks."""
        found = [
            *rules.findings(definition(steps(app, publisher)), publisher.title),
            *listing.description_findings(listing.description(app, publisher), publisher.title),
            *listing.publisher_findings(publisher),
            *listing.logo_findings(publisher.logo_png),
        ]
        return [Problem(f"zapier/{one.where}", f"{one.code}: {one.message}") for one in found]


EMITTER = ZapierEmitter()
