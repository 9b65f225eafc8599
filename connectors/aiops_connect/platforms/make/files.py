"""Files as Make's parameters: a name and a content, which Make fills together from the file of another module."""

from dataclasses import dataclass
from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.make import naming

Parameter = dict[str, Any]
ADD = {"add": "Add item"}


@dataclass(frozen=True, slots=True)
class FileNames:
    """The parameters of a file."""

    name: str
    data: str


# What Make takes for a file in a multipart body: items that have these members are sent as they are.
IN_A_LIST = FileNames("options", "value")


def file_names(field: ir.Field) -> FileNames:
    return FileNames(f"{field.id}_file_name", f"{field.id}_data")


def source_name(field: ir.Field) -> str:
    """The parameter that says whether a link is entered or a file."""
    return f"{field.id}_source"


def link_name(field: ir.Field) -> str:
    """Under which name in `temp` the link stands that came of uploading the file of an input."""
    return f"{field.id}_link"


def pair(field: ir.Field, names: FileNames, *, required: bool) -> list[Parameter]:
    """The two parameters of a file."""
    flags = {"required": True} if required else {}
    label = naming.label(field.label.removesuffix(" URL"))[:200]
    about = field.help if isinstance(field.type, ir.File) and field.type.upload is None else ""
    name = {
        "name": names.name,
        "type": "filename",
        "label": "File name" if label == "File" else f"{label} file name",
        "semantic": "file:name",
        "help": "The name of the file with its extension. For example, `recording.mp3`.",
    }
    data = {
        "name": names.data,
        "type": "buffer",
        "label": label,
        "semantic": "file:data",
        "help": naming.help_text(about, "The content of the file."),
    }
    return [{**name, **flags}, {**data, **flags}]


def several() -> Parameter:
    """The shape of a list of files."""
    one = ir.Field("file", "file", "File", ir.File(ir.FileForm.BYTES))
    return {"type": "array", "labels": ADD, "spec": pair(one, IN_A_LIST, required=True)}
