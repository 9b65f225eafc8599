"""fal, by its queue: an order has an id before it is worked on, so a restart takes it up again.

https://fal.ai/docs/documentation/model-apis/inference/queue, …/request-errors, …/errors; the models' own pages.
"""

import re
from collections.abc import Mapping
from typing import Any

import structlog
from pydantic import Field

from aiops.http import ApiAnswer, ApiCall, NoAnswerError, NotSentError, OversizedAnswerError
from aiops.providers.base import (
    Audio,
    Call,
    Media,
    ProviderError,
    ProviderFailedError,
    ProviderRejectedError,
    ProviderUnavailableError,
    Tools,
    Transcript,
    Unsupported,
)
from aiops.providers.credentials import Address, Key, ProviderSettings
from aiops.providers.mapping import FAL_MODELS, FAL_VOICES, FLUX_SIZES, OPERATION_OF, styled
from aiops.providers.reading import parsed
from aiops.providers.remote import Deadline, Remote, Waiting, rejected
from aiops.providers.speech import as_mp3

log = structlog.get_logger()

NAME = "fal"
SUBMIT_SECONDS = 30.0
STATUS_SECONDS, RESULT_SECONDS = 10.0, 30.0
CANCEL_SECONDS = 10.0
UPLOAD_SECONDS = 120.0
# They say nothing of the order, and fal's own client asks again too. From 500 on, neither does what gives no reason.
PASSING_STATUSES = frozenset({408, 409, 429})

_REQUEST_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")

# The material's fault, by fal's own word for it: no provider could do better.
UNUSABLE_MATERIAL = {
    "audio_duration_too_long": "The audio is too long for this model.",
    "audio_duration_too_short": "The audio is too short.",
    "unsupported_audio_format": "The audio cannot be decoded by this model.",
    "file_too_large": "The audio file is too large for this model.",
}


class FalSettings(ProviderSettings):
    key: Key = Field(validation_alias="FAL_KEY")
    queue_url: Address = Field(default="https://queue.fal.run", validation_alias="AIOPS_FAL_QUEUE_URL")
    storage_url: Address = Field(default="https://rest.fal.ai", validation_alias="AIOPS_FAL_STORAGE_URL")


def create(tools: Tools) -> "FalProvider":
    """Raises ValueError where a setting is missing or wrong."""
    return FalProvider(FalSettings.read(NAME), tools)


