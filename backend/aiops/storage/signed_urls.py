"""Links to files: unguessable, signed, expiring. A link is its own permission, so it works wherever it is pasted."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from itsdangerous import Signer

PATH = "/files/"


@dataclass(frozen=True, slots=True)
class SignedUrls:
    """Makes and reads links below `public_url`, signed with HMAC-SHA-256 over the file's id and the expiry."""

    public_url: str
    signing_key: bytes

    def sign(self, file_id: str, expires_at: datetime) -> str:
        """The link to a file, valid until `expires_at`."""
        expires = str(int(expires_at.timestamp()))
        signature = self._signer().get_signature(f"{file_id}.{expires}").decode()
        query = urlencode({"expires": expires, "signature": signature})
        return f"{self.public_url}{PATH}{quote(file_id)}?{query}"

    def is_valid(self, file_id: str, expires: str | None, signature: str | None, now: datetime) -> bool:
        """Whether the two parameters of a link permit reading the file now."""
        if not expires or not signature or not expires.isascii() or not expires.isdigit():
            return False
        signed = self._signer().verify_signature(f"{file_id}.{expires}".encode(), signature.encode())
        return signed and now.timestamp() < int(expires)

    def file_of(self, url: str, now: datetime) -> str | None:
        """The id of the file, where `url` is a valid link of ours; whatever host it names, the signature decides."""
        try:
            parts = urlsplit(url)
            query = parse_qs(parts.query, max_num_fields=10)
        except ValueError:
            return None
        _, path, file_id = parts.path.rpartition(PATH)  # what stands before it is the path of the public URL
        expires, signature = (query.get(name, [None])[0] for name in ("expires", "signature"))
        is_ours = path == PATH and self.is_valid(file_id, expires, signature, now)
        return file_id if is_ours else None

    def _signer(self) -> Signer:
        return Signer(self.signing_key, salt="aiops.file", key_derivation="hmac", digest_method=hashlib.sha256)
