"""What an action answers: its output fields, its sample, and the files it leads to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, assert_never

from aiops_connect import ir
from aiops_connect.platforms.zapier import naming
from aiops_connect.platforms.zapier.prose import plain
from aiops_connect.pointers import pointer, value_at

DEPTH_MAX = 4
FIELDS_MAX = 200
FILE_SAMPLE = "https://files.example/sample"

OutputField = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FileOutput:
    """A link in an answer, and under which name the file itself stands beside it."""

    pointer: ir.Pointer
    key: str
    label: str

    @property
    def data(self) -> dict[str, str]:
        return {"pointer": self.pointer, "key": self.key}


def file_outputs(fields: Iterable[ir.Field]) -> list[FileOutput]:
    """The links to files, those in groups and in all shapes of a union too, not those in lists."""
    return list(_files(tuple(fields), ()))


def _files(fields: tuple[ir.Field, ...], above: tuple[str, ...]) -> Iterator[FileOutput]:
    taken = {field.name for field in fields}
    for field in fields:
        match field.type:
            case ir.File(ir.FileForm.URL):
                stem = field.name.removesuffix("_url").removesuffix("Url")
                key = naming.unique(stem if stem != field.name else f"{field.name}_file", taken)
                words = naming.label(field.label)
                title = words.removesuffix(" URL") if words.endswith(" URL") else f"{words} File"
                yield FileOutput(pointer((*above, field.name)), key, title)
            case ir.Group(inner) if len(above) < DEPTH_MAX:
                yield from _files(inner, (*above, field.name))
            case ir.Union(variants) if len(above) < DEPTH_MAX:
                for variant in variants:
                    yield from _files(
                        variant.type.fields if isinstance(variant.type, ir.Group) else (), (*above, field.name)
                    )


def output_fields(fields: Iterable[ir.Field], files: Iterable[FileOutput] = ()) -> list[OutputField]:
    """Each leaf with a label and a type."""
    found: dict[str, OutputField] = {}
    for one in (*_flat(tuple(fields), "", "", 0), *(_file(file) for file in files)):
        if len(found) < FIELDS_MAX:
            found.setdefault(one["key"], one)
    return list(found.values())


def _file(file: FileOutput) -> OutputField:
    path = [step.replace("~1", "/").replace("~0", "~") for step in file.pointer.split("/")[1:-1]]
    return {"key": "__".join((*path, file.key)), "label": file.label, "type": "file"}


def _flat(fields: tuple[ir.Field, ...], prefix: str, above: str, depth: int) -> Iterator[OutputField]:
    for field in fields:
        yield from _of_type(field.type, f"{prefix}{plain(field.name)}", naming.output_label(field, above), depth)


def _of_type(type_: ir.FieldType, key: str, words: str, depth: int) -> Iterator[OutputField]:
    match type_:
        case ir.Group(fields) if fields and depth < DEPTH_MAX:
            yield from _flat(fields, f"{key}__", words, depth + 1)
        case ir.Array(item=ir.Group(fields)) if fields and depth < DEPTH_MAX:
            yield from _flat(fields, f"{key}[]", words, depth + 1)
        case ir.Array(item):
            yield _typed(key, words, _scalar_type(item)) | {"list": True}
        case ir.Union(variants) if depth < DEPTH_MAX and (groups := _groups(variants)):
            for group in groups:
                yield from _of_type(group, key, words, depth)
        case _:
            yield _typed(key, words, _scalar_type(type_))


def _groups(variants: tuple[ir.Variant, ...]) -> list[ir.Group]:
    return [variant.type for variant in variants if isinstance(variant.type, ir.Group)]


def _typed(key: str, words: str, type_: str | None) -> OutputField:
    return {"key": key, "label": words} | ({"type": type_} if type_ is not None else {})


def _scalar_type(type_: ir.FieldType) -> str | None:
    """None for what can be of several kinds, or an object of which nothing is known."""
    match type_:
        case ir.Integer():
            return "integer"
        case ir.Number():
            return "number"
        case ir.Boolean():
            return "boolean"
        case ir.DateTime("date-time") | ir.DateTime("date"):
            return "datetime"
        case ir.Constant(value) | ir.Choice(options=(ir.Option(value), *_)):
            if isinstance(value, bool):
                return "boolean"
            return "string" if isinstance(value, str) else "number"
        case ir.Union(variants):
            kinds = {_scalar_type(variant.type) for variant in variants}
            return kinds.pop() if len(kinds) == 1 else None
        case ir.Text() | ir.File() | ir.DateTime() | ir.Choice():
            return "string"
        case ir.Array() | ir.Group() | ir.AnyJson():
            return None
        case _:
            assert_never(type_)


def with_files(sample: dict[str, ir.Json], files: Iterable[FileOutput]) -> dict[str, ir.Json]:
    """A sample with each file beside the link to it."""
    for file in files:
        holder = value_at(sample, file.pointer.rpartition("/")[0])
        if isinstance(holder, dict) and value_at(sample, file.pointer) is not ir.MISSING:
            holder.setdefault(file.key, FILE_SAMPLE)
    return sample
