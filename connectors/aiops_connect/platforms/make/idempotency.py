"""The key by which the API tells a repeat from new work."""

from aiops_connect import ir
from aiops_connect.platforms.make import fields, files, iml
from aiops_connect.platforms.make.runner.iml.syntax import Node


def key(operation: ir.Operation, asked: list[ir.Field]) -> Node:
    """What people enter, else the same for the same inputs in the same execution: when Make tries a call again, it is
    not charged again."""
    parts: list[Node] = [iml.text(operation.id), iml.text(" "), iml.variable("executionId")]
    for one in asked:
        if one.id != operation.idempotency:
            parts += [iml.text(f" {one.id} "), *_told_apart(one)]
    given = iml.variable("parameters", operation.idempotency or "")
    return iml.call("ifempty", given, iml.call("sha256", iml.joined(*parts)))


def _told_apart(field: ir.Field) -> list[Node]:
    """What of an input tells one call from another."""
    match fields.entry(field), field.type:
        case fields.Entry.CONSTANT, _:
            return []
        case fields.Entry.FILE, _:
            return [_content(field)]
        case fields.Entry.LINK_OR_FILE, _:
            # Not the link that the upload was answered with: each upload has its own.
            given = iml.set_or_absent(iml.variable("parameters", field.id))
            return [iml.call("if", fields.is_file(field), _content(field), given)]
        case fields.Entry.FILES, _:
            contents = iml.call("map", iml.variable("parameters", field.id), iml.text(files.IN_A_LIST.data))
            return [iml.if_set(contents, iml.call("sha256", iml.call("join", contents, iml.variable("emptystring"))))]
        case fields.Entry.AS_IT_IS, ir.Array() | ir.Group():
            return [iml.if_set(iml.variable("parameters", field.id), iml.call("createJSON", fields.entered(field)))]
        case fields.Entry.JSON, _:
            return [iml.variable("parameters", field.id)]
    return [fields.entered(field)]


def _content(field: ir.Field) -> Node:
    data = iml.variable("parameters", files.file_names(field).data)
    return iml.if_set(data, iml.call("sha256", data))
