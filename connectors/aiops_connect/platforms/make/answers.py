"""What a module puts out of an answer: always a collection, as Make wants it."""

from aiops_connect import ir
from aiops_connect.platforms.make import interfaces
from aiops_connect.platforms.make.requests import Directives

_EXTENSIONS = {
    "application/pdf": "pdf", "audio/mpeg": "mp3", "audio/wav": "wav", "image/jpeg": "jpg", "image/png": "png",
    "image/webp": "webp", "video/mp4": "mp4", "application/zip": "zip", "text/csv": "csv",
}  # fmt: skip


def answered(operation: ir.Operation) -> tuple[Directives, tuple[ir.Field, ...]]:
    """The directive `response`, and the fields of what comes out: always a collection, as Make wants it."""
    answer = operation.answer
    if answer is None or answer.type is None:
        return {"output": {"success": True}}, (ir.Field("success", "success", "Success", ir.Boolean(), example=True),)
    if isinstance(answer.type, ir.File):
        return _file(operation, answer)
    response = _response_type(answer)
    match answer.type:
        case ir.Group(members) if members:
            return {**response, "output": "{{body}}"}, members
        case ir.Union(variants) if interfaces.merged(variants):
            return {**response, "output": "{{body}}"}, interfaces.merged(variants)
        case ir.Array():
            items = ir.Field("items", "items", "Items", answer.type, example=answer.sample)
            return {**response, "output": {"items": "{{body}}"}}, (items,)
    value = ir.Field("value", "value", "Value", answer.type, example=answer.sample)
    return {**response, "output": {"value": "{{body}}"}}, (value,)


def _response_type(answer: ir.Answer) -> Directives:
    """Make knows JSON by `application/json` alone."""
    media_type = answer.media_type or ""
    return {"type": "json"} if media_type.endswith("+json") else {}


def _file(operation: ir.Operation, answer: ir.Answer) -> tuple[Directives, tuple[ir.Field, ...]]:
    extension = _EXTENSIONS.get(answer.media_type or "", "bin")
    output = {"file_name": f"{operation.id}.{extension}", "data": "{{body}}"}
    response = {"type": {"200-299": "binary", "*": "automatic"}, "output": output}
    name = ir.Field("file_name", "file_name", "File name", ir.Text(), example=output["file_name"])
    return response, (name, ir.Field("data", "data", "Data", ir.File(ir.FileForm.BYTES)))
