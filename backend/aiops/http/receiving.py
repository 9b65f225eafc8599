"""A body as it comes over the wire, bounded in size and in the number of its pieces."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx

from aiops.http.decoding import decoder_for
from aiops.http.errors import FetchError, TooLargeError

PIECE_BYTES = 262_144

# Each piece costs time whatever its size, and a server chooses the size: below this, on average, it wants to keep us
# busy rather than to send a file.
PIECE_SIZE_MIN_BYTES = 16
PIECES_FREE = 4096


async def decoded(response: httpx.Response, size_max_bytes: int) -> AsyncGenerator[bytes]:
    """The body, decoded, in pieces worth writing; `size_max_bytes` holds for what comes and for what it decodes to.

    Raises `FetchError`, of it `TooLargeError`, and what httpx raises where the server breaks off.
    """
    _check_size(_announced_bytes(response), size_max_bytes)
    decoder = decoder_for(response.headers.get("content-encoding", ""))
    size_bytes = 0
    async with aclosing(_received(response, size_max_bytes)) as body:
        async for encoded in body:
            for piece in decoder.decode(encoded):
                size_bytes += len(piece)
                _check_size(size_bytes, size_max_bytes)
                yield piece
    decoder.finish()


async def _received(response: httpx.Response, size_max_bytes: int) -> AsyncGenerator[bytes]:
    size_bytes = 0
    pieces = 0
    buffer = bytearray()
    async for piece in response.aiter_raw():
        size_bytes += len(piece)
        pieces += 1
        _check_size(size_bytes, size_max_bytes)
        if pieces > PIECES_FREE + size_bytes // PIECE_SIZE_MIN_BYTES:
            raise FetchError("The server of the URL sends the file in pieces that are too small.")
        buffer += piece
        if len(buffer) >= PIECE_BYTES:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)


def _announced_bytes(response: httpx.Response) -> int:
    return int(response.headers.get("content-length", "0"))


def _check_size(size_bytes: int, size_max_bytes: int) -> None:
    if size_bytes > size_max_bytes:
        raise TooLargeError(f"The file is larger than {size_max_bytes} bytes.")
