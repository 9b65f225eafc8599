"""What a person has typed into a form, and what is wrong with it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

FORM_BYTES_MAX = 65_536
FORM_SECONDS_MAX = 30
FIELDS_MAX = 50
FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Form:
    """`errors` are sentences by the name of the field; those of no field stand under the empty name."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def error(self, name: str) -> str | None:
        return self.errors.get(name)


class FormTooLargeError(Exception):
    """More was sent than any of our forms has."""


class MalformedFormError(Exception):
    """What was sent is not what a browser sends of our forms."""


async def read_form(request: Request) -> Form:
    """The fields of a form that was sent. Browsers write line breaks as CRLF; here they are what was typed.

    Raises:
        FormTooLargeError: its size is not announced, or too large.
        MalformedFormError: it cannot be read, or did not arrive in time.
    """
    announced = request.headers.get("content-length", "")
    if not announced.isdecimal() or int(announced) > FORM_BYTES_MAX:
        raise FormTooLargeError
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise MalformedFormError
    try:
        async with asyncio.timeout(FORM_SECONDS_MAX), request.form(max_fields=FIELDS_MAX) as sent:
            values = {name: value.replace("\r\n", "\n") for name, value in sent.items() if isinstance(value, str)}
    except (HTTPException, ClientDisconnect, TimeoutError):
        raise MalformedFormError from None
    if any("\0" in text for text in (*values, *values.values())):  # PostgreSQL takes none
        raise MalformedFormError
    return Form(values)
