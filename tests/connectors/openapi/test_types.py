"""Schemas on the left, types on the right."""

from typing import Any

import pytest

from aiops_connect import ir
from tests.fixtures.documents import field_of

TEXT = ir.Text()
ONE, TWO = ir.Option("one", "one"), ir.Option("two", "two")


def member(name: str, type_: ir.FieldType, **facts: Any) -> ir.Field:
    return ir.Field(name, name, name.capitalize(), type_, **facts)


SCALARS: list[tuple[str, Any, ir.FieldType]] = [
    ("text", {"type": "string"}, TEXT),
    ("lengths", {"type": "string", "minLength": 1, "maxLength": 5}, ir.Text(length_min=1, length_max=5)),
    ("pattern", {"type": "string", "pattern": "^a$"}, ir.Text(pattern="^a$")),
    ("format", {"type": "string", "format": "uri"}, ir.Text("uri")),
    ("several lines", {"type": "string", "x-connector-multiline": True}, ir.Text(is_multiline=True)),
    ("date and time", {"type": "string", "format": "date-time"}, ir.DateTime("date-time")),
    ("date", {"type": "string", "format": "date"}, ir.DateTime("date")),
    ("time", {"type": "string", "format": "time"}, ir.DateTime("time")),
    ("base 64", {"type": "string", "contentEncoding": "base64"}, ir.File(ir.FileForm.BASE64)),
    ("byte of 3.0", {"type": "string", "format": "byte"}, ir.File(ir.FileForm.BASE64)),
    ("bytes in JSON", {"type": "string", "format": "binary"}, ir.File(ir.FileForm.BASE64)),
    (
        "base 64 of a type",
        {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
        ir.File(ir.FileForm.BASE64, ("image/png",)),
    ),
    ("integer", {"type": "integer"}, ir.Integer()),
    ("integer bounds", {"type": "integer", "minimum": 1, "maximum": 9}, ir.Integer(1, 9)),
    ("excluded bounds", {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10}, ir.Integer(1, 9)),
    ("excluded bounds of 3.0", {"type": "integer", "minimum": 0, "exclusiveMinimum": True}, ir.Integer(1)),
    ("included bounds of 3.0", {"type": "integer", "minimum": 0, "exclusiveMinimum": False}, ir.Integer(0)),
    ("multiple", {"type": "integer", "multipleOf": 5}, ir.Integer(multiple_of=5)),
    ("number", {"type": "number", "minimum": 0.5, "multipleOf": 0.5}, ir.Number(0.5, multiple_of=0.5)),
    ("excluded number", {"type": "number", "exclusiveMaximum": 1}, ir.Number(maximum=1, is_maximum_excluded=True)),
    ("integer and number", {"type": ["integer", "number"]}, ir.Number()),
    ("boolean", {"type": "boolean"}, ir.Boolean()),
    ("anything", {}, ir.AnyJson()),
    ("true", True, ir.AnyJson()),
    ("kind told by lengths", {"maxLength": 3}, ir.Text(length_max=3)),
    ("kind told by a bound", {"minimum": 3}, ir.Number(3)),
]
CHOICES: list[tuple[str, Any, ir.FieldType]] = [
    ("enum", {"type": "string", "enum": ["one", "two"]}, ir.Choice((ONE, TWO))),
    ("enum without a type", {"enum": [1, 2]}, ir.Choice((ir.Option(1, "1"), ir.Option(2, "2")))),
    ("booleans", {"enum": [True, False]}, ir.Choice((ir.Option(True, "Yes"), ir.Option(False, "No")))),
    ("empty text", {"enum": ["", "one"]}, ir.Choice((ir.Option("", "(empty)"), ONE))),
    ("values that stand twice", {"enum": ["one", "two", "one"]}, ir.Choice((ONE, TWO))),
    ("one and true are two", {"enum": [1, True]}, ir.Choice((ir.Option(1, "1"), ir.Option(True, "Yes")))),
    ("objects cannot be chosen", {"enum": [{"a": 1}, {"a": 2}]}, ir.AnyJson()),
    (
        "titles",
        {"oneOf": [{"const": "one", "title": "First", "description": "The first."}, {"const": "two"}]},
        ir.Choice((ir.Option("one", "First", "The first."), TWO)),
    ),
    ("any text", {"anyOf": [{"type": "string"}, {"enum": ["one", "two"]}]}, ir.Choice((ONE, TWO), is_open=True)),
    (
        "enums together",
        {"anyOf": [{"enum": ["one"]}, {"oneOf": [{"const": "two"}, {"type": "null"}]}]},
        ir.Choice((ONE, TWO)),
    ),
    ("const that may be left out", {"const": "one"}, ir.Choice((ONE,))),
    (
        "enums that hold together",
        {"allOf": [{"enum": ["one", "two"]}, {"enum": ["two", "three"]}], "type": "string"},
        ir.Choice((TWO,)),
    ),
]
COMPOUNDS: list[tuple[str, Any, ir.FieldType]] = [
    ("list", {"type": "array", "items": {"type": "string"}}, ir.Array(TEXT)),
    ("list of anything", {"type": "array"}, ir.Array(ir.AnyJson())),
    (
        "limits of a list",
        {"items": {"type": "string"}, "minItems": 1, "maxItems": 3, "uniqueItems": True},
        ir.Array(TEXT, 1, 3, is_unique=True),
    ),
    (
        "list of objects",
        {"type": "array", "items": {"properties": {"a": {"type": "string"}}}},
        ir.Array(ir.Group((member("a", TEXT),))),
    ),
    (
        "object",
        {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["b"]},
        ir.Group((member("a", TEXT), member("b", ir.Integer(), required=True))),
    ),
    ("object with any members", {"type": "object"}, ir.Group((), ir.AnyJson())),
    ("object with no members", {"type": "object", "additionalProperties": False}, ir.Group(())),
    ("map", {"type": "object", "additionalProperties": {"type": "integer"}}, ir.Group((), ir.Integer())),
    ("pattern of names", {"type": "object", "patternProperties": {"^x": {"type": "string"}}}, ir.Group((), TEXT)),
    (
        "members in some cases",
        {
            "properties": {"a": {"type": "string"}},
            "if": {"required": ["a"]},
            "then": {"properties": {"b": {"type": "string"}}},
        },
        ir.Group((member("a", TEXT), member("b", TEXT))),
    ),
    (
        "what the other side sets is left out",
        {"properties": {"a": {"type": "string"}, "id": {"type": "string", "readOnly": True}}},
        ir.Group((member("a", TEXT),)),
    ),
    (
        "what is excluded is left out",
        {"properties": {"a": {"type": "string"}, "b": {"type": "string", "x-connector-exclude": True}}},
        ir.Group((member("a", TEXT),)),
    ),
    (
        "names that are one identifier",
        {
            "properties": {
                "maxTokens": {"type": "string"},
                "max_tokens": {"type": "string"},
                "__proto__": {"type": "string"},
            }
        },
        ir.Group(
            (
                ir.Field("max_tokens", "maxTokens", "Max tokens", TEXT),
                ir.Field("max_tokens_2", "max_tokens", "Max tokens", TEXT),
                ir.Field("proto", "__proto__", "Proto", TEXT),
            )
        ),
    ),
]
CAT = {"type": "object", "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}}, "required": ["kind"]}
DOG = {"type": "object", "properties": {"kind": {"const": "dog"}, "breed": {"type": "string"}}, "required": ["kind"]}


def animal(kind: str, *others: ir.Field) -> ir.Group:
    return ir.Group((member("kind", ir.Constant(kind), required=True), *others))


ALTERNATIVES: list[tuple[str, Any, ir.FieldType]] = [
    (
        "shapes told apart by a constant",
        {"oneOf": [CAT, DOG]},
        ir.Union(
            (
                ir.Variant("Object", animal("cat", member("lives", ir.Integer())), "cat"),
                ir.Variant("Object", animal("dog", member("breed", TEXT)), "dog"),
            ),
            "kind",
        ),
    ),
    (
        "shapes that nothing tells apart",
        {
            "oneOf": [
                {"title": "By name", "properties": {"a": {"type": "string"}}},
                {"properties": {"b": {"type": "string"}}},
            ]
        },
        ir.Union(
            (
                ir.Variant("By name", ir.Group((member("a", TEXT),))),
                ir.Variant("Object", ir.Group((member("b", TEXT),))),
            )
        ),
    ),
    (
        "text or list",
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        ir.Union((ir.Variant("Text", TEXT), ir.Variant("List of texts", ir.Array(TEXT)))),
    ),
    (
        "several types",
        {"type": ["string", "boolean"]},
        ir.Union((ir.Variant("Yes or no", ir.Boolean()), ir.Variant("Text", TEXT))),
    ),
    ("numbers are one", {"oneOf": [{"type": "integer"}, {"type": "number"}]}, ir.Number()),
    ("texts are one", {"oneOf": [{"type": "string", "format": "uri"}, {"type": "string", "format": "email"}]}, TEXT),
    (
        "what holds in each",
        {"properties": {"a": {"type": "string"}}, "oneOf": [CAT, DOG]},
        ir.Union(
            (
                ir.Variant("Object", animal("cat", member("a", TEXT), member("lives", ir.Integer())), "cat"),
                ir.Variant("Object", animal("dog", member("a", TEXT), member("breed", TEXT)), "dog"),
            ),
            "kind",
        ),
    ),
    (
        "which members must be there is left to the API",
        {"properties": {"a": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        ir.Group((member("a", TEXT),)),
    ),
]
TOGETHER: list[tuple[str, Any, ir.FieldType]] = [
    (
        "properties are joined",
        {
            "allOf": [
                {"properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"properties": {"b": {"type": "integer"}}},
            ]
        },
        ir.Group((member("a", TEXT, required=True), member("b", ir.Integer()))),
    ),
    (
        "also at depth",
        {
            "allOf": [
                {"properties": {"a": {"properties": {"x": {"type": "string"}}}}},
                {"properties": {"a": {"properties": {"y": {"type": "string"}}}}},
            ]
        },
        ir.Group((member("a", ir.Group((member("x", TEXT), member("y", TEXT)))),)),
    ),
    ("the tighter limit", {"allOf": [{"type": "string", "maxLength": 9}, {"maxLength": 5}]}, ir.Text(length_max=5)),
    ("the narrower type", {"allOf": [{"type": "number"}, {"type": "integer"}]}, ir.Integer()),
    ("a member of one and the type of the other", {"type": "string", "allOf": [{"format": "email"}]}, ir.Text("email")),
]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param(schema, expected, id=name)
        for name, schema, expected in (*SCALARS, *CHOICES, *COMPOUNDS, *ALTERNATIVES, *TOGETHER)
    ],
)
def test_a_schema_becomes_a_type(schema: Any, expected: ir.FieldType) -> None:
    assert field_of(schema).type == expected


def test_a_const_that_is_required_is_sent_without_asking() -> None:
    assert field_of({"const": "one"}, required=True).type == ir.Constant("one")


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"type": ["string", "null"]}, id="a list of types"),
        pytest.param({"type": "string", "nullable": True}, id="3.0"),
        pytest.param({"type": "string", "x-nullable": True}, id="2.0"),
        pytest.param({"anyOf": [{"type": "string"}, {"type": "null"}]}, id="alternatives"),
        pytest.param({"nullable": True, "allOf": [{"type": "string"}]}, id="3.0 beside allOf"),
    ],
)
def test_null_is_no_type_but_a_fact_of_the_field(schema: Any) -> None:
    field = field_of(schema)
    assert (field.type, field.nullable) == (TEXT, True)


