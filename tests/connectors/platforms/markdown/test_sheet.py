"""The sheet: what people read is what the document says, whatever it says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from aiops_connect import ir
from aiops_connect.openapi import parse
from aiops_connect.platforms.markdown.emitter import EMITTER
from aiops_connect.platforms.markdown.text import block
from aiops_connect.printing import code
from tests.fixtures.documents import app_of, with_operation
from tests.fixtures.publisher import PUBLISHER

HOSTILE = [
    pytest.param("\"double\" and 'single'", id="quotes"),
    pytest.param("/* comment */ // and */", id="comments"),
    pytest.param("{{ 7 * 7 }} {% raw %} ${x} {{bundle.authData}}", id="templates"),
    pytest.param("=1+1", id="leading equals sign"),
    pytest.param("<script>alert(1)</script><!-- --> &amp; &lt;", id="HTML"),
    pytest.param("\u202eright to left\u202c \u200f \u2066x\u2069", id="right-to-left marks"),
    pytest.param("👩‍👩‍👧 emoji 🇩🇪", id="emoji"),
    pytest.param("``` fence ```` longer `tick`", id="backticks"),
    pytest.param("# no heading | no | table - no list > no quote [no](link) **no**", id="markdown"),
    pytest.param("\\n \\u0000 \\", id="backslashes"),
]


def rendered(app: ir.App) -> str:
    return EMITTER.emit(app, PUBLISHER).files[0].data.decode()


def texts(markdown: str) -> list[str]:
    """The content of each piece of code, as a reader of Markdown sees it; and what is there beside it."""
    found = []
    for token in MarkdownIt().parse(markdown):
        if token.type == "fence":
            found.append(token.content.removesuffix("\n"))
        found += [child.content for child in token.children or () if child.type == "code_inline"]
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_text_survives_unchanged(text: str) -> None:
    lines = f"{text}\n\n\t{text}\n```\n{text}"
    parameter = {
        "name": text,
        "in": "query",
        "description": lines,
        "schema": {"type": "string", "title": text, "default": text},
    }
    sheet = rendered(
        app_of(with_operation({"summary": text, "description": lines, "tags": [text], "parameters": [parameter]}))
    )
    seen = texts(sheet)
    assert seen.count(text) >= 4  # resource, operation, name and label of the input
    assert seen.count(lines) == 2
    assert text in sheet
    assert not any(
        token.type == "html_block" and "GENERATED" not in token.content for token in MarkdownIt().parse(sheet)
    )


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs"), include_characters="\n\t"), max_size=40))
def test_any_text_survives_in_a_block(text: str) -> None:
    shown = texts(block(text))
    assert shown == ([text.rstrip("\n")] if text.strip() else [])
    in_list = texts(f"- x\n\n{block(text, 2)}")
    assert in_list == shown


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40))
def test_any_text_survives_in_a_line(text: str) -> None:
    assert texts(code(text)) == ([text] if text.strip() else texts(code(text)))


def test_control_characters_are_shown_as_what_they_are() -> None:
    assert code("a\0b\x1b[31m\r") == "`a␀b␛[31m␍`"


EVERYTHING: dict[str, Any] = {
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^a", "format": "uri"},
        "choice": {"oneOf": [{"const": "a", "title": "First"}, {"const": "b"}], "default": "b"},
        "number": {"type": "number", "minimum": 0},
        "date": {"type": "string", "format": "date"},
        "file": {"type": "string", "contentEncoding": "base64"},
        "list": {"type": "array", "items": {"properties": {"inner": {"type": "boolean"}}}, "maxItems": 3},
        "shapes": {
            "oneOf": [{"type": "string"}, {"title": "Long", "properties": {"x": {"const": 1}}, "required": ["x"]}]
        },
        "any": {},
    },
    "required": ["text"],
}


def test_the_sheet_says_what_is_asked_for() -> None:
    body = {"content": {"application/json": {"schema": EVERYTHING}}}
    sheet = rendered(app_of(with_operation({"requestBody": body, "x-credits": 5})))
    for line in (
        "`act`: POST `/things`, answers with the result, 5 credits",
        "Inputs, sent as `application/json`:",
        "- `text`, `Text`: text, `uri`, 1 to 5 characters, like `^a`, required; in the body",
        '- `choice`, `Choice`: one of `"a"` (`First`), `"b"`, default `"b"`; in the body',
        "- `number`, `Number`: number, at least 0; in the body",
        "- `date`, `Date`: date; in the body",
        "- `file`, `File`: file in base 64; in the body",
        "- `list`, `List`: list of object, at most 3 items; in the body",
        "  - `inner`, `Inner`: yes or no",
        "- `shapes`, `Shapes`: one of several shapes; in the body",
        "  - `Long`: object",
        "    - `x`, `X`: always `1`, required",
        "- `any`, `Any`: JSON, since the document allows anything, can be null; in the body",
    ):
        assert f"\n{line}\n" in sheet, line


def test_half_characters_do_not_break_the_file() -> None:
    app = parse(with_operation({"summary": "a\ud800b"})).app
    assert app is not None
    assert "`a?b`" in rendered(app)
