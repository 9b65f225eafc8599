"""Content-Encoding, decoded in pieces of bounded size.

We ask for `identity`, but what is stored compressed comes compressed. httpx decodes a piece whole, which a bomb
turns into a thousand times its size in memory before anyone can count.
"""

import zlib
from collections.abc import Iterator
from typing import Protocol

from aiops.http.errors import FetchError

DECODED_PIECE_SIZE_MAX_BYTES = 262_144

_UNDECODABLE = "The file could not be decoded as its server declares it."


class Decoder(Protocol):
    """Both methods raise `FetchError` on what is not in the declared encoding."""

    def decode(self, encoded: bytes) -> Iterator[bytes]: ...

    def finish(self) -> None:
        """To be called at the end of the body."""


def decoder_for(content_encoding: str) -> Decoder:
    """A new decoder for the value of that header. Raises `FetchError` on any but gzip, deflate and identity."""
    match content_encoding.strip().lower():
        case "" | "identity":
            return _Identity()
        case "gzip" | "x-gzip" | "deflate":
            return _Inflate()
        case _:
            raise FetchError("The file is in a content encoding that is not supported.")


class _Identity:
    def decode(self, encoded: bytes) -> Iterator[bytes]:
        yield encoded

    def finish(self) -> None:
        pass


class _Inflate:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by the first bytes

    def decode(self, encoded: bytes) -> Iterator[bytes]:
        while True:
            if self._stream.eof and encoded:
                raise FetchError(_UNDECODABLE)
            try:
                piece = self._stream.decompress(encoded, DECODED_PIECE_SIZE_MAX_BYTES)
            except zlib.error as error:
                raise FetchError(_UNDECODABLE) from error
            yield piece
            encoded = self._stream.unconsumed_tail or self._stream.unused_data
            if not encoded and len(piece) < DECODED_PIECE_SIZE_MAX_BYTES:
                return

    def finish(self) -> None:
        if not self._stream.eof:
            raise FetchError(_UNDECODABLE)
