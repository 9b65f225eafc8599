"""What a step answers, in the shape that the runtime part gives it: an object, with each file beside its link."""

from dataclasses import dataclass
from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.zapier import outputs, samples
from aiops_connect.platforms.zapier.calls import answer_form, items_of
from aiops_connect.pointers import type_at, value_at

_FILE = ir.Field("file", "file", "File", ir.File(ir.FileForm.BYTES))
_TEXT = ir.Field("text", "text", "Text", ir.Text(), example="sample")
_DONE = ir.Field("success", "success", "Success", ir.Boolean(), example=True)


@dataclass(frozen=True, slots=True)
class Answered:
    """`fields` are known; `example` is the document's. `sample` stands where there are no fields."""

    fields: tuple[ir.Field, ...]
    example: ir.Json | ir.Missing = ir.MISSING
    sample: dict[str, ir.Json] | None = None

    @property
    def files(self) -> list[outputs.FileOutput]:
        if self.fields == (_FILE,):
            return [outputs.FileOutput("/file", "file", "File")]
        return outputs.file_outputs(self.fields)

    def described(self) -> dict[str, Any]:
        """The output fields and the sample of a step."""
        if self.fields == (_FILE,):
            shape = outputs.output_fields((), self.files)
            return {"sample": {"file": outputs.FILE_SAMPLE}, "outputFields": shape}
        made = samples.of_fields(self.fields, self.example) if self.fields else dict(self.sample or {"value": "sample"})
        shape = outputs.output_fields(self.fields, self.files)
        return {"sample": outputs.with_files(made, self.files)} | ({"outputFields": shape} if shape else {})


def answered(operation: ir.Operation) -> Answered:
    """Of a step that does something: lists stand under `items`, and what is no object under `value`."""
    answer = operation.answer
    match answer_form(answer):
        case "none":
            return Answered((_DONE,))
        case "file":
            return Answered((_FILE,))
        case "text":
            return Answered((_TEXT,))
    assert answer is not None
    match answer.type:
        case ir.Array() as listed:
            return Answered((ir.Field("items", "items", "Items", listed),), {"items": _or_none(answer.sample)})
        case ir.Union(variants):
            whole = samples.sample(answer.type, answer.sample)
            groups = [variant.type for variant in variants if isinstance(variant.type, ir.Group)]
            members = {field.name: field for group in groups for field in group.fields}
            return Answered(tuple(field for field in members.values() if field.name in whole), whole, whole)
        case _:
            return Answered(answer.fields, answer.sample, samples.sample(answer.type, answer.sample))


def found(operation: ir.Operation) -> Answered:
    """Of a search: one of the items, where the answer is a list."""
    items = items_of(operation)
    if items is None or operation.answer is None or answer_form(operation.answer) != "json":
        return answered(operation)
    type_ = type_at(operation.answer.type, items)
    item = type_.item if isinstance(type_, ir.Array) else type_
    listed = value_at(operation.answer.sample, items) if operation.answer.sample is not ir.MISSING else ir.MISSING
    example = listed[0] if isinstance(listed, list) and listed else ir.MISSING
    return Answered(
        item.fields if isinstance(item, ir.Group) else (), _or_missing(example), samples.sample(item, example)
    )


def _or_none(value: ir.Json | ir.Missing) -> ir.Json:
    return None if value is ir.MISSING else value


def _or_missing(value: ir.Json | ir.Missing) -> ir.Json | ir.Missing:
    return value if isinstance(value, dict) else ir.MISSING
