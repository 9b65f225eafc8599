"""Renders an app for Make: a manifest, and the files of its components in the layout of Make's local development."""

from collections.abc import Callable, Iterable
from typing import Any

from aiops_connect import ir
from aiops_connect.emitter import Emitted, GeneratedFile, templates
from aiops_connect.platforms.make import base, connection, iml, naming, universal, webhooks
from aiops_connect.platforms.make.addresses import addresses
from aiops_connect.platforms.make.components import Component, json_file
from aiops_connect.platforms.make.modules import Modules
from aiops_connect.platforms.make.rpcs import Rpcs
from aiops_connect.problem import Problem
from aiops_connect.publisher import LOGO_PIXELS, Publisher

_GENERAL = {
    "base": "general/base.iml.json",
    "common": "general/common.json",
    "readme": "README.md",
    "groups": "modules/groups.json",
}
_KINDS = ("connection", "webhook", "module", "rpc", "function", "endpoint")


class MakeEmitter:
    """A custom app. What the platform's tools leave beside it is their folder of secrets."""

    name = "make"
    kept = frozenset({".secrets"})

    def emit(self, app: ir.App, publisher: Publisher) -> Emitted:
        return _Rendering(app, publisher).emitted()

    def unpublishable(self, app: ir.App, publisher: Publisher) -> Iterable[Problem]:  # noqa: ARG002 - for all apps
        """Make takes an app with an icon only."""
        if not publisher.logo_png:
            pixels = f"{LOGO_PIXELS} by {LOGO_PIXELS} pixels"
            yield Problem("publisher#/logo", f"Make wants the icon as a PNG of {pixels}. Name such a file.")


EMITTER = MakeEmitter()


class _Rendering:
    """One app on its way to files."""

    def __init__(self, app: ir.App, publisher: Publisher) -> None:
        self.app = app
        self.publisher = publisher
        self.addresses = addresses(app, publisher.base_url)
        self.problems: list[Problem] = []
        self.taken = {universal.ID.casefold()}
        self.connections = connection.connections(app)
        self.rpcs = Rpcs(app, self.connections, self.addresses, self.taken)
        self.groups: list[dict[str, Any]] = []
        can_fetch = not self.connections.together().query
        self.modules = Modules(app, self.connections, self.addresses, self.rpcs, self.taken, can_fetch)

    def emitted(self) -> Emitted:
        made = self._components()
        fetches = any("download_file" in str(one.codes.get("mappableParams")) for one in made)
        communication = base.communication(self.app, self.connections, self.addresses.base, leaves_host=fetches)
        readme = templates(__package__).get_template("README.md.jinja").render(self._facts(made))
        files = [
            json_file("makecomapp.json", self._manifest(made)),
            json_file(_GENERAL["base"], communication),
            json_file(_GENERAL["common"], {}),
            json_file(_GENERAL["groups"], self.groups),
            GeneratedFile(_GENERAL["readme"], readme),
            *([GeneratedFile("icon.png", self.publisher.logo_png)] if self.publisher.logo_png else []),
            *(file for one in made for file in one.files),
        ]
        return Emitted(tuple(files), tuple(sorted(self.problems)))

    def _components(self) -> list[Component]:
        made, problems = connection.components(self.app, self.connections, self.publisher, self.addresses)
        self.problems += problems
        made += self._triggers()
        for resource in self.app.resources:
            modules = [self._made(one, self.modules.component) for one in resource.operations]
            made += self._grouped(resource.label, [one for one in modules if one is not None])
        made += self._grouped("Other", [universal.component(self.app, self.connections, self.addresses.base)])
        return [*made, *self.rpcs.made.values()]

    def _triggers(self) -> list[Component]:
        made: list[Component] = []
        for trigger in self.app.triggers:
            try:
                made += webhooks.components(self.app, self.connections, trigger, self.addresses, self.taken)
            except iml.InexpressibleError as error:
                self.problems.append(Problem("#/webhooks", f"{trigger.id} cannot be rendered for Make: {error}"))
        self._grouped("Triggers", [one for one in made if one.kind == "module"])
        return made

    def _made(self, operation: ir.Operation, make: Callable[[ir.Operation], Component]) -> Component | None:
        try:
            return make(operation)
        except iml.InexpressibleError as error:
            message = f"{operation.id} cannot be rendered for Make: {error} Exclude it, or change it by an overlay."
            self.problems.append(Problem(operation.source or "#/paths", message))
            return None

    def _grouped(self, label: str, modules: list[Component]) -> list[Component]:
        if modules:
            self.groups.append({"label": naming.label(label), "modules": [one.id for one in modules]})
        return modules

    def _manifest(self, made: list[Component]) -> dict[str, Any]:
        return {
            "fileVersion": 1,
            "generalCodeFiles": _GENERAL,
            "components": {kind: {one.id: one.entry for one in made if one.kind == kind} for kind in _KINDS},
            "origins": [],
        }

    def _facts(self, made: list[Component]) -> dict[str, Any]:
        return {
            "title": naming.label(self.publisher.title),
            "publisher": self.publisher,
            "modules": [one for one in made if one.kind == "module"],
            "base_url": iml.shown(self.addresses.base),
            "api": naming.label(self.app.title),
            "has_connection": any(one.kind == "connection" for one in made),
        }
