"""Ids that outsiders see: a word and 96 random bits, so that none can be guessed. Opaque to everybody but us."""

import re
import secrets

RANDOM_BYTES = 12
_FORM = re.compile(r"[a-z]{3,4}_[0-9a-f]{24}", re.ASCII)


def new_id(kind: str) -> str:
    """A new id, such as `job_5f0c2b9e7d1a4c3b8e6f9a02`."""
    return f"{kind}_{secrets.token_hex(RANDOM_BYTES)}"


def is_id(text: str, kind: str) -> bool:
    """Whether `text` can be an id of this kind; anything else need not be looked for."""
    return text.startswith(f"{kind}_") and _FORM.fullmatch(text) is not None
