"""References: where they lead, and where they may not."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from aiops_connect import ir
from aiops_connect.openapi import parse_file
from tests.fixtures.documents import app_of, field_of, problems_of, with_body

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("components", "reference"),
    [
        pytest.param({"schemas": {"A": TEXT}}, "#/components/schemas/A", id="component"),
        pytest.param({"schemas": {"A/B~C D": TEXT}}, "#/components/schemas/A~1B~0C%20D", id="escaped"),
        pytest.param({"schemas": {"A": {"oneOf": [{}, TEXT]}}}, "#/components/schemas/A/oneOf/1", id="in a list"),
        pytest.param({"schemas": {"A": {**TEXT, "$anchor": "text"}}}, "#text", id="anchor"),
        pytest.param(
            {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": TEXT}},
            "#/components/schemas/A",
            id="to a reference",
        ),
    ],
)
def test_a_reference_leads_to_a_place_of_the_document(components: dict[str, Any], reference: str) -> None:
    assert field_of({"$ref": reference}, components=components).type == ir.Text()


def written(folder: Path, **files: Any) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".yaml").write_text(yaml.safe_dump(content))
    return folder / "api.yaml"


def test_references_lead_to_files_beside_the_document(tmp_path: Path) -> None:
    tree = with_body({"$ref": "schemas/thing.yaml#/Thing"})
    thing = {"Thing": {"properties": {"value": {"$ref": "#/Value"}, "other": {"$ref": "../other.yaml"}}}, "Value": TEXT}
    path = written(tmp_path, api=tree, schemas__thing=thing, other={"type": "integer"})
    parsed = parse_file(path)
    assert parsed.problems == ()
    assert parsed.app is not None
    types = {one.id: one.type for one in parsed.app.operation("act").inputs}
    assert types == {"value": ir.Text(), "other": ir.Integer()}


def test_files_that_refer_to_one_another_end(tmp_path: Path) -> None:
    tree = with_body({"$ref": "a.yaml"})
    a = {"properties": {"b": {"$ref": "b.yaml"}}}
    b = {"properties": {"a": {"$ref": "a.yaml"}}}
    parsed = parse_file(written(tmp_path, api=tree, a=a, b=b))
    assert parsed.problems == ()
    assert parsed.app is not None
    assert parsed.app.operation("act").input("b").type == ir.AnyJson(ir.Untyped.RECURSIVE)


def test_a_problem_in_another_file_names_it(tmp_path: Path) -> None:
    path = written(
        tmp_path, api=with_body({"$ref": "parts.yaml#/A"}), parts={"A": {"properties": {"a": {"type": "text"}}}}
    )
    assert [problem.pointer for problem in parse_file(path).problems] == ["parts.yaml#/A/properties/a/type"]


VALUE = "#/paths/~1things/post/requestBody/content/application~1json/schema/properties/value/$ref"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("#/components/schemas/No", "There is nothing at #/components/schemas/No. Add it, or mend the reference."),
        ("#no", "No schema of the document has the anchor no. Add it, or mend the reference."),
        (
            "https://a.example/s.yaml",
            "It refers to another host. Save that document beside this one, and refer to the file.",
        ),
        ("other.yaml", "It refers to a file, but the document is none. Save it as a file."),
    ],
)
def test_a_reference_that_leads_nowhere_is_a_problem(reference: str, message: str) -> None:
    tree = with_body({"properties": {"value": {"$ref": reference}}})
    assert problems_of(tree) == [(VALUE, message)]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no.yaml", "It refers to no.yaml. It cannot be read: No such file or directory."),
        ("../secret.yaml", "It refers to a file outside the folder of the document. Move it inside."),
        ("/etc/hostname", "It refers to a file outside the folder of the document. Move it inside."),
        ("a%00b.yaml", "It refers to no file that there can be. Mend the reference."),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, reference: str, message: str) -> None:
    path = written(tmp_path, api=with_body({"properties": {"value": {"$ref": reference}}}))
    assert [(problem.pointer, problem.message) for problem in parse_file(path).problems] == [(VALUE, message)]


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("type: string")
    (tmp_path / "api").mkdir()
    path = written(tmp_path / "api", api=with_body({"$ref": "inside.yaml"}))
    (tmp_path / "api" / "inside.yaml").symlink_to(tmp_path / "secret.yaml")
    assert "outside the folder" in parse_file(path).problems[0].message


def test_references_that_lead_to_one_another_only_are_nothing() -> None:
    components = {
        "parameters": {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}}
    }
    tree = with_body({"type": "object", "properties": {"a": TEXT}}, components=components)
    tree["paths"]["/things"]["post"]["parameters"] = [{"$ref": "#/components/parameters/A"}]
    message = "The reference leads in a circle, and never to anything. Let it refer to what is meant."
    assert problems_of(tree) == [("#/paths/~1things/post/parameters/0/$ref", message)]


def test_a_schema_that_is_only_itself_is_json() -> None:
    components = {"schemas": {"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}}}
    assert field_of({"$ref": "#/components/schemas/A"}, components=components).type == ir.AnyJson(ir.Untyped.RECURSIVE)


def test_a_property_may_be_called_as_a_reference_is() -> None:
    app = app_of(with_body({"properties": {"$ref": TEXT, "a": TEXT}}))
    assert [field.name for field in app.operation("act").inputs] == ["$ref", "a"]
