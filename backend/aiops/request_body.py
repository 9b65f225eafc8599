"""The body of a request, read within bounds of size and time."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from aiops.errors import MalformedRequestError, RequestTooLargeError

BODY_SECONDS_MAX = 30


async def read_body(request: Request, bytes_max: int, what: str = "body") -> bytes:
    """The body, no larger than is taken and no slower; `what` it is, to whoever sends it.

    Raises:
        RequestTooLargeError: it is, or is announced to be.
        MalformedRequestError: it did not arrive whole, or not in time.
    """
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > bytes_max:
        raise RequestTooLargeError(bytes_max, what)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for piece in request.stream():
                body += piece
                if len(body) > bytes_max:
                    raise RequestTooLargeError(bytes_max, what)
    except TimeoutError:
        raise MalformedRequestError(f"The {what} did not arrive in time.") from None
    except ClientDisconnect:
        raise MalformedRequestError(f"The {what} did not arrive whole.") from None
    return bytes(body)
