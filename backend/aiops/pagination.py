"""Pages of lists, by an opaque cursor that says after which row to read on."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from aiops.errors import InvalidInputError

R = TypeVar("R")

_ROW_NUMBER = TypeAdapter(int)
_MOMENT_AND_ID = TypeAdapter(tuple[datetime, str])
ROW_NUMBER_MAX = 2**63 - 1  # a BIGINT


def page(rows: Sequence[R], limit: int) -> tuple[Sequence[R], R | None]:
    """Of `limit + 1` rows those of this page, and the last of them where another page follows."""
    return rows[:limit], rows[limit - 1] if len(rows) > limit else None


def encode_cursor(position: object) -> str:
    """A cursor for a position that JSON can write."""
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_row_number(cursor: str) -> int:
    """The row number in a cursor. Raises InvalidInputError where it is not one of ours."""
    number = _decode(cursor, _ROW_NUMBER)
    if not 0 <= number <= ROW_NUMBER_MAX:
        raise _not_ours()
    return number


def decode_moment_and_id(cursor: str) -> tuple[datetime, str]:
    """The moment and id in a cursor. Raises InvalidInputError where it is not one of ours."""
    moment, row_id = _decode(cursor, _MOMENT_AND_ID)
    if moment.tzinfo is None or not row_id.isascii() or not row_id.isprintable():
        raise _not_ours()
    try:
        return moment.astimezone(UTC), row_id
    except OverflowError:
        raise _not_ours() from None


def _decode(cursor: str, form: TypeAdapter[R]) -> R:
    try:
        raw = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        return form.validate_json(raw, strict=False)
    except (binascii.Error, ValueError, ValidationError):
        raise _not_ours() from None


def _not_ours() -> InvalidInputError:
    return InvalidInputError([("cursor", "Input should be the next_cursor of the page before")])
