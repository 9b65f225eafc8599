"""The form by itself; tests/operations/test_upload_file.py sends it over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import ApiError, InvalidInputError, MalformedRequestError
from aiops.uploads.form import FileForm, boundary_of
from tests.fixtures.forms import BOUNDARY, form, part

CONTENT = b"\r\n--edg\r\n--\r\n\r\r\n-" + bytes(range(256))


def read(
    body: bytes, pieces: Callable[[bytes], Iterator[bytes]] = lambda body: iter([body])
) -> tuple[str | None, bytes]:
    """The name and the content of the file in a body."""
    content = bytearray()
    reader = FileForm(BOUNDARY, content.extend)
    for piece in pieces(body):
        reader.feed(piece)
    reader.finish()
    return reader.name, bytes(content)


@given(st.binary(max_size=500), st.lists(st.integers(1, 40)))
def test_any_content_comes_out_as_it_went_in_however_it_is_cut(content: bytes, lengths: list[int]) -> None:
    def pieces(body: bytes) -> Iterator[bytes]:
        for length in lengths:
            yield body[:length]
            body = body[length:]
        yield body

    for data in (content, CONTENT + content, content + CONTENT):
        assert read(form(part(content=data)), pieces) == ("recording.m4a", data)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        pytest.param(form(part(content=CONTENT)), "recording.m4a", id="as everybody sends it"),
        pytest.param(b"\r\n" + form(part(content=CONTENT)), "recording.m4a", id="an empty line before it"),
        pytest.param(form(part(content=CONTENT)) + b"an epilogue", "recording.m4a", id="something behind it"),
        pytest.param(form(part(content=CONTENT))[:-2], "recording.m4a", id="no line end at the end"),
        pytest.param(form(part(b'form-data; name="file"', content=CONTENT)), None, id="no name"),
        pytest.param(form(part(b"form-data; name=file; filename=a.mp3", content=CONTENT)), "a.mp3", id="no quotes"),
        pytest.param(
            form(part(b'form-data; name="file"; filename="a;b\\"c.mp3"', content=CONTENT)), 'a;b"c.mp3', id="escaped"
        ),
        pytest.param(
            form(part('form-data; name="file"; filename="größe.mp3"'.encode(), content=CONTENT)),
            "größe.mp3",
            id="UTF-8",
        ),
        pytest.param(
            form(part(b'form-data; name="file"; filename="\xff.mp3"', content=CONTENT)), "\ufffd.mp3", id="not UTF-8"
        ),
        pytest.param(
            form(part(None, b"CONTENT-DISPOSITION: form-data; name=file", b"X: y", content=CONTENT)),
            None,
            id="capitals",
        ),
    ],
)
def test_a_form_that_is_taken(body: bytes, name: str | None) -> None:
    assert read(body) == (name, CONTENT)
    assert read(body, lambda body: (body[i : i + 1] for i in range(len(body)))) == (name, CONTENT)


FILE = part(content=b"x")
INVALID: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "no part": (form(), [("file", "Field required")]),
    "another part": (form(part(b'form-data; name="audio"')), [("audio", "Extra inputs are not permitted")]),
    "a part too many": (
        form(FILE, part(b'form-data; name="language"')),
        [("language", "Extra inputs are not permitted")],
    ),
    "two files": (form(FILE, FILE), [("file", "Send one file at a time")]),
    "another case": (form(part(b'form-data; name="File"')), [("File", "Extra inputs are not permitted")]),
    "no letters": (form(part(b'form-data; name=""')), [("", "Extra inputs are not permitted")]),
}


@pytest.mark.parametrize(("body", "details"), INVALID.values(), ids=INVALID)
def test_a_form_with_something_else_is_invalid_input(body: bytes, details: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read(body)
    assert [(one["field"], one["message"]) for one in refused.value.body["details"]] == details


WHOLE = form(part(content=CONTENT))
MALFORMED = {
    "nothing": b"",
    "only line ends": b"\r\n\r\n",
    "another boundary": WHOLE.replace(BOUNDARY, b"another"),
    "another boundary at the end": WHOLE.replace(BOUNDARY + b"--", b"another--"),
    "no boundary": b"just some text",
    "JSON": b'{"file": "x"}',
    "cut off in the boundary": WHOLE[:4],
    "cut off in the headers": WHOLE[:30],
    "cut off in the content": WHOLE[:200],
    "cut off before the end": WHOLE[: -len(BOUNDARY) - 8],
    "one dash too few": WHOLE.rstrip(b"\r\n")[:-1],
    "lines that end in CR": WHOLE.replace(b"\r\n", b"\r"),
    "lines that end in LF": form(part(content=b"x")).replace(b"\r\n", b"\n"),
    "no disposition": form(part(None)),
    "an attachment": form(part(b'attachment; name="file"')),
    "no field": form(part(b"form-data")),
    "headers without end": form(part(None, *[b"X-%d: y" % number for number in range(100)])),
    "a long header": form(part(None, b"X: " + b"y" * 10_000)),
    "a long name of a header": form(part(None, b"X" * 10_000 + b": y")),
    "a header that is none": form(part(None, b"no colon")),
    "a space in a header's name": form(part(None, b"Content Disposition: form-data; name=file")),
    "a folded header": form(part(None, b"Content-Disposition: form-data;", b' name="file"')),
    "a form in the form": form(
        part(None, b"Content-Type: multipart/mixed; boundary=inner", content=b"--inner\r\n\r\nx\r\n--inner--\r\n")
    ),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_form_is_malformed(body: bytes) -> None:
    for pieces in (lambda body: iter([body]), lambda body: (body[i : i + 1] for i in range(len(body)))):
        with pytest.raises(MalformedRequestError):
            read(body, pieces)


@given(st.binary(max_size=300))
def test_whatever_is_sent_is_taken_or_refused(noise: bytes) -> None:
    for body in (noise, b"--" + BOUNDARY + b"\r\n" + noise, form(part(content=b"x"))[:-20] + noise):
        with suppress(InvalidInputError, MalformedRequestError):
            read(body)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("multipart/form-data; boundary=edge", b"edge"),
        ('Multipart/Form-Data; charset=utf-8; Boundary="an edge"', b"an edge"),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ('multipart/form-data; boundary=""', 400),
        (f"multipart/form-data; boundary={'x' * 201}", 400),
        ("multipart/mixed; boundary=edge", 415),
        ("application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("audio/mpeg", 415),
        ("", 415),
        (";;;=;", 415),
    ],
)
def test_the_boundary_is_read_from_the_content_type(content_type: str, expected: Any) -> None:
    if isinstance(expected, bytes):
        assert boundary_of(content_type) == expected
        return
    with pytest.raises(ApiError) as refused:
        boundary_of(content_type)
    assert refused.value.status == expected
