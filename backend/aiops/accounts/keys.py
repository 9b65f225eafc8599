"""API keys: `aiops_sk_`, 30 random characters and a checksum of 6, all base 62.

The checksum lets secret scanners recognise a leaked key.
The database keeps the SHA-256 only; the entropy (178 bits) makes a slow hash unnecessary.
"""

import hashlib
import secrets
import string
import zlib

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX = "aiops_sk_"
ENTROPY_LENGTH = 30
CHECKSUM_LENGTH = 6
SHOWN_LENGTH = len(PREFIX) + 4
LENGTH = len(PREFIX) + ENTROPY_LENGTH + CHECKSUM_LENGTH


def new_key() -> str:
    """A key nobody has had."""
    body = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(ENTROPY_LENGTH))
    return body + _checksum(body)


def digest(key: str) -> str:
    """What the database knows the key by. Of what is too long to be one, only the beginning is hashed, and it stays too
    long to be one."""
    return hashlib.sha256(key[: LENGTH + 1].encode()).hexdigest()


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
