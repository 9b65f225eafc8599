"""What of a provider's answer is logged: why, and nothing that a caller wrote or is answered."""

import json
from typing import Any

import pytest

from aiops.http import ApiAnswer
from aiops.providers.reading import LOGGED_CHARACTERS, loggable

KEY = "sk-secretofthetests"
WRITTEN = "a heron under a violet moon"
BLANK = {"loc": ["body", "prompt"], "msg": "Too long.", "type": "string_too_long"}


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ({"detail": [{**BLANK, "input": WRITTEN, "ctx": {"value": WRITTEN}}]}, {"detail": [BLANK]}),
        (
            {"detail": "Not now.", "error_type": "startup_timeout", "prompt": WRITTEN},
            {"detail": "Not now.", "error_type": "startup_timeout"},
        ),
        (
            {"error": {"message": "No such voice.", "code": 400, "input": {"text": WRITTEN}}},
            {"error": {"message": "No such voice.", "code": 400}},
        ),
        ([{**BLANK, "input": WRITTEN}], [BLANK]),
        ({"images": [], "prompt": WRITTEN}, {}),
        ({"text": WRITTEN}, {}),
    ],
)
def test_why_and_nothing_that_was_written(said: Any, logged: Any) -> None:
    assert json.loads(loggable(ApiAnswer(422, {}, json.dumps(said).encode()), [KEY])) == logged


@pytest.mark.parametrize(("status", "logged"), [(502, "<html>Bad Gateway</html>"), (200, "")])
def test_what_is_not_json_is_a_gateways_page_or_a_result(status: int, logged: str) -> None:
    assert loggable(ApiAnswer(status, {}, b"<html>Bad Gateway</html>"), [KEY]) == logged


@pytest.mark.parametrize("body", [b"\xff" * 10_000, b'{"detail":' * 2_000 + b"1" + b"}" * 2_000, b'"' + b"a" * 10_000])
def test_whatever_is_said_it_is_short(body: bytes) -> None:
    assert len(loggable(ApiAnswer(500, {}, body), [KEY])) <= LOGGED_CHARACTERS


@pytest.mark.parametrize("fill", range(LOGGED_CHARACTERS - len(KEY) - 20, LOGGED_CHARACTERS, 7))
@pytest.mark.parametrize("form", ['{{"detail": "{}"}}', "{}"])
def test_no_part_of_a_key_is_logged(fill: int, form: str) -> None:
    body = form.format(f"{KEY}{' ' * fill}{KEY} is no key of ours").encode()
    assert KEY[:4] not in loggable(ApiAnswer(401, {}, body), [KEY])


@pytest.mark.parametrize("escape", [r"\/", r"\u002f", r"\u002F"])
@pytest.mark.parametrize("form", ['{{"detail": "{}"}}', '["{}"]', 'error: "{}"'])
def test_a_key_is_not_logged_however_it_is_escaped(escape: str, form: str) -> None:
    body = form.format("id:ab" + escape + r"cd\u002b\"\\").encode()
    logged = loggable(ApiAnswer(401, {}, body), ['id:ab/cd+"\\'])
    assert "…" in logged
    assert "ab" not in logged


def test_a_key_is_not_logged_in_another_encoding() -> None:
    assert KEY not in loggable(ApiAnswer(401, {}, json.dumps({"detail": KEY}).encode("utf-16")), [KEY])
