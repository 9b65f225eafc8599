"""Searches of lists that come in pages: on to the page where it is found, and no further than a step may go."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aiops_connect.platforms.zapier.emitter import EMITTER
from aiops_connect.writer import write
from tests.connectors.openapi.test_jobs_and_triggers import combined
from tests.connectors.openapi.test_pagination import ITEM, LIST, TEXT, WHOLE, listing, page
from tests.connectors.platforms.zapier.app_in_core import APP, App, running_app
from tests.connectors.platforms.zapier.test_errors import answer
from tests.fixtures.documents import OK, app_of, with_operation
from tests.fixtures.publisher import PUBLISHER
from tests.fixtures.web import Answer, WebServer, serving

SEARCH = "searches.find_things.operation.perform"
LINKED = {"Link": {"schema": TEXT}}


@asynccontextmanager
async def searching(
    tree: dict[str, Any], folder: Path, *answers: bytes | Answer
) -> AsyncIterator[tuple[App, WebServer]]:
    """The app of a document with one list, and its API."""
    tree["paths"]["/things"]["get"]["summary"] = "List things"
    async with served(tree, folder, *answers) as found:
        yield found


@asynccontextmanager
async def served(tree: dict[str, Any], folder: Path, *answers: bytes | Answer) -> AsyncIterator[tuple[App, WebServer]]:
    """The app of a document, and its API."""
    write(folder, EMITTER.emit(app_of({**tree, "servers": [{"url": "/"}]}), PUBLISHER).files)
    (folder / "node_modules").symlink_to(APP / "node_modules")
    variable = json.loads((folder / "settings.json").read_text())["baseUrlVariable"]
    async with serving(*answers) as api, running_app(folder, {}, **{variable: f"http://{api.authority}"}) as app:
        yield app, api


def targets(api: WebServer) -> list[str]:
    return [head.decode().split(" ")[1] for head in api.requests]


A, B, C = {"id": "a"}, {"id": "b"}, {"id": "c"}


@pytest.mark.parametrize(
    ("tree", "answers", "asked"),
    [
        pytest.param(
            listing(page(data=LIST, next_cursor=TEXT), cursor=TEXT, limit=WHOLE),
            [answer(200, {"data": [A], "next_cursor": "p 2"}), answer(200, {"data": [B, C], "next_cursor": None})],
            ["/things", "/things?cursor=p%202"],
            id="cursor",
        ),
        pytest.param(
            listing(page(data=LIST, has_more={"type": "boolean"}), starting_after=TEXT),
            [answer(200, {"data": [A], "has_more": True}), answer(200, {"data": [B, C], "has_more": False})],
            ["/things", "/things?starting_after=a"],
            id="id of the last item",
        ),
        pytest.param(
            listing(LIST, offset=WHOLE, limit=WHOLE),
            [answer(200, [A, A]), answer(200, [B, C])],
            ["/things", "/things?offset=2"],
            id="offset",
        ),
        pytest.param(
            listing(page(items=LIST), page=WHOLE, per_page=WHOLE),
            [answer(200, {"items": [A]}), answer(200, {"items": [B]})],
            ["/things?page=1", "/things?page=2"],
            id="page",
        ),
        pytest.param(
            listing(LIST, LINKED),
            [answer(200, [A], 'Link: </things?after=a>; rel="next"'), answer(200, [B])],
            ["/things", "/things?after=a"],
            id="Link",
        ),
    ],
)
async def test_a_search_goes_on_until_it_finds(
    tree: Any, answers: list[bytes], asked: list[str], tmp_path: Path
) -> None:
    async with searching(tree, tmp_path, *answers) as (app, api):
        found = await app.run(SEARCH, {"id": "B"})
        assert found.results == [B], found
        assert targets(api) == asked


CURSOR = listing(page(data=LIST, next_cursor=TEXT), cursor=TEXT, limit=WHOLE)
ENDLESS = answer(200, {"data": [A], "next_cursor": "more"})
LAST = answer(200, {"data": [A], "next_cursor": None})


async def test_a_search_for_anything_takes_what_is_first(tmp_path: Path) -> None:
    async with searching(CURSOR, tmp_path, ENDLESS) as (app, api):
        assert (await app.run(SEARCH, {"limit": 1})).results == [A]
        assert targets(api) == ["/things?limit=1"]


async def test_what_is_on_no_page_is_not_found(tmp_path: Path) -> None:
    async with searching(CURSOR, tmp_path, ENDLESS, ENDLESS, LAST) as (app, api):
        assert (await app.run(SEARCH, {"id": "b"})).results == []
        assert len(api.requests) == 3


async def test_a_list_without_an_end_is_not_said_to_have_been_searched(tmp_path: Path) -> None:
    async with searching(CURSOR, tmp_path, ENDLESS) as (app, api):
        found = await app.run(SEARCH, {"id": "b"})
        assert found.error == "HaltedError"
        assert found.message.startswith("The list is longer than a step can look through")
        assert len(api.requests) == 20


ONE = with_operation(
    {
        "responses": {
            "200": {"description": "It.", "content": {"application/json": {"schema": ITEM}}},
            "204": {"description": "Nothing."},
        }
    },
    method="get",
)
NO_CONTENT = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("nothing", [NO_CONTENT, answer(200, b""), answer(200, None)], ids=["204", "no body", "null"])
@pytest.mark.parametrize("tree", [ONE, listing(LIST, q=TEXT), CURSOR], ids=["one", "list", "pages"])
async def test_an_answer_without_content_is_nothing_found(tree: Any, nothing: bytes, tmp_path: Path) -> None:
    async with searching(tree, tmp_path, nothing) as (app, api):
        found = await app.run(SEARCH)
        assert (found.results, found.error) == ([], "")
        assert len(api.requests) == 1


async def test_a_list_to_choose_from_is_empty_where_nothing_comes_back(tmp_path: Path) -> None:
    choice = {**TEXT, "x-connector-options": {"operationId": "act", "value": "/id"}}
    chosen = {"name": "id", "in": "query", "schema": choice}
    tree = listing(LIST)
    tree["paths"]["/picks"] = {"post": {"operationId": "pick", "parameters": [chosen], "responses": OK}}
    async with searching(tree, tmp_path, NO_CONTENT) as (app, _):
        found = await app.run("triggers.act.operation.perform")
        assert (found.results, found.error) == ([], "")


async def test_a_hook_lists_nothing_where_nothing_comes_back(tmp_path: Path) -> None:
    async with served(combined(), tmp_path, NO_CONTENT) as (app, _):
        found = await app.run("triggers.changed.operation.performList")
        assert (found.results, found.error) == ([], "")


async def test_a_page_of_another_host_is_not_asked(tmp_path: Path) -> None:
    elsewhere = answer(200, [A], 'Link: <http://127.0.0.1:1/things>; rel="next"')
    async with searching(listing(LIST, LINKED), tmp_path, elsewhere) as (app, api):
        found = await app.run(SEARCH, {"id": "b"})
        assert found.message == "The next page is at another host, which is not asked."
        assert len(api.requests) == 1
