"""Hugging Face Inference Providers: its router, and which of its providers serves a model at the moment.

https://huggingface.co/docs/inference-providers. Why not by huggingface_hub: docs/decisions/0025. Those spoken to are
`hf-inference` and `fal-ai`; calls have no id to come back to.
"""

import base64
import time
from typing import Any
from urllib.parse import quote

from pydantic import Field

from aiops.http import ApiAnswer, ApiCall
from aiops.providers.answers import MEDIA_BYTES_MAX
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
from aiops.providers.mapping import FLUX_SIZES, HUGGINGFACE_MODELS, OPERATION_OF, styled
from aiops.providers.reading import parsed
from aiops.providers.remote import Deadline, Remote, rejected

NAME = "huggingface"
HF_INFERENCE, FAL = "hf-inference", "fal-ai"
SPOKEN = (HF_INFERENCE, FAL)
LOOK_UP_SECONDS = 10.0
ROUTE_SECONDS = 300.0  # the Hub's answer may change at any time, and seldom does

Route = tuple[str, str]  # one of SPOKEN, and the model's name there


class HuggingFaceSettings(ProviderSettings):
    token: Key = Field(validation_alias="HF_TOKEN")
    router_url: Address = Field(default="https://router.huggingface.co", validation_alias="AIOPS_HF_ROUTER_URL")
    hub_url: Address = Field(default="https://huggingface.co", validation_alias="HF_ENDPOINT")


def create(tools: Tools) -> "HuggingFaceProvider":
    """Raises ValueError where a setting is missing or wrong."""
    settings: HuggingFaceSettings = HuggingFaceSettings.read(NAME)
    if not settings.token.get_secret_value().startswith("hf_"):
        raise ValueError(
            f"The provider {NAME} (AIOPS_PROVIDERS) cannot be used: HF_TOKEN is no token of Hugging Face, which begins "
            "with hf_."
        )
    return HuggingFaceProvider(settings, tools)


class HuggingFaceProvider:
    name = NAME
    paid = True
    operations = frozenset({"generate_image", "transcribe_audio"})

    def __init__(self, settings: HuggingFaceSettings, tools: Tools) -> None:
        self._router_url = settings.router_url
        self._hub_url = settings.hub_url
        self._encoder = tools.encoder
        self._remote = Remote(NAME, tools, {"Authorization": f"Bearer {settings.token.get_secret_value()}"})
        self._routes: dict[str, tuple[float, Route]] = {}

    def serves(self, operation_id: str, model: str) -> bool:
        return model in HUGGINGFACE_MODELS and OPERATION_OF[model] == operation_id and self._remote.is_open

    def unsupported(self, operation_id: str, request: Any) -> Unsupported | None:  # noqa: ARG002 (it takes all)
        return None

    async def generate_image(self, prompt: str, style: str, aspect_ratio: str, model: str, call: Call) -> Media:
        deadline = Deadline(call.deadline_seconds)
        provider, theirs = await self._route(model, deadline)
        words, size = styled(prompt, style), FLUX_SIZES[aspect_ratio]
        pixels = {"width": size.width, "height": size.height}
        asked = {"prompt": words, "image_size": pixels} if provider == FAL else {"inputs": words, "parameters": pixels}
        headers = {"Accept": "application/json" if provider == FAL else "image/png"}
        answer = await self._order(ApiCall("POST", self._url(provider, theirs), headers, json=asked), deadline)
        if provider == HF_INFERENCE:
            return Media(answer.body, "image/png", model)
        match parsed(answer):
            case {"has_nsfw_concepts": [True, *_]}:  # the image is black then
                raise rejected()
            case {"images": [{"url": str(url)}, *_]}:
                return Media(await self._remote.fetch(url, deadline), "image/jpeg", model)
            case _:
                raise self._remote.failed(answer, "The provider answered with something that is not an image.")

    async def transcribe_audio(self, audio: Audio, language: str, model: str, call: Call) -> Transcript:
        deadline = Deadline(call.deadline_seconds)
        sound = await self._encoder.mp3(audio.path, audio.seconds_max)
        provider, theirs = await self._route(model, deadline)
        url = self._url(provider, theirs)
        if provider == FAL:
            link = f"data:audio/mpeg;base64,{base64.b64encode(sound).decode()}"
            asked = {"audio_url": link, "task": "transcribe", "language": language}
            order = ApiCall("POST", url, json=asked)
        else:  # Whisper hears which language it is: there is no parameter for it
            order = ApiCall("POST", url, {"Content-Type": "audio/mpeg"}, content=sound)
        answer = await self._order(order, deadline)
        match parsed(answer):
            case {"text": str(text)}:
                return Transcript(text.strip(), model)
            case _:
                raise self._remote.failed(answer, "The provider answered without a usable text.")

    async def _route(self, model: str, deadline: Deadline) -> Route:
        """Who serves a model now, of those whose protocol is spoken here, in the Hub's order. Costs nothing.

        Raises:
            ProviderUnavailableError: nobody does, or it cannot be found out.
        """
        looked_up_at, route = self._routes.get(model, (float("-inf"), ("", "")))
        if time.monotonic() - looked_up_at < ROUTE_SECONDS:
            return route
        hub_id = HUGGINGFACE_MODELS[model].id
        url = f"{self._hub_url}/api/models/{hub_id}?expand[]=inferenceProviderMapping"
        try:
            answer = await self._remote.order(ApiCall("GET", url), deadline, seconds_max=LOOK_UP_SECONDS)
        except ProviderFailedError as error:
            raise ProviderUnavailableError(error.reason) from error  # nothing is ordered yet
        if not answer.is_success:
            self._remote.note(answer)
            raise ProviderUnavailableError(f"The provider answered with an error (status {answer.status}).")
        for provider, theirs in _live(parsed(answer)):
            if provider in SPOKEN:
                self._routes[model] = (time.monotonic(), (provider, theirs))
                return provider, theirs
        raise ProviderUnavailableError("No inference provider serves this model at the moment.")

    def _url(self, provider: str, model: str) -> str:
        path = quote(model, safe="/")
        return f"{self._router_url}/{provider}/{f'models/{path}' if provider == HF_INFERENCE else path}"

    async def _order(self, call: ApiCall, deadline: Deadline) -> ApiAnswer:
        answer = await self._remote.order(call, deadline, size_max_bytes=MEDIA_BYTES_MAX)
        if not answer.is_success:
            raise self._refusal(answer)
        return answer

    def _refusal(self, answer: ApiAnswer) -> ProviderError:
        """fal may bill a 422, through the router as well."""
        match parsed(answer):
            case {"detail": [{"type": "content_policy_violation"}, *_]}:
                return rejected()
            case _:
                self._remote.note(answer)
                reason = f"The provider answered with an error (status {answer.status})."
                return ProviderFailedError(reason) if answer.status == 422 else ProviderUnavailableError(reason)


def _live(answer: Any) -> list[Route]:
    """Who says that it serves a model; the Hub writes it as an object or as a list."""
    match answer:
        case {"inferenceProviderMapping": dict(mapping)}:
            entries = [(name, entry) for name, entry in mapping.items() if isinstance(entry, dict)]
        case {"inferenceProviderMapping": list(mapping)}:
            entries = [(str(entry.get("provider")), entry) for entry in mapping if isinstance(entry, dict)]
        case _:
            entries = []
    return [(name, str(entry.get("providerId"))) for name, entry in entries if entry.get("status") == "live"]
