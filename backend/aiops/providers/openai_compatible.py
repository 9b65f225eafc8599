"""Any server that speaks OpenAI's API for images, speech and transcription: LocalAI, speaches, LiteLLM, OpenAI itself.

https://platform.openai.com/docs/api-reference. Its calls have no id to come back to: one that breaks off is lost, so
where it is paid for, it is not made again.
"""

import base64
import binascii
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from aiops.http import ApiAnswer, ApiCall, FilePart, authority_of
from aiops.providers.base import (
    Audio,
    Call,
    Media,
    ProviderError,
    ProviderFailedError,
    ProviderUnavailableError,
    Tools,
    Transcript,
    Unsupported,
)
from aiops.providers.credentials import Address, Key, ProviderSettings
from aiops.providers.mapping import GPT_IMAGE, OPENAI_VOICES, OPERATION_OF, openai_sizes, styled
from aiops.providers.reading import parsed
from aiops.providers.remote import Deadline, Remote, rejected
from aiops.providers.speech import as_mp3

NAME = "openai_compatible"
POLICY_CODES = frozenset({"content_policy_violation", "moderation_blocked", "content_filter"})
ANSWER_BYTES_MAX = 32 * 1024 * 1024  # an image in base64 of 24 MB


def _pairs(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    return {ours.strip(): (theirs or ours).strip() for ours, _, theirs in (part.partition("=") for part in parts)}


def _known_models(value: dict[str, str]) -> dict[str, str]:
    return _known(value, tuple(OPERATION_OF), "models")


def _known_voices(value: dict[str, str]) -> dict[str, str]:
    return _known(value, tuple(OPENAI_VOICES), "voices")


def _known(value: dict[str, str], known: tuple[str, ...], what: str) -> dict[str, str]:
    unknown = sorted(set(value) - set(known))
    if unknown or not value:
        named = f"it names {', '.join(unknown)}" if unknown else "it names none"
        raise ValueError(f"{named}; the {what} are {', '.join(known)}. Write it as ours=theirs,ours=theirs")
    return value


class OpenAISettings(ProviderSettings):
    base_url: Address = Field(default="https://api.openai.com/v1", validation_alias="OPENAI_BASE_URL")
    key: Key | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    models: Annotated[dict[str, str], NoDecode, BeforeValidator(_pairs), AfterValidator(_known_models)] = Field(
        validation_alias="AIOPS_OPENAI_MODELS"
    )
    voices: Annotated[dict[str, str], NoDecode, BeforeValidator(_pairs), AfterValidator(_known_voices)] = Field(
        default=dict(OPENAI_VOICES), validation_alias="AIOPS_OPENAI_VOICES"
    )


def create(tools: Tools) -> "OpenAICompatibleProvider":
    """Raises ValueError where a setting is missing or wrong."""
    settings: OpenAISettings = OpenAISettings.read(NAME)
    if settings.key is None and settings.base_url == OpenAISettings.model_fields["base_url"].default:
        raise ValueError(
            f"The provider {NAME} (AIOPS_PROVIDERS) cannot be used: set OPENAI_API_KEY, or OPENAI_BASE_URL for a "
            "server that needs none."
        )
    return OpenAICompatibleProvider(settings, tools)


class OpenAICompatibleProvider:
    name = NAME

    def __init__(self, settings: OpenAISettings, tools: Tools) -> None:
        # Without a key nobody is paid: what breaks off may be done again, here or by the next provider.
        self.paid = settings.key is not None
        self._base_url = settings.base_url
        self._models = settings.models
        self.operations = frozenset(OPERATION_OF[model] for model in settings.models)
        self._voices = {**OPENAI_VOICES, **settings.voices}
        self._encoder = tools.encoder
        headers = {} if settings.key is None else {"Authorization": f"Bearer {settings.key.get_secret_value()}"}
        own_host = frozenset({authority_of(settings.base_url)})
        self._remote = Remote(NAME, tools, headers, private_hosts=own_host)

    def serves(self, operation_id: str, model: str) -> bool:
        return model in self._models and OPERATION_OF[model] == operation_id and self._remote.is_open

    def unsupported(self, operation_id: str, request: Any) -> Unsupported | None:  # noqa: ARG002 (it takes all)
        return None

    async def generate_image(self, prompt: str, style: str, aspect_ratio: str, model: str, call: Call) -> Media:
        theirs = self._models[model]
        asked = {"model": theirs, "prompt": styled(prompt, style), "n": 1}
        asked["size"] = str(openai_sizes(theirs)[aspect_ratio])
        if not theirs.startswith(GPT_IMAGE):
            asked["response_format"] = "b64_json"
        deadline = Deadline(call.deadline_seconds)
        answer = await self._order(ApiCall("POST", f"{self._base_url}/images/generations", json=asked), deadline)
        match parsed(answer):
            case {"data": [{"b64_json": str(encoded)}, *_]}:
                return Media(_decoded(encoded), "image/png", theirs)
            case {"data": [{"url": str(url)}, *_]}:  # some servers have only this
                return Media(await self._remote.fetch(url, deadline), "image/png", theirs)
            case _:
                raise self._remote.failed(answer, "The provider answered with something that is not an image.")

    async def generate_speech(self, text: str, voice: str, model: str, call: Call) -> Media:
        theirs = self._models[model]
        asked = {"model": theirs, "input": text, "voice": self._voices[voice], "response_format": "mp3"}
        deadline = Deadline(call.deadline_seconds)
        answer = await self._order(ApiCall("POST", f"{self._base_url}/audio/speech", json=asked), deadline)
        return Media(await as_mp3(self._encoder, answer.body), "audio/mpeg", theirs)

    async def transcribe_audio(self, audio: Audio, language: str, model: str, call: Call) -> Transcript:
        theirs = self._models[model]
        deadline = Deadline(call.deadline_seconds)
        sound = FilePart("audio.mp3", await self._encoder.mp3(audio.path, audio.seconds_max), "audio/mpeg")
        fields = {"model": theirs, "language": language, "response_format": "json"}
        url = f"{self._base_url}/audio/transcriptions"
        answer = await self._order(ApiCall("POST", url, fields=fields, files={"file": sound}), deadline)
        match parsed(answer):
            case {"text": str(text)}:
                return Transcript(text.strip(), theirs)
            case _:
                raise self._remote.failed(answer, "The provider answered without a usable text.")

    async def _order(self, call: ApiCall, deadline: Deadline) -> ApiAnswer:
        answer = await self._remote.order(call, deadline, size_max_bytes=ANSWER_BYTES_MAX)
        if not answer.is_success:
            raise self._refusal(answer)
        return answer

    def _refusal(self, answer: ApiAnswer) -> ProviderError:
        """A 400 or 422 is refused before anything is made, so it costs nothing."""
        match parsed(answer):
            case {"error": {"code": str(code)}} if code in POLICY_CODES:
                return rejected()
            case _:
                self._remote.note(answer)
                return ProviderUnavailableError(f"The provider answered with an error (status {answer.status}).")


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProviderFailedError("The provider answered with something that is not an image.") from error
