"""Parameters that every node of n8n has in the same words, and where each is shown."""

from aiops_connect import ir
from aiops_connect.platforms.n8n import prose
from aiops_connect.platforms.n8n.literals import Value
from aiops_connect.platforms.n8n.options import in_order
from aiops_connect.platforms.n8n.properties import Property, Rendered

WAIT_SECONDS = 600
COLLECTIONS = {
    ir.Effect.CREATE: ("additionalFields", "Additional Fields"),
    ir.Effect.UPDATE: ("updateFields", "Update Fields"),
    ir.Effect.LIST: ("filters", "Filters"),
    ir.Effect.READ: ("options", "Options"),
    ir.Effect.DELETE: ("options", "Options"),
}

Shown = dict[str, list[str]]


def show(shown: Shown, **more: Value) -> Property:
    return {"displayOptions": {"show": {**shown, **more}}}


def required(made: Property) -> Property:
    """`required` beside the type, as n8n's own nodes have it."""
    found: Property = {}
    for name, value in made.items():
        found[name] = value
        if name == "type" and made["type"] != "boolean":
            found["required"] = True
    return found


def link(one: ir.Field, made: Rendered, name: str, shown: Shown) -> list[Property]:
    """A file that people have a link to, or in a field of the item."""
    label = prose.title(one.label)
    source: Property = {
        "displayName": f"{label.removesuffix(' URL').removesuffix(' Link')} Source",
        "name": f"{name}Source",
        "type": "options",
        "options": [
            {"name": "URL", "value": "url", "description": "A link to the file"},
            {"name": "Input File", "value": "file", "description": "A file in the data of the item, which is uploaded"},
        ],
        "default": "url",
    }
    data: Property = {
        "displayName": "Input Data Field Name",
        "name": f"{name}Data",
        "type": "string",
        "required": True,
        "default": "data",
        "hint": "The name of the input field that holds the file",
    }
    by_url = required(made.property) | show(shown, **{f"{name}Source": ["url"]})
    return [source | show(shown), by_url, data | show(shown, **{f"{name}Source": ["file"]})]


def link_shape(upload: ir.Upload, name: str) -> Property:
    target: Property = {"operation": upload.operation, "field": upload.field, "url": upload.url}
    return {"kind": "link", "source": f"{name}Source", "data": f"{name}Data", "upload": target}


def wait_for_completion() -> Property:
    return {
        "displayName": "Wait for Completion",
        "name": "waitForCompletion",
        "type": "boolean",
        "default": True,
        "description": "Whether to go on when the result is there. Otherwise the job is given at once, for later.",
    }


def maximum_wait() -> Property:
    return {
        "displayName": "Maximum Wait (Seconds)",
        "name": "maximumWait",
        "type": "number",
        "typeOptions": {"minValue": 1, "maxValue": 86400},
        "default": WAIT_SECONDS,
        "description": "How long to wait for the result. The job goes on after that, and can be taken up again.",
    }


def simplify() -> Property:
    return {
        "displayName": "Simplify",
        "name": "simplify",
        "type": "boolean",
        "default": True,
        "description": "Whether to return a simplified version of the response instead of the raw data",
    }


def pages(shown: Shown) -> list[Property]:
    all_: Property = {"displayName": "Return All", "name": "returnAll", "type": "boolean", "default": False}
    all_["description"] = "Whether to return all results or only up to a given limit"
    limit: Property = {"displayName": "Limit", "name": "limit", "type": "number", "typeOptions": {"minValue": 1}}
    limit |= {"default": 50, "description": "Max number of results to return"}
    return [all_ | show(shown), limit | show(shown, returnAll=[False])]


def files(files: list[Property], answer: str, shown: Shown, *, is_upload: bool = False) -> list[Property]:
    """What to give of an answer with files. Of an upload it is the link: the file is where it came from."""
    name: Property = {
        "displayName": "Put Output File in Field",
        "name": "binaryPropertyName",
        "type": "string",
        "required": True,
        "default": "data",
        "hint": "The name of the output field to put the file in",
    }
    if answer == "bytes":
        return [name | show(shown)]
    if not files:
        return []
    is_link = any(one["form"] == "url" for one in files)
    options: list[Value] = [
        {"name": "URL" if is_link else "Text", "value": "url", "description": "Only what the service answers"},
        {"name": "File", "value": "file", "description": "The file, in a field of the output"},
    ]
    if is_link:
        options.append({"name": "File and URL", "value": "both", "description": "The file, and the link to it"})
    output: Property = {
        "displayName": "Output",
        "name": "output",
        "type": "options",
        "options": options,
        "default": "url" if is_upload else "both" if is_link else "file",
        "description": "What to give to the next node. A tool of an agent always gives what the service answers.",
    }
    return [output | show(shown), name | show(shown, output=["file", "both"])]


def collection(name: str, label: str, ones: list[Property]) -> Property:
    return {
        "displayName": label,
        "name": name,
        "type": "collection",
        "placeholder": "Add Filter" if name == "filters" else "Add Option" if name == "options" else "Add Field",
        "default": {},
        "options": list(in_order(ones, "displayName")),
    }
