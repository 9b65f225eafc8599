"""Signatures by the Standard Webhooks scheme, and the secrets they are made with.

A secret belongs to a webhook or, for callback URLs, to an account. It is shown when it is made and kept encrypted,
because every delivery needs it. After a rotation the old one signs along for a day, so that receivers can change over.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete
from sqlmodel import col
from standardwebhooks import Webhook as Signer

from aiops.database.engine import Session
from aiops.database.tables import SigningSecret

SECRET_BYTES = 32
OVERLAP = timedelta(hours=24)


class UnreadableSecretError(Exception):
    """A secret that was encrypted under a secret key that the server no longer has."""


async def make(session: Session, sealer: Fernet, owner_id: str, now: datetime) -> str:
    """Gives a webhook or an account its first secret and returns it: `whsec_` and base 64."""
    secret = _new_secret()
    session.add(SigningSecret(owner_id=owner_id, sealed=_seal(sealer, secret), created_at=now))
    await session.flush()
    return secret


async def rotate(session: Session, sealer: Fernet, owner_id: str, now: datetime) -> str:
    """A new secret for an owner; the one before signs along for 24 hours."""
    kept = await session.get(SigningSecret, owner_id, with_for_update=True)
    if kept is None:
        return await make(session, sealer, owner_id, now)
    secret = _new_secret()
    kept.previous_sealed, kept.previous_until = kept.sealed, now + OVERLAP
    kept.sealed, kept.created_at = _seal(sealer, secret), now
    return secret


async def forget(session: Session, owner_id: str) -> None:
    """Deletes the secret of a webhook that is deleted, or of an account's callbacks."""
    await session.execute(delete(SigningSecret).where(col(SigningSecret.owner_id) == owner_id))


async def secrets_of(session: Session, sealer: Fernet, owner_id: str, now: datetime) -> list[str]:
    """What is signed with at the moment, the newest first; empty where the owner is gone.

    Raises:
        UnreadableSecretError: it was encrypted under another secret key of the server.
    """
    kept = await session.get(SigningSecret, owner_id)
    if kept is None:
        return []
    secret = _unseal(sealer, kept.sealed)
    if secret is None:
        raise UnreadableSecretError
    is_rotating = kept.previous_until is not None and now < kept.previous_until
    previous = _unseal(sealer, kept.previous_sealed) if is_rotating and kept.previous_sealed else None
    return [secret, previous] if previous else [secret]


def headers(event_id: str, body: str, keys: Sequence[str], now: datetime) -> dict[str, str]:
    """The three headers of the scheme; a signature for each of the keys."""
    signatures = [Signer(key).sign(event_id, now, body) for key in keys]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _unseal(sealer: Fernet, sealed: str) -> str | None:
    try:
        return sealer.decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _seal(sealer: Fernet, secret: str) -> str:
    return sealer.encrypt(secret.encode()).decode()
