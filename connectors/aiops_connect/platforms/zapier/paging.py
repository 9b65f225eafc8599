"""How the runtime part goes from page to page."""

from typing import Any, assert_never

from aiops_connect import ir


def paging(pagination: ir.Pagination | None) -> dict[str, Any] | None:
    match pagination:
        case None:
            return None
        case ir.Cursor():
            made: dict[str, Any] = {"kind": "cursor", "field": pagination.field, "next": pagination.next}
            if pagination.is_of_item:
                made["ofItem"] = True
            return made | ({"more": pagination.more} if pagination.more is not None else {})
        case ir.Offset(field=field):
            return {"kind": "offset", "field": field}
        case ir.Page(field=field, first=first):
            return {"kind": "page", "field": field, "first": first}
        case ir.Link(next=following):
            return {"kind": "link"} | ({"next": following} if following is not None else {})
        case _:
            assert_never(pagination)
