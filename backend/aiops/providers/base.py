"""What a provider is: one protocol per capability, and the ways in which a provider fails.

A capability is named as the operation that needs it: a provider that can serve `generate_image` has a
method of that name. Which failure is raised decides what happens next, so no caller needs to know the
provider: `ProviderUnavailableError` tries the next one, `ProviderRejectedError` and `ProviderFailedError` stop.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from aiops.storage.content_types import ContentType

if TYPE_CHECKING:  # the embedded engines' processes import this module, and need no HTTP client
    from aiops.http import ApiClient

# The operations that need a provider.
OPERATIONS = frozenset({"generate_image", "generate_speech", "transcribe_audio"})


class ProviderError(Exception):
    """`reason` is shown to the caller: a whole sentence, nothing internal in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderUnavailableError(ProviderError):
    """It has not taken the work, or has ended it at no charge: down, overloaded. The next provider is tried."""


class ProviderLimitError(ProviderUnavailableError):
    """The caller's material is more than this one takes. The next provider is tried; where it is too much for each of
    them, the job ends with 422 and a refund."""


class ProviderFailedError(ProviderError):
    """It has taken the work, or may have, and gives no usable result. The job ends with 500 and a refund: to ask
    another provider could mean to pay twice."""


class ProviderRejectedError(ProviderError):
    """The caller's material cannot be processed, by any provider. The job ends with 422 and a refund."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Why a provider cannot take a request that is valid by the contract, known before any credits are held."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Call:
    """What a provider needs to know of the job it works for.

    `deadline_seconds` is what is left of the job's time. A provider that pays for its calls awaits
    `started(request_id)` before it waits for the result, so that a restart can re-attach: `request_id` is what it said
    then, and None for new work.
    """

    deadline_seconds: float
    started: Callable[[str], Awaitable[None]]
    progress: Callable[[float], None]
    request_id: str | None = None


class Encoder(Protocol):
    """Makes of a file with sound what every provider takes, and what we hand out."""

    async def mp3(self, path: Path, seconds_max: float) -> bytes:
        """The first audio track of the file as mp3.

        Raises ProviderRejectedError for what is no sound or lasts longer than `seconds_max`, ProviderUnavailableError
        where it cannot be made.
        """


@dataclass(frozen=True, slots=True)
class Tools:
    """What the `create` of a provider's module is given. `api` calls an API; links to results are fetched by a
    `GuardedClient` of the operator's `private_hosts`; `pause` waits for some seconds."""

    api: "ApiClient"
    encoder: Encoder
    private_hosts: frozenset[str] = frozenset()
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep


class Answer(Protocol):
    """What every provider answers with: `model` names the engine that ran."""

    @property
    def model(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Media:
    """A file that a provider made. `model` names the engine that ran."""

    data: bytes
    content_type: str
    model: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """Recognised text. `model` names the engine that ran."""

    text: str
    model: str


@dataclass(frozen=True, slots=True)
class Audio:
    """Audio to transcribe. Longer than `seconds_max` is to be rejected. The file is there, unless `Call.request_id`
    says that the provider has been sent it."""

    path: Path
    seconds_max: float


@dataclass(frozen=True, slots=True)
class Recording:
    """What a file is that decodes to sound."""

    content_type: ContentType
    duration_seconds: float


class Provider(Protocol):
    """Every provider; it also has one method for each of its `operations`, named as the operation.

    `paid` says that its calls cost money: then what it may have begun is never ordered again.
    """

    name: str
    paid: bool

    @property
    def operations(self) -> frozenset[str]:
        """What it is set up for; the embedded provider stands in for the others."""

    def serves(self, operation_id: str, model: str) -> bool:
        """Whether this provider can run `model` of an operation, as it is configured here."""

    def unsupported(self, operation_id: str, request: Any) -> Unsupported | None:
        """Why this very request cannot be taken, or None."""


@runtime_checkable
class CancellingProvider(Protocol):
    """One that can be told that nobody waits for a result any more."""

    async def cancel(self, operation_id: str, model: str, request_id: str) -> None:
        """Stops the work if that is still possible. Raises nothing that matters: there is nobody to tell."""


@runtime_checkable
class ImageProvider(Protocol):
    async def generate_image(self, prompt: str, style: str, aspect_ratio: str, model: str, call: Call) -> Media: ...


@runtime_checkable
class SpeechProvider(Protocol):
    async def generate_speech(self, text: str, voice: str, model: str, call: Call) -> Media: ...


@runtime_checkable
class TranscriptionProvider(Protocol):
    async def transcribe_audio(self, audio: Audio, language: str, model: str, call: Call) -> Transcript: ...
