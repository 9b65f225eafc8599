"""What a module puts out of an answer: always a collection, as Make wants it."""

from aiops_connect import ir
from aiops_connect.platforms.make import dates, iml, interfaces
from aiops_connect.platforms.make.requests import Directives

_BODY = iml.variable("body")
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
            output, found = dates.collection(_BODY, members)
            return {**response, "output": output}, found
        case ir.Union(variants) if merged := interfaces.merged(variants):
            return {**response, "output": "{{body}}"}, tuple(dates.as_text(one) for one in merged)
    name = "items" if isinstance(answer.type, ir.Array) else "value"
    value, field = dates.member(_BODY, ir.Field(name, name, name.title(), answer.type, example=answer.sample))
    return {**response, "output": {name: value}}, (field,)


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
