"""Lists that come in pages, recognised by how they are commonly made."""

from collections.abc import Callable, Iterable, Sequence

from aiops_connect import ir
from aiops_connect.naming import words
from aiops_connect.pointers import escape

_CURSORS = (
    "cursor",
    "page token",
    "next token",
    "next page token",
    "continuation token",
    "starting after",
    "after",
    "next cursor",
    "pagination token",
)
_NEXT = (
    "next cursor",
    "next page token",
    "next token",
    "cursor",
    "next",
    "after",
    "continuation token",
    "end cursor",
    "pagination token",
    "next page",
    "last id",
)
_ADDRESSES = ("next", "next page", "next url", "next link", "next page url", "next href", "href")
_MORE = ("has more", "has next", "has next page", "more")
_OFFSETS = ("offset", "skip", "start", "start index")
_PAGES = ("page", "page number", "page index", "p")
_LIMITS = ("limit", "page size", "per page", "max results", "count", "size", "take", "page limit", "top")
_NESTED = ("pagination", "meta", "paging", "page info", "links", "cursor", "page", "metadata", "response metadata")


def pagination(inputs: Sequence[ir.Field], answer: ir.Answer | None, headers: Iterable[str]) -> ir.Pagination | None:
    """How the next page is asked for; None where the answer is no list, or nothing is recognised."""
    if answer is None or answer.type is None:
        return None
    items = items_of(answer.type)
    if items is None:
        return None
    queries = [field for field in inputs if field.location in (ir.Location.QUERY, ir.Location.BODY)]
    limit = _named(queries, _LIMITS, (ir.Integer, ir.Number, ir.Text))
    limit_id = limit.id if limit is not None else None
    if "link" in headers:
        return ir.Link(None, limit_id, items)
    address = _find(answer.type, _ADDRESSES, (ir.Text,), accepts=_is_address)
    if address is not None:
        return ir.Link(address, limit_id, items)
    cursor = _named(queries, _CURSORS, (ir.Text, ir.Union, ir.AnyJson, ir.Integer))
    if cursor is not None and (found := _cursor(cursor, answer.type, items, limit_id)) is not None:
        return found
    offset = _named(queries, _OFFSETS, (ir.Integer, ir.Number))
    if offset is not None:
        return ir.Offset(offset.id, limit_id, items)
    page = _named(queries, _PAGES, (ir.Integer, ir.Number))
    if page is not None:
        return ir.Page(page.id, _first_page(page), limit_id, items)
    return None


def items_of(type_: ir.FieldType) -> ir.Pointer | None:
    """Where the list of an answer stands: the answer itself, or its one list of objects, or the one called data, items,
    results or after nothing else but lists."""
    match type_:
        case ir.Array():
            return ""
        case ir.Group(fields):
            lists = [field for field in fields if isinstance(field.type, ir.Array)]
            objects = [
                field
                for field in lists
                if isinstance(field.type, ir.Array) and isinstance(field.type.item, ir.Group | ir.Union)
            ]
            for candidates in (objects, lists):
                named = [
                    one
                    for one in candidates
                    if one.name.lower() in ("data", "items", "results", "records", "entries", "value")
                ]
                if named:
                    return f"/{named[0].name}"
                if len(candidates) == 1:
                    return f"/{escape(candidates[0].name)}"
    return None


def _cursor(field: ir.Field, answer: ir.FieldType, items: ir.Pointer, limit: str | None) -> ir.Cursor | None:
    following = _find(answer, _NEXT, (ir.Text, ir.Union, ir.AnyJson, ir.Integer))
    more = _find(answer, _MORE, (ir.Boolean,))
    if following is not None:
        return ir.Cursor(field.id, following, more=more, limit=limit, items=items)
    item = _item(answer, items)
    if more is not None and isinstance(item, ir.Group) and any(one.name == "id" for one in item.fields):
        return ir.Cursor(field.id, "/id", is_of_item=True, more=more, limit=limit, items=items)
    return None


def _is_address(field: ir.Field) -> bool:
    """Whether a text is said to be an address: many call the next page so, and mean its number or a cursor."""
    said = {"url", "urls", "uri", "link", "address"} & set(words(field.help))
    return isinstance(field.type, ir.Text) and (field.type.format in ("uri", "url", "uri-reference") or bool(said))


def _find(
    type_: ir.FieldType,
    names: Sequence[str],
    kinds: tuple[type, ...],
    *,
    accepts: Callable[[ir.Field], bool] = lambda _: True,
    is_within: bool = False,
) -> ir.Pointer | None:
    """Where a member of one of these names stands, also in an object that is about pages."""
    if not isinstance(type_, ir.Group):
        return None
    field = _named((one for one in type_.fields if accepts(one)), names, kinds)
    if field is not None:
        return f"/{escape(field.name)}"
    if not is_within:
        for one in type_.fields:
            if (
                " ".join(words(one.name)) in _NESTED
                and (below := _find(one.type, names, kinds, accepts=accepts, is_within=True)) is not None
            ):
                return f"/{escape(one.name)}{below}"
    return None


def _item(answer: ir.FieldType, items: ir.Pointer) -> ir.FieldType | None:
    match answer:
        case ir.Array(item):
            return item
        case ir.Group(fields):
            for field in fields:
                if f"/{escape(field.name)}" == items and isinstance(field.type, ir.Array):
                    return field.type.item
    return None


def _named(fields: Iterable[ir.Field], names: Sequence[str], kinds: tuple[type, ...]) -> ir.Field | None:
    """The field that has the first of these names, however it is written."""
    by_name = {" ".join(words(field.name)): field for field in fields if isinstance(field.type, kinds)}
    return next((by_name[name] for name in names if name in by_name), None)


def _first_page(field: ir.Field) -> int:
    """Pages are counted from 0 where 0 is what is taken or allowed."""
    if field.default == 0:
        return 0
    return 0 if isinstance(field.type, ir.Integer) and field.type.minimum == 0 and field.default is ir.MISSING else 1