class FalProvider:
    name = NAME
    paid = True
    operations = frozenset({"generate_image", "generate_speech", "transcribe_audio"})

    def __init__(self, settings: FalSettings, tools: Tools) -> None:
        self._queue_url = settings.queue_url
        self._storage_url = settings.storage_url
        self._encoder = tools.encoder
        self._remote = Remote(NAME, tools, {"Authorization": f"Key {settings.key.get_secret_value()}"})

    def serves(self, operation_id: str, model: str) -> bool:
        return model in FAL_MODELS and OPERATION_OF[model] == operation_id and self._remote.is_open

    def unsupported(self, operation_id: str, request: Any) -> Unsupported | None:  # noqa: ARG002 (it takes all)
        return None

    async def generate_image(self, prompt: str, style: str, aspect_ratio: str, model: str, call: Call) -> Media:
        size = FLUX_SIZES[aspect_ratio]
        arguments = {
            "prompt": styled(prompt, style),
            "image_size": {"width": size.width, "height": size.height},
            "num_images": 1,
            "enable_safety_checker": True,
            "output_format": "jpeg",
        }
        deadline = Deadline(call.deadline_seconds)
        result = await self._result(model, arguments, call, deadline)
        match result:
            case {"has_nsfw_concepts": [True, *_]}:  # the image is black then
                raise rejected()
            case {"images": [{"url": str(url)}, *_]}:
                return Media(await self._remote.fetch(url, deadline), "image/jpeg", model)
            case _:
                raise _nonsense()

    async def generate_speech(self, text: str, voice: str, model: str, call: Call) -> Media:
        arguments = {"script": f"Speaker 0: {' '.join(text.split())}", "speakers": [{"preset": FAL_VOICES[voice]}]}
        deadline = Deadline(call.deadline_seconds)
        match await self._result(model, arguments, call, deadline):
            case {"audio": {"url": str(url)}}:
                data = await self._remote.fetch(url, deadline)
                return Media(await as_mp3(self._encoder, data), "audio/mpeg", model)
            case _:
                raise _nonsense()

    async def transcribe_audio(self, audio: Audio, language: str, model: str, call: Call) -> Transcript:
        deadline = Deadline(call.deadline_seconds)
        arguments: dict[str, Any] = {}
        if call.request_id is None:
            sound = await self._encoder.mp3(audio.path, audio.seconds_max)
            link = await self._upload(sound, deadline)
            arguments = {
                "audio_url": link,
                "task": "transcribe",
                "language": language,
                "chunk_level": "segment",
                "version": "3",
            }
        match await self._result(model, arguments, call, deadline):
            case {"text": str(text)}:
                return Transcript(text.strip(), model)
            case _:
                raise _nonsense()

    async def cancel(self, operation_id: str, model: str, request_id: str) -> None:  # noqa: ARG002 (the protocol's)
        """Takes an order back; fal stops one that is not begun, and bills nothing for it."""
        try:
            call = ApiCall("PUT", f"{self._request_url(model, request_id)}/cancel")
            answer = await self._remote.ask(call, timeout_seconds=CANCEL_SECONDS)
        except (NotSentError, NoAnswerError, ProviderFailedError) as error:
            log.warning("order_not_cancelled", provider=NAME, provider_request_id=request_id, reason=str(error))
        else:
            log.info("order_cancelled", provider=NAME, provider_request_id=request_id, status=answer.status)

    async def _result(self, model: str, arguments: Mapping[str, Any], call: Call, deadline: Deadline) -> Any:
        """What comes of an order: a new one, or the one that an earlier attempt has placed."""
        request_id = call.request_id
        if request_id is None:
            number = await self._submit(model, arguments, deadline)
            request_id = f"{_app_of(model)} {number}"
            await call.started(request_id)
        url = self._request_url(model, request_id)
        await self._completed(f"{url}/status", deadline)
        return await self._output(url, deadline)

    async def _submit(self, model: str, arguments: Mapping[str, Any], deadline: Deadline) -> str:
        # fal gives up what it has not begun by then: nobody would wait for it.
        headers = {"X-Fal-Request-Timeout": f"{max(2.0, deadline.left_seconds):.1f}"}
        call = ApiCall("POST", f"{self._queue_url}/{FAL_MODELS[model].id}", headers, json=dict(arguments))
        answer = await self._remote.order(call, deadline, seconds_max=SUBMIT_SECONDS)
        if not answer.is_success:
            raise self._refusal(answer, is_ordered=False)
        match parsed(answer):
            case {"request_id": str(request_id)} if _REQUEST_ID.fullmatch(request_id):
                return request_id
            case _:
                raise self._remote.failed(answer, "The provider took the work without saying under which number.")

    async def _completed(self, status_url: str, deadline: Deadline) -> None:
        """Waits. That the queue cannot be asked for a while changes nothing about the order; the job's deadline ends
        it."""
        waiting = Waiting(self._remote.pause, deadline)
        while True:
            answer = await self._look(status_url, STATUS_SECONDS, deadline)
            if answer is not None and self._has_completed(answer):
                return
            if not await waiting.again(answer):
                raise ProviderFailedError("The job did not finish in time.")

    def _has_completed(self, answer: ApiAnswer) -> bool:
        if answer.status in (401, 403, 404, 405):
            raise self._remote.failed(answer, "The provider does not know the work any more that it took.")
        match parsed(answer):
            case {"status": "COMPLETED"}:
                return True
            case {"status": "IN_QUEUE" | "IN_PROGRESS"}:
                return False
            case _:
                self._remote.note(answer)
                return False

    async def _output(self, url: str, deadline: Deadline) -> Any:
        """The result, or how the order has ended instead. It is paid for, so that only the deadline ends the wait where
        fal says neither."""
        waiting = Waiting(self._remote.pause, deadline)
        while True:
            answer = await self._look(url, RESULT_SECONDS, deadline)
            if answer is not None and not _is_passing(answer):
                if answer.is_success:
                    return parsed(answer)
                raise self._refusal(answer, is_ordered=True)
            if answer is not None:
                self._remote.note(answer)
            if not await waiting.again(answer):
                raise ProviderFailedError("The provider's result could not be fetched.")

    async def _look(self, url: str, seconds_max: float, deadline: Deadline) -> ApiAnswer | None:
        """What fal says of an order; None where it cannot be asked now."""
        seconds = min(seconds_max, deadline.left_seconds)
        try:
            return await self._remote.ask(ApiCall("GET", url), timeout_seconds=seconds)
        except OversizedAnswerError as error:
            raise _nonsense() from error
        except (NotSentError, NoAnswerError) as error:
            log.warning("order_not_looked_up", provider=NAME, reason=str(error))
            return None

    async def _upload(self, sound: bytes, deadline: Deadline) -> str:
        """A link under which fal, and nobody who does not know it, finds the sound. Costs nothing."""
        initiate = ApiCall(
            "POST",
            f"{self._storage_url}/storage/upload/initiate?storage_type=gcs",
            json={"file_name": "audio.mp3", "content_type": "audio/mpeg"},
        )
        try:
            answer = await self._remote.order(initiate, deadline, seconds_max=SUBMIT_SECONDS)
            match parsed(answer):
                case {"upload_url": str(upload_url), "file_url": str(file_url)} if answer.is_success:
                    await self._remote.put(upload_url, sound, "audio/mpeg", min(UPLOAD_SECONDS, deadline.left_seconds))
                    return file_url
                case _:
                    self._remote.note(answer)
        except ProviderFailedError as error:
            raise ProviderUnavailableError(error.reason) from error  # nothing is ordered yet
        raise ProviderUnavailableError("The provider did not take the audio.")

    def _request_url(self, model: str, request_id: str) -> str:
        """Made here, not taken from an answer: the key goes nowhere else. The table may be another than the one that
        the order was placed by, so its app is noted with its number; releases before noted only that."""
        app, _, number = request_id.rpartition(" ")
        return f"{self._queue_url}/{app or _app_of(model)}/requests/{number}"

    def _refusal(self, answer: ApiAnswer, *, is_ordered: bool) -> ProviderError:
        """What an error means that refuses an order, or is the end of one. fal bills no status from 500 on, but may
        bill a 422 of what it has begun."""
        kind = _error_type(answer)
        if kind == "content_policy_violation":
            return rejected()
        if kind in UNUSABLE_MATERIAL:
            return ProviderRejectedError(UNUSABLE_MATERIAL[kind])
        self._remote.note(answer)
        reason = f"The provider answered with an error (status {answer.status})."
        is_billed = is_ordered and answer.status < 500
        return ProviderFailedError(reason) if is_billed else ProviderUnavailableError(reason)


def _app_of(model: str) -> str:
    """Where the orders of a model are. Its subpath is for placing them only.

    Raises:
        ProviderFailedError: the table has it no more.
    """
    if model not in FAL_MODELS:
        raise ProviderFailedError("The provider that took this work no longer serves its model here.")
    return "/".join(FAL_MODELS[model].id.split("/")[:2])


def _error_type(answer: ApiAnswer) -> str | None:
    """fal's word for what went wrong: of the model's own errors, or of those of a request."""
    match parsed(answer):
        case {"detail": [{"type": str(kind)}, *_]} | {"error_type": str(kind)}:
            return kind
        case _:
            return answer.headers.get("x-fal-error-type")


def _is_passing(answer: ApiAnswer) -> bool:
    return answer.status in PASSING_STATUSES or (answer.status >= 500 and _error_type(answer) is None)


def _nonsense() -> ProviderFailedError:
    return ProviderFailedError("The provider gave an answer that makes no sense.")