def test_null_among_values_is_no_option() -> None:
    field = field_of({"enum": ["one", None, "two"]})
    assert (field.type, field.nullable) == (ir.Choice((ONE, TWO)), True)


MAPPED = {"propertyName": "kind", "mapping": {"feline": "#/components/schemas/Cat", "canine": "Dog"}}
ANIMALS = {
    "schemas": {
        name: {"properties": {"kind": {"type": "string"}, name.lower(): {"type": "string"}}, "required": ["kind"]}
        for name in ("Cat", "Dog")
    }
}
REFERENCES = [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]


@pytest.mark.parametrize(
    ("discriminator", "values"),
    [
        pytest.param(MAPPED, ("feline", "canine"), id="by its mapping"),
        pytest.param({"propertyName": "kind"}, ("Cat", "Dog"), id="by the names of the components"),
    ],
)
def test_a_discriminator_tells_shapes_apart(discriminator: dict[str, Any], values: tuple[str, str]) -> None:
    field = field_of({"oneOf": REFERENCES, "discriminator": discriminator}, components=ANIMALS)
    assert field.type == ir.Union(
        (
            ir.Variant("Cat", animal(values[0], member("cat", TEXT)), values[0]),
            ir.Variant("Dog", animal(values[1], member("dog", TEXT)), values[1]),
        ),
        "kind",
    )


