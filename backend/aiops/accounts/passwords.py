"""Passwords of people: argon2id, by argon2-cffi with its own choice of cost, in threads: a hash takes time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MIN = 10
LENGTH_MAX = 200  # a longer one makes nobody safer, and hashing it costs us
# Threads of their own, and few: a hash takes 64 MiB, and many at once must not hold up the ones that write files.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
_hasher = PasswordHasher()
_NOBODYS = _hasher.hash("compared with where there is no account, so that both take as long")


class PasswordError(Exception):
    """A password that is not taken; the message says why."""


def check(password: str, email: str) -> None:
    """Raises PasswordError where it is too easy to guess: too short, or the e-mail address (NIST SP 800-63B)."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise PasswordError(f"Take {LENGTH_MIN} to {LENGTH_MAX} characters.")
    if password.lower() in (email, email.partition("@")[0]) or len(set(password)) < LENGTH_MIN // 2:
        raise PasswordError("This one is too easy to guess.")


async def hashed(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _hasher.hash, password)


async def is_right(password: str, kept: str | None) -> bool:
    """Whether `password` is the one whose hash is kept; as slow where none is."""
    tried = password[: LENGTH_MAX + 1]
    found = await asyncio.get_running_loop().run_in_executor(_THREADS, _is_right, tried, kept or _NOBODYS)
    return found and kept is not None


def _is_right(password: str, kept: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
