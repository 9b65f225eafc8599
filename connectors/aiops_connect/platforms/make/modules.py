"""Modules: one for each operation that is a step to choose."""

from dataclasses import dataclass
from typing import Any

from aiops_connect import help_texts, ir
from aiops_connect.platforms.make import (
    answers,
    dates,
    fields,
    files,
    idempotency,
    iml,
    interfaces,
    jobs,
    naming,
    pages,
    requests,
)
from aiops_connect.platforms.make.addresses import Addresses
from aiops_connect.platforms.make.components import Component
from aiops_connect.platforms.make.connection import Connections
from aiops_connect.platforms.make.requests import Directives, Value
from aiops_connect.platforms.make.rpcs import Rpcs

_CRUD = {
    ir.Effect.LIST: "read",
    ir.Effect.READ: "read",
    ir.Effect.CREATE: "create",
    ir.Effect.UPDATE: "update",
    ir.Effect.DELETE: "delete",
}
_BODY = iml.variable("body")


@dataclass(frozen=True, slots=True)
class Modules:
    """What modules are made of, beside their operations."""

    app: ir.App
    connections: Connections
    addresses: Addresses
    rpcs: Rpcs
    taken: set[str]
    can_fetch: bool

    def component(self, operation: ir.Operation) -> Component:
        """Raises InexpressibleError where something in it cannot be written for Make."""
        listed = pages.items_of(operation) if _is_list(operation) else None
        match operation.execution:
            case ir.Job() as execution:
                made = self._job(operation, execution)
            case _ if listed is not None:
                made = self._search(operation, *listed)
            case _:
                made = self._action(operation)
        _check_names(made["mappableParams"])
        is_search = listed is not None and isinstance(operation.execution, ir.Immediate)
        asked = [one for one in made["mappableParams"] if one["name"] != "limit"]
        label = naming.label(operation.label)
        if is_search:
            label = naming.search_label(operation, has_filters=bool(asked))
        metadata = {
            "label": label,
            "description": naming.description(operation, label),
            "moduleType": "search" if is_search else "action",
            **({} if is_search else {"actionCrud": _CRUD[operation.effect]}),
            **self.connections.used(operation),
        }
        codes = {
            "communication": made["communication"],
            "staticParams": [],
            "mappableParams": made["mappableParams"],
            "interface": made["interface"],
            "samples": made["samples"],
            "scope": self.connections.scopes(operation),
        }
        return Component("module", naming.component_id(operation.id, self.taken), metadata, codes)

    def _job(self, operation: ir.Operation, execution: ir.Job) -> dict[str, Any]:
        module = jobs.read(self.app, operation, execution, can_fetch=self.can_fetch)
        asked = self._asked(operation)
        chain = [
            *self._uploads(asked),
            *jobs.steps(
                module,
                self._values(operation, asked),
                self.addresses.other(operation),
                self.addresses.other(module.status),
            ),
        ]
        plain = [one for one in asked if not one.is_advanced]
        advanced = [one for one in asked if one.is_advanced]
        return {
            "communication": chain,
            "mappableParams": [*self._parameters(plain), *jobs.parameters(module), *self._parameters(advanced)],
            **_put_out(jobs.output(module)[1], operation.answer.sample if operation.answer is not None else ir.MISSING),
        }

    def _search(self, operation: ir.Operation, pointer: ir.Pointer, item: tuple[ir.Field, ...]) -> dict[str, Any]:
        driven = pages.driven(operation)
        asked = self._asked(operation)
        name = "limit" if all(one.id != "limit" for one in asked) else "results_limit"
        first = {field: value for field, value in driven.items() if value is not None}
        values = {**self._values(operation, asked), **first}
        limit = iml.whole(iml.variable("parameters", name))
        listing = pages.directives(operation, pointer, limit, self.connections, self.addresses.of(operation))
        listing["response"]["output"], shown = dates.collection(iml.variable("item"), item)
        plain = [one for one in asked if not one.is_advanced]
        advanced = [one for one in asked if one.is_advanced]
        call = {**requests.request(operation, values, self.addresses.other(operation)), **listing}
        uploads = self._uploads(asked)
        return {
            "communication": [*uploads, call] if uploads else call,
            "mappableParams": [
                *self._parameters(plain),
                pages.limit_parameter(name),
                *self._parameters(advanced),
            ],
            **_put_out(shown, _first_item(operation, pointer)),
        }

    def _action(self, operation: ir.Operation) -> dict[str, Any]:
        asked = self._asked(operation)
        response, fields_ = answers.answered(operation)
        call = {
            **requests.request(operation, self._values(operation, asked), self.addresses.other(operation)),
            "response": response,
        }
        uploads = self._uploads(asked)
        sample = operation.answer.sample if operation.answer is not None else ir.MISSING
        return {
            "communication": [*uploads, call] if uploads else call,
            "mappableParams": self._parameters(asked),
            **_put_out(fields_, sample),
        }

    def _asked(self, operation: ir.Operation) -> list[ir.Field]:
        """The inputs that get a value: those of people, and those that are always the same."""
        people = self.app.asked(operation)
        return [one for one in operation.inputs if one in people or isinstance(one.type, ir.Constant)]

    def _values(self, operation: ir.Operation, asked: list[ir.Field]) -> dict[str, Value]:
        values = requests.values_of({one.id: one for one in asked})
        if operation.idempotency in values:
            values[operation.idempotency] = idempotency.key(operation, asked)
        return values

    def _parameters(self, asked: list[ir.Field]) -> list[dict[str, Any]]:
        found = [self._listed(one, parameter) for one in asked for parameter in fields.parameters(one)]
        return sorted(found, key=lambda parameter: not parameter.get("required", False))

    def _listed(self, field: ir.Field, parameter: files.Parameter) -> files.Parameter:
        """With the options that an RPC fetches. A list of options checks nothing, so its limits stand in the help."""
        if field.options is None or parameter["name"] != field.id:
            return parameter
        told = f"{parameter.get('help', '')} {help_texts.limits(field.type, field.help)}".strip()
        kept = {name: value for name, value in parameter.items() if name not in ("validate", "help")}
        listed = {"type": "select", "mode": "edit", "options": {"store": self.rpcs.options(field.options)}}
        return {**kept, **listed, **({"help": told} if told else {})}

    def _uploads(self, asked: list[ir.Field]) -> list[Directives]:
        """The files among the inputs become links first."""
        return [
            self._upload(one, one.type.upload)
            for one in asked
            if isinstance(one.type, ir.File) and one.type.upload is not None
        ]

    def _upload(self, field: ir.Field, upload: ir.Upload) -> Directives:
        operation = self.app.operation(upload.operation)
        answered = iml.whole(iml.below(_BODY, upload.url))
        return {
            **requests.request(operation, {upload.field: requests.file_value(field)}, self.addresses.other(operation)),
            "condition": iml.whole(fields.is_file(field)),
            "response": {"temp": {files.link_name(field): answered}},
        }


def _is_list(operation: ir.Operation) -> bool:
    return operation.pagination is not None or operation.effect is ir.Effect.LIST


def _check_names(parameters: list[dict[str, Any]]) -> None:
    names = [one["name"] for one in parameters]
    if len(set(names)) < len(names):
        raise iml.InexpressibleError("Two of its inputs would have one name.")


def _put_out(fields_: tuple[ir.Field, ...], sample: ir.Json | ir.Missing) -> dict[str, Any]:
    return {"interface": interfaces.interface(fields_), "samples": interfaces.samples(fields_, sample)}


def _first_item(operation: ir.Operation, pointer: ir.Pointer) -> ir.Json | ir.Missing:
    value: ir.Json | ir.Missing = operation.answer.sample if operation.answer is not None else ir.MISSING
    for step in pointer.split("/")[1:]:
        value = value.get(step, ir.MISSING) if isinstance(value, dict) else ir.MISSING
    return value[0] if isinstance(value, list) and value else ir.MISSING