def test_what_contains_itself_is_json_where_it_does() -> None:
    comment = {
        "properties": {"text": {"type": "string"}, "replies": {"items": {"$ref": "#/components/schemas/Comment"}}}
    }
    field = field_of({"$ref": "#/components/schemas/Comment"}, components={"schemas": {"Comment": comment}})
    replies = ir.Array(ir.AnyJson(ir.Untyped.RECURSIVE))
    assert field.type == ir.Group((member("text", TEXT), member("replies", replies)))


def test_a_schema_means_the_same_wherever_it_is_reached_from() -> None:
    """Two that contain one another are cut where they do, not at how deep one happens to be."""
    schemas = {
        "A": {"properties": {"b": {"$ref": "#/components/schemas/B"}}},
        "B": {"properties": {"a": {"$ref": "#/components/schemas/A"}, "name": {"type": "string"}}},
    }
    recursive = ir.AnyJson(ir.Untyped.RECURSIVE)
    of_a = field_of({"$ref": "#/components/schemas/A"}, components={"schemas": schemas})
    of_b = field_of({"$ref": "#/components/schemas/B"}, components={"schemas": schemas})
    assert of_a.type == ir.Group((member("b", recursive, nullable=True),))
    assert of_b.type == ir.Group((member("a", recursive, nullable=True), member("name", TEXT)))


def test_the_largest_members_of_what_is_too_large_are_json() -> None:
    large = {"properties": {f"p{number}": {"type": "string"} for number in range(290)}}
    field = field_of({"properties": {"small": {"type": "string"}, "large": large, "other": large}})
    assert isinstance(field.type, ir.Group)
    assert [type(one.type) for one in field.type.fields] == [ir.Text, ir.AnyJson, ir.Group]
    assert field.type.fields[1].type == ir.AnyJson(ir.Untyped.LARGE)


def test_too_many_values_are_no_choice() -> None:
    assert field_of({"type": "string", "enum": [str(number) for number in range(5000)]}).type == TEXT


def test_what_is_nested_too_deeply_ends_in_json() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(30):
        schema = {"type": "object", "properties": {"in": schema}}
    type_ = field_of(schema).type
    for _ in range(12):
        assert isinstance(type_, ir.Group)
        type_ = type_.fields[0].type
    assert type_ == ir.AnyJson(ir.Untyped.DEEP)
