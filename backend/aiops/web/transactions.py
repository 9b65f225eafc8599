"""The account's credits: every change of them, by type, and all of them as CSV."""

import csv
import io
from collections.abc import AsyncIterator, Iterable

from starlette.responses import Response, StreamingResponse

from aiops.errors import InvalidInputError
from aiops.jobs.listing import TRANSACTION_TYPES, list_entries
from aiops.jobs.presentation import present_entry
from aiops.web.visits import PageError, Visit

PAGE_SIZE = 50
CSV_PAGE_SIZE = 1000
COLUMNS = ("created_at", "id", "type", "amount", "balance_after", "job_id", "description")
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


async def show(visit: Visit) -> Response:
    query = visit.request.query_params
    chosen, cursor = query.get("type", ""), query.get("cursor")
    async with visit.runtime.database.read() as session:
        try:
            entries, next_cursor = await list_entries(session, visit.account.id, PAGE_SIZE, cursor, _kinds(chosen))
        except InvalidInputError:
            raise PageError(404, "There is no such page", "Begin with the newest transactions.") from None
    return visit.render(
        "transactions.html",
        transactions=[present_entry(entry) for entry in entries],
        next_cursor=next_cursor,
        chosen=chosen,
        types=list(TRANSACTION_TYPES.values()),
    )


async def download(visit: Visit) -> Response:
    kinds = _kinds(visit.request.query_params.get("type", ""))
    headers = {"Content-Disposition": 'attachment; filename="aiops-transactions.csv"'}
    return StreamingResponse(_rows(visit, kinds), media_type="text/csv; charset=utf-8", headers=headers)


async def _rows(visit: Visit, kinds: list[str]) -> AsyncIterator[str]:
    """Read in pages: no connection is kept while a slow reader takes its time."""
    yield _line(COLUMNS)
    cursor: str | None = None
    while True:
        async with visit.runtime.database.read() as session:
            entries, cursor = await list_entries(session, visit.account.id, CSV_PAGE_SIZE, cursor, kinds)
        shown = [present_entry(entry).model_dump(mode="json") for entry in entries]
        yield "".join(_line([one[name] for name in COLUMNS]) for one in shown)
        if cursor is None:
            return


def _line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_inert(value) for value in values])
    return text.getvalue()


def _inert(value: object) -> object:
    """A text that a spreadsheet would take for a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_BEGINS) else value


def _kinds(chosen: str) -> list[str]:
    """The kinds of entries of a type; all, where it is none of ours."""
    return [kind for kind, type_ in TRANSACTION_TYPES.items() if type_ == chosen] or list(TRANSACTION_TYPES)
