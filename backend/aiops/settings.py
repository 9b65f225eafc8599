"""Settings, read from `AIOPS_*` environment variables. Every one has a working default; an empty one is unset."""

import base64
import hmac
import os
import re
import secrets
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from aiops.http.urls import canonical_private_hosts

SECRET_KEY_BYTES = 32
LOCAL_URL = "http://127.0.0.1:8000"


def plain(message: str) -> str:
    """What Pydantic says of a setting, without its own words before ours."""
    return message.removeprefix("Value error, ")


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _smtp(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not _is_smtp(value.get_secret_value()):
        raise ValueError("Write it as smtp://user:password@host:587, or smtps:// for a server that wants TLS at once")
    return value


def _is_smtp(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or too large
        return False


def _storage(value: str | None) -> str | None:
    if value is not None and not _is_storage(value):
        raise ValueError("Write it as s3://bucket/folder, or file:///path for a folder")
    return value


def _is_storage(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment or parts.username or ":" in parts.netloc)
    is_folder = parts.scheme == "file" and not parts.netloc and len(parts.path) > 1
    return is_plain and (is_folder or (parts.scheme == "s3" and bool(parts.netloc)))


def _stripe_key(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not value.get_secret_value().startswith(("sk_", "rk_")):
        raise ValueError("Take a secret or restricted key of Stripe's, which begins with sk_ or rk_")
    return value


def _stripe_signing_secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not value.get_secret_value().startswith("whsec_"):
        raise ValueError("Take the signing secret of the webhook endpoint at Stripe, which begins with whsec_")
    return value


def _web_address(value: str) -> str:
    if not _is_web_address(value):
        raise ValueError("Write it as https://host")
    return value.rstrip("/")


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_one and not re.search(r"[\s?#]", url)


WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseSettings):
    """What can be set. Times are in seconds where the name says so."""

    model_config = SettingsConfigDict(env_prefix="AIOPS_", env_ignore_empty=True)

    data_dir: Path = Field(default=Path("data"), description="Where database, files and secret key are kept.")
    database_url: str | None = Field(default=None, description="SQLite in the data folder unless set.")
    listen_url: str | None = Field(
        default=None, description="PostgreSQL past a pooler, for LISTEN; the database's own URL unless set."
    )
    storage_url: Annotated[str | None, AfterValidator(_storage)] = Field(
        default=None, description="Where files are kept; a folder in the data folder unless set."
    )
    public_url: WebAddress | None = Field(
        default=None, description="The address people reach this server under; links to files begin with it."
    )
    secret_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Signs links. Made and kept in the data folder unless set; required on PostgreSQL.",
    )
    plans_file: Path | None = Field(default=None, description="The plans; those that come with aiops unless set.")
    private_hosts: Annotated[
        frozenset[str], NoDecode, BeforeValidator(_split), AfterValidator(canonical_private_hosts)
    ] = Field(default=frozenset(), description="host:port list that links may lead to although they are private.")
    signup: Literal["open", "closed"] = Field(default="open", description="Whether people can make their own account.")
    smtp_url: Annotated[SecretStr | None, AfterValidator(_smtp)] = Field(
        default=None, description="Where e-mail is sent through; without it, links are written to the console."
    )
    email_from: str = Field(default="aiops@localhost", description="Whom e-mail comes from.")
    stripe_secret_key: Annotated[SecretStr | None, AfterValidator(_stripe_key)] = Field(
        default=None, description="What Stripe is called with; without it, nothing is sold."
    )
    stripe_webhook_secret: Annotated[SecretStr | None, AfterValidator(_stripe_signing_secret)] = Field(
        default=None, description="What Stripe signs events with; required with stripe_secret_key."
    )
    stripe_api_base: WebAddress = Field(default="https://api.stripe.com", description="Where Stripe is called.")
    metrics_token: SecretStr | None = Field(default=None, description="The token /metrics asks for; open unless set.")
    file_hours: int = Field(default=72, ge=24, le=8760, description="How long files are kept, in hours.")
    providers: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(), description="Who does the work, the preferred one first; the embedded provider unless set."
    )
    job_slots: int = Field(
        default=8, ge=0, le=1000, description="How many jobs a process works on at once; 0: it only serves."
    )
    job_services: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(), description="The services whose jobs it works on; all unless set."
    )
    job_seconds: float = Field(default=240, gt=0, le=3600, description="A job's time, queueing included.")
    async_job_seconds: float = Field(
        default=3600, gt=0, le=86_400, description="The time of a job that no call waits for to its end."
    )
    lease_seconds: float = Field(default=30, gt=0, le=600, description="How long a silent worker keeps a job.")
    reaper_seconds: float = Field(default=5, gt=0, le=60, description="How often lapsed jobs are looked for.")
    log_format: str = Field(default="auto", pattern="^(auto|json|console)$", description="auto: console on a terminal.")

    @cached_property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'aiops.sqlite3'}"

    @property
    def is_embedded(self) -> bool:
        """Whether the database is the SQLite file of the data folder."""
        return self.database_url is None

    @property
    def works(self) -> bool:
        """Whether the process works on jobs, or only serves."""
        return self.job_slots > 0

    def works_on(self, service: str) -> bool:
        return self.works and (not self.job_services or service in self.job_services)

    @property
    def files_dir(self) -> Path:
        return self.data_dir.absolute() / "files"

    @property
    def downloads_dir(self) -> Path:
        """Where material to work on is kept while its job runs."""
        return self.data_dir.absolute() / "downloads"

    @property
    def address(self) -> str:
        """What links begin with."""
        return self.public_url or LOCAL_URL

    @cached_property
    def signing_key(self) -> bytes:
        """The key that signs links.

        Raises:
            ValueError: on PostgreSQL, where several servers must share one, it has to be set.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        if not self.database.startswith("sqlite"):
            raise ValueError("Set AIOPS_SECRET_KEY: every server on one PostgreSQL must sign links with the same key.")
        return _kept_secret(self.data_dir / "secret_key")

    @cached_property
    def sealer(self) -> Fernet:
        """Encrypts what has to be read once more: the key that came with an account."""
        return Fernet(base64.urlsafe_b64encode(hmac.digest(self.signing_key, b"aiops.sealer", "sha256")))


def _kept_secret(path: Path) -> bytes:
    """The secret in a file that only its owner can read; made if there is none. Safe against a second process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_hex(SECRET_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    secret = path.read_bytes()
    if not secret:
        raise ValueError(f"{path} is empty. Remove it, and a new key is made; links that were made before end.")
    return secret
