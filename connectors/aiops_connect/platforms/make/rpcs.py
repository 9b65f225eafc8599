"""RPCs: what a list of options is filled with."""

from dataclasses import dataclass, field

from aiops_connect import ir
from aiops_connect.naming import label as name_label
from aiops_connect.platforms.make import iml, naming, pages, requests
from aiops_connect.platforms.make.addresses import Addresses
from aiops_connect.platforms.make.components import Component
from aiops_connect.platforms.make.connection import Connections

OPTIONS_MAX = 300


@dataclass
class Rpcs:
    """The RPCs of an app, one for each way to fill a list."""

    app: ir.App
    connections: Connections
    addresses: Addresses
    taken: set[str]
    made: dict[ir.OptionsSource, Component] = field(default_factory=dict)

    def options(self, source: ir.OptionsSource) -> str:
        """Where the options come from, as a parameter names it."""
        if source not in self.made:
            self.made[source] = self._component(source)
        return f"rpc://{self.made[source].id}"

    def _component(self, source: ir.OptionsSource) -> Component:
        operation = self.app.operation(source.call.operation)
        values = {one.field: one.source for one in source.call.bindings if isinstance(one.source, ir.Literally)}
        driven = {name: value for name, value in pages.driven(operation).items() if value is not None}
        listing = pages.directives(operation, source.items, OPTIONS_MAX, self.connections, self.addresses.of(operation))
        item = iml.variable("item")
        value = iml.below(item, source.value)
        label = (
            iml.joined(iml.below(item, source.label), iml.text(" "), value) if source.label != source.value else value
        )
        listing["response"]["output"] = {"label": iml.whole(label), "value": iml.whole(value)}
        communication = {
            **requests.request(operation, {**driven, **values}, self.addresses.other(operation)),
            **listing,
        }
        metadata = {
            "label": naming.label(f"{name_label(operation.id)} to choose from"),
            **self.connections.used(operation),
        }
        name = naming.component_id(f"{operation.id} options", self.taken)
        return Component("rpc", name, metadata, {"communication": communication, "params": []})
