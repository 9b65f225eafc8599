"""Lists that come in pages."""

from typing import Any

import pytest

from aiops_connect import ir
from tests.fixtures.documents import operation_of, with_operation

TEXT, WHOLE, FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
ITEM = {"type": "object", "properties": {"id": TEXT}}
LIST = {"type": "array", "items": ITEM}


def listing(answer: Any, headers: Any = None, **queries: Any) -> dict[str, Any]:
    parameters = [{"name": name, "in": "query", "schema": schema} for name, schema in queries.items()]
    response = {"description": "All.", "content": {"application/json": {"schema": answer}}, "headers": headers or {}}
    return with_operation({"parameters": parameters, "responses": {"200": response}}, method="get")


def page(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


PAGES: list[tuple[str, dict[str, Any], ir.Pagination | None]] = [
    ("no list", listing(page(a=TEXT), cursor=TEXT), None),
    ("a list that has one page", listing(LIST, q=TEXT), None),
    (
        "cursor",
        listing(page(data=LIST, next_cursor=TEXT), cursor=TEXT, limit=WHOLE),
        ir.Cursor("cursor", "/next_cursor", limit="limit", items="/data"),
    ),
    (
        "token",
        listing(page(files=LIST, nextPageToken=TEXT), pageToken=TEXT, pageSize=WHOLE),
        ir.Cursor("page_token", "/nextPageToken", limit="page_size", items="/files"),
    ),
    (
        "cursor within",
        listing(page(data=LIST, pagination=page(next_cursor=TEXT, has_more=FLAG)), cursor=TEXT),
        ir.Cursor("cursor", "/pagination/next_cursor", more="/pagination/has_more", items="/data"),
    ),
    (
        "last id",
        listing(page(data=LIST, last_id=TEXT, has_more=FLAG), after=TEXT, limit=WHOLE),
        ir.Cursor("after", "/last_id", more="/has_more", limit="limit", items="/data"),
    ),
    (
        "id of the last item",
        listing(page(data=LIST, has_more=FLAG), starting_after=TEXT, limit=WHOLE),
        ir.Cursor("starting_after", "/id", is_of_item=True, more="/has_more", limit="limit", items="/data"),
    ),
    ("offset", listing(LIST, offset=WHOLE, limit=WHOLE), ir.Offset("offset", "limit", "")),
    ("page", listing(page(items=LIST), page=WHOLE, per_page=WHOLE), ir.Page("page", 1, "per_page", "/items")),
    ("page from 0", listing(LIST, page={**WHOLE, "minimum": 0}), ir.Page("page", 0, None, "")),
    ("Link", listing(LIST, {"Link": {"schema": TEXT}}, per_page=WHOLE), ir.LinkHeader("per_page", "")),
    ("a cursor that leads nowhere", listing(page(data=LIST), cursor=TEXT), None),
]


@pytest.mark.parametrize(("tree", "expected"), [pytest.param(*row[1:], id=row[0]) for row in PAGES])
def test_pages_are_recognised(tree: dict[str, Any], expected: ir.Pagination | None) -> None:
    assert operation_of(tree).pagination == expected
