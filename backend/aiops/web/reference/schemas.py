"""What the schemas of an OpenAPI 3.1 document say, in words: references followed, `allOf` put together."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiops.contract.document import Choice
from aiops.web.reference.model import Field, Object

Node = Mapping[str, Any]

FORMATS = {"uri": "URL", "date-time": "date and time", "binary": "file"}
JSON = "application/json"
FORM = "multipart/form-data"


class Schemas:
    """The reader of one document's tree."""

    def __init__(self, tree: Node) -> None:
        self.tree = tree

    def resolve(self, node: Node) -> Node:
        """What a reference leads to; the node itself where it is none."""
        while "$ref" in node:
            found: Any = self.tree
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node = found
        return node

    def merged(self, node: Node) -> dict[str, Any]:
        """The schema with the parts of its `allOf` in it; what it says itself comes first."""
        schema = self.resolve(node)
        whole: dict[str, Any] = {"properties": {}, "required": []}
        for part in [self.merged(one) for one in schema.get("allOf", ())] + [dict(schema)]:
            properties = {**whole["properties"], **part.get("properties", {})}
            whole |= {**part, "properties": properties, "required": [*whole["required"], *part.get("required", ())]}
        return whole

    def variants(self, node: Node) -> list[dict[str, Any]]:
        """The schemas that an answer can have: those of `oneOf`, or the one."""
        schema = self.resolve(node)
        alternatives = schema.get("oneOf") or schema.get("anyOf") or [schema]
        return [self.merged(one) for one in alternatives]

    def fields(self, node: Node, place: str = "body") -> tuple[Field, ...]:
        """The fields of an object; its required ones first, in the order of the document otherwise."""
        schema = self.merged(node)
        required = set(schema["required"])
        fields = [self.field(name, one, place, name in required) for name, one in schema["properties"].items()]
        return tuple(sorted(fields, key=lambda field: not field.is_required))

    def parameter(self, node: Node) -> Field:
        """A parameter; its own description and example come before those of its schema."""
        parameter = self.resolve(node)
        schema = {**self.resolve(parameter["schema"]), "description": parameter.get("description", "")}
        if "example" in parameter:
            schema["examples"] = [parameter["example"]]
        return self.field(parameter["name"], schema, parameter["in"], parameter.get("required", False))

    def field(self, name: str, node: Node, place: str, is_required: bool) -> Field:
        schema = self.resolve(node)
        examples = schema.get("examples", ())
        of = self._object_in(node)
        return Field(
            name=name,
            title=schema.get("title", name),
            place=place,
            kind=self.kind(schema),
            description=schema.get("description", ""),
            is_required=is_required,
            limits=limits(schema),
            default=as_text(schema["default"]) if "default" in schema else None,
            example=as_text(examples[0]) if examples else None,
            choices=choices(schema),
            of=of,
            anchor=anchor(of) if of else None,
        )

    def kind(self, node: Node) -> str:
        """A type in words: `list of Job`, `date and time or null`."""
        schema = self.resolve(node)
        if "anyOf" in schema:
            return " or ".join(self.kind(one) for one in schema["anyOf"])
        types = schema.get("type", "object")
        names = [self._kind(schema, one) for one in ([types] if isinstance(types, str) else types)]
        return " or ".join(names)

    def _kind(self, schema: Node, name: str) -> str:
        if name == "array":
            return f"list of {self.kind(schema['items'])}"
        if name == "object":
            return str(schema.get("title", name))
        return FORMATS.get(schema.get("format", ""), name) if name == "string" else name

    def object_named(self, name: str) -> Object:
        node = {"$ref": f"#/components/schemas/{name}"}
        schema = self.merged(node)
        title, description = schema.get("title", name), schema.get("description", "")
        return Object(name, anchor(name), title, description, self.fields(node))

    def objects_below(self, name: str) -> Iterator[str]:
        """The object, and those that it consists of."""
        pending, seen = [name], set[str]()
        while pending:
            current = pending.pop(0)
            if current not in seen:
                seen.add(current)
                yield current
                pending += [field.of for field in self.object_named(current).fields if field.of]

    def _object_in(self, node: Node) -> str | None:
        """The name of the object that a field is, or is a list of."""
        node = node.get("items", node)
        if "$ref" not in node or not self.merged(node)["properties"]:
            return None
        return str(node["$ref"]).rpartition("/")[2]


def choices(schema: Node) -> tuple[Choice, ...]:
    """The values of a field that is chosen from a list."""
    default = schema.get("default")
    titled = [one for one in schema.get("oneOf", ()) if "const" in one]
    plain = [{"const": value} for value in schema.get("enum", ())]
    return tuple(
        Choice(as_text(one["const"]), one.get("title", ""), one.get("description", ""), one["const"] == default)
        for one in titled + plain
    )


def limits(schema: Node) -> str:
    """How long, large or many, in words; nothing where the values are listed anyway."""
    if choices(schema) or "const" in schema:
        return ""
    lengths = (
        ("minLength", "maxLength", " bytes" if schema.get("format") == "binary" else " characters"),
        ("minimum", "maximum", ""),
        ("minItems", "maxItems", " items"),
    )
    return ", ".join(_range(schema.get(least), schema.get(most), unit) for least, most, unit in lengths).strip(", ")


def _range(least: float | None, most: float | None, unit: str) -> str:
    if least is not None and most is not None:
        return f"{least:,} to {most:,}{unit}"
    if most is not None:
        return f"at most {most:,}{unit}"
    return f"at least {least:,}{unit}" if least is not None else ""


def as_text(value: Any) -> str:
    """A value as it is sent, a string without its quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def anchor(name: str) -> str:
    """Where an object is described."""
    return f"object-{slug(name)}"


def slug(text: str) -> str:
    """What a name is in an address."""
    return re.sub(r"[^\w-]+", "-", text).strip("-")
