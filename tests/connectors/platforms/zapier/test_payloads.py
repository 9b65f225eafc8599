"""What is posted to Zapier by other people's APIs, as Zapier hands it on: the body itself, or a whole request."""

from pathlib import Path
from typing import Any

import pytest

from tests.connectors.platforms.zapier.app_in_core import running_app
from tests.connectors.platforms.zapier.test_documents import rendered
from tests.connectors.platforms.zapier.test_golden import THINGS

EVENT = {"type": "thing.made", "data": {"id": "thing_1"}}
REQUEST = {"method": "POST", "headers": {"Http-Host": "hooks.example"}, "querystring": {"a": "1"}}


@pytest.mark.parametrize(
    ("cleaned", "delivered"),
    [
        ({**EVENT, "querystring": {}}, [EVENT]),
        ({**REQUEST, "content": EVENT}, [EVENT]),
        ({**EVENT, "content": "hello", "querystring": {}}, [{**EVENT, "content": "hello"}]),
        ({**EVENT, "content": {"text": "hello"}, "querystring": {}}, [{**EVENT, "content": {"text": "hello"}}]),
        ({**EVENT, "content": [], "headers": {}}, [{**EVENT, "content": [], "headers": {}}]),
        (
            {**REQUEST, "content": {**EVENT, "content": "hello", "querystring": "b"}},
            [{**EVENT, "content": "hello", "querystring": "b"}],
        ),
        ([EVENT, {**EVENT, "type": "another"}, EVENT], [EVENT, EVENT]),
        ({"content": EVENT}, []),
        (None, []),
    ],
)
async def test_a_delivery_is_what_was_posted(cleaned: Any, delivered: list[dict[str, Any]], tmp_path: Path) -> None:
    rendered(THINGS, tmp_path, "http://127.0.0.1:1")
    async with running_app(tmp_path, {}) as app:
        found = await app.run("triggers.thing_changed.operation.perform", cleanedRequest=cleaned)
    assert found.results == delivered, found
