"""Tokens that only our own pages have: a form is taken from a browser whose cookie the token was made for."""

import hashlib

from itsdangerous import Signer

FIELD = "csrf_token"


def token_for(signing_key: bytes, cookie: str) -> str:
    return _signer(signing_key).get_signature(cookie).decode()


def is_valid(signing_key: bytes, cookie: str, token: str) -> bool:
    """Whether `token` was made for the browser that has `cookie`; in constant time."""
    return bool(cookie) and _signer(signing_key).verify_signature(cookie.encode(), token.encode())


def _signer(signing_key: bytes) -> Signer:
    return Signer(signing_key, salt="aiops.csrf", key_derivation="hmac", digest_method=hashlib.sha256)
