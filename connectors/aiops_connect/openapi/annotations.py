"""What the words say at schemas and parameters. A word that is not used as openapi/README.md says is a problem."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aiops_connect import ir, naming
from aiops_connect.openapi import words
from aiops_connect.openapi.nodes import Node
from aiops_connect.pointers import names_of

Words = Mapping[str, Node]  # by its name, the object that a word stands in


@dataclass(frozen=True, slots=True)
class Mentions:
    """The operations that a word can name, by operationId, with their ids; and what words said of them, by where, to be
    held against the operations once these have been read."""

    ids: Mapping[str, str]
    uploads: dict[str, tuple[Node, ir.Upload]] = field(default_factory=dict)
    sources: dict[str, tuple[Node, ir.OptionsSource]] = field(default_factory=dict)


def flag(found: Words, word: str) -> bool:
    """Whether a word that is true or false is true."""
    return word in found and found[word].flag(word)


def is_excluded(found: Words, required: bool) -> bool:
    """Whether a field is left out. One that has to be sent cannot be."""
    if not flag(found, words.EXCLUDE):
        return False
    if required:
        found[words.EXCLUDE].report(
            "What is required cannot be left out. Make it optional, or exclude the operation.", at=words.EXCLUDE
        )
        return False
    return True


def members(holder: Node, word: str, known: Collection[str], required: Collection[str] = ()) -> Node | None:
    """The object that a word holds, once its members are as they should be; None, and a problem, where not."""
    node = holder.child(word)
    if node is None or not isinstance(node.value, dict):
        holder.report(f"It has to be an object with {', '.join(known)}.", at=word)
        return None
    for name in node.value.keys() - set(known):
        node.report(f"There is no such member. There are {', '.join(known)}.", at=name)
    missing = [name for name in required if name not in node.value]
    if missing:
        node.report(f"Add {', '.join(missing)}.")
        return None
    return node


def operation_id(node: Node, name: str, operation_ids: Mapping[str, str]) -> str | None:
    """The operation that a member names, by its id in the connector; None, and a problem, where there is none."""
    found = operation_ids.get(node.text(name))
    if found is None:
        node.report(
            "No operation, or more than one, has this operationId. Name one that stands once.",
            at=name,
        )
    return found


def pointer(node: Node, name: str) -> ir.Pointer | None:
    """A JSON pointer that a member holds; None where there is no such member, or, with a problem, it holds none."""
    if not node.has(name):
        return None
    text = node.text(name)
    if text and not text.startswith("/"):
        node.report("It has to be a JSON pointer such as /data, or empty for the whole.", at=name)
        return None
    return text


def file(holder: Node, mentions: Mentions) -> ir.FieldType:
    """What `x-connector-file` says: the text is a link to a file, of some types, which an operation can make."""
    if holder.get(words.FILE) is True:
        return ir.File(ir.FileForm.URL)
    known = ("mediaTypes", "operationId", "field", "url")
    node = members(holder, words.FILE, known)
    if node is None:
        return ir.File(ir.FileForm.URL)
    media_types = tuple(node.texts("mediaTypes"))
    if not node.has("operationId"):
        return ir.File(ir.FileForm.URL, media_types)
    operation = operation_id(node, "operationId", mentions.ids)
    url = pointer(node, "url")
    if not node.text("field") or url is None:
        node.report("With an operationId, say which `field` of it takes the file, and where its answer has the `url`.")
        return ir.File(ir.FileForm.URL, media_types)
    if operation is None:
        return ir.File(ir.FileForm.URL, media_types)
    upload = ir.Upload(operation, naming.identifier(node.text("field")), url)
    mentions.uploads[node.pointer] = (node, upload)
    return ir.File(ir.FileForm.URL, media_types, upload)


def options(found: Words, mentions: Mentions) -> ir.OptionsSource | None:
    """What `x-connector-options` says: a list is filled by an operation."""
    if words.OPTIONS not in found:
        return None
    known = ("operationId", "items", "value", "label")
    node = members(found[words.OPTIONS], words.OPTIONS, known, ("operationId", "value"))
    if node is None:
        return None
    operation = operation_id(node, "operationId", mentions.ids)
    value = pointer(node, "value")
    if operation is None or value is None:
        return None
    label = pointer(node, "label")
    items = pointer(node, "items") or ""
    source = ir.OptionsSource(ir.Call(operation), items, value, value if label is None else label)
    mentions.sources[node.pointer] = (node, source)
    return source


def check_mentions(mentions: Mentions, operations: Mapping[str, ir.Operation]) -> None:
    """Reports words that expect of an operation what it does not have."""
    for node, upload in mentions.uploads.values():
        operation = operations.get(upload.operation)
        if operation is not None and upload.field not in {one.id for one in operation.inputs}:
            node.report(f"{operation.id} has no input of this name.", at="field")
        if operation is not None and not _is_answered(operation, upload.url):
            node.report(f"{operation.id} answers nothing at this pointer.", at="url")
    for node, source in mentions.sources.values():
        operation = operations.get(source.call.operation)
        if operation is not None and not _is_answered(operation, source.items, needs_list=True):
            node.report(f"{operation.id} answers no list at this pointer.", at="items")


def _is_answered(operation: ir.Operation, pointer_: ir.Pointer, *, needs_list: bool = False) -> bool:
    """Whether an operation answers something at a pointer. What the document does not describe may be there."""
    type_ = operation.answer.type if operation.answer is not None else None
    for name in names_of(pointer_):
        if not isinstance(type_, ir.Group) or type_.additional is not None:
            break
        type_ = next((one.type for one in type_.fields if one.name == name), None)
    if isinstance(type_, ir.AnyJson) or (isinstance(type_, ir.Group) and type_.additional is not None):
        return True
    return isinstance(type_, ir.Array) if needs_list else type_ is not None


def credits_of(operation: Node) -> int | None:
    """What `x-credits` says: what a call costs, a whole number from 1; None where it is free."""
    if not operation.has(words.CREDITS):
        return None
    value = operation.get(words.CREDITS)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        operation.report(
            "A price is a whole number from 1. Leave the word out where the call is free.", at=words.CREDITS
        )
        return None
    return value
