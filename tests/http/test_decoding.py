import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.http.decoding import DECODED_PIECE_SIZE_MAX_BYTES, decoder_for
from aiops.http.errors import FetchError


def decode(content_encoding: str, encoded: bytes, step: int = 1 << 30) -> list[bytes]:
    decoder = decoder_for(content_encoding)
    pieces = [
        piece for start in range(0, len(encoded), step) for piece in decoder.decode(encoded[start : start + step])
    ]
    decoder.finish()
    return pieces


@given(st.binary(max_size=2000), st.integers(1, 400))
def test_what_was_compressed_comes_back_however_it_is_cut(data: bytes, step: int) -> None:
    assert b"".join(decode("gzip", gzip.compress(data), step)) == data
    assert b"".join(decode("deflate", zlib.compress(data), step)) == data


@pytest.mark.parametrize("content_encoding", ["", "identity", " Identity "])
def test_identity_changes_nothing(content_encoding: str) -> None:
    assert b"".join(decode(content_encoding, b"abc")) == b"abc"


@pytest.mark.parametrize("surplus", [-1, 0, 1, DECODED_PIECE_SIZE_MAX_BYTES])
def test_a_bomb_comes_in_pieces_of_bounded_size_and_whole(surplus: int) -> None:
    size = 40 * DECODED_PIECE_SIZE_MAX_BYTES + surplus
    pieces = decode("X-GZip", gzip.compress(bytes(size)))
    assert max(map(len, pieces)) == DECODED_PIECE_SIZE_MAX_BYTES
    assert sum(map(len, pieces)) == size


@pytest.mark.parametrize("content_encoding", ["br", "zstd", "gzip, gzip", "identity, gzip", "compress", "\x00"])
def test_other_encodings_fail(content_encoding: str) -> None:
    with pytest.raises(FetchError):
        decoder_for(content_encoding)


WHOLE = gzip.compress(b"audio" * 100)
BROKEN = {
    "not_compressed": b"RIFF plain",
    "empty": b"",
    "truncated": WHOLE[:-1],
    "wrong_checksum": WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:],
    "trailing_bytes": WHOLE + b"x",
    "second_member": WHOLE + WHOLE,
}


@pytest.mark.parametrize("step", [1, 7, 1 << 30])
@pytest.mark.parametrize("encoded", BROKEN.values(), ids=BROKEN.keys())
def test_broken_bodies_fail_however_they_are_cut(encoded: bytes, step: int) -> None:
    with pytest.raises(FetchError):
        decode("gzip", encoded, step)
