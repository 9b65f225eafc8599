"""Tries providers out, with one cheap call for each service."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiops.providers.answers import checked_image, checked_speech, checked_transcript
from aiops.providers.base import (
    OPERATIONS,
    Audio,
    Call,
    ImageProvider,
    Provider,
    ProviderError,
    SpeechProvider,
    TranscriptionProvider,
)

PROMPT = "A blue circle on white"
TEXT = "Good morning."
VOICE, LANGUAGE, STYLE, ASPECT_RATIO = "en-Carter_man", "en", "none", "1:1"
CALL_SECONDS = 120.0
RECORDING_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One model of a provider, and what came of its call: `problem` is None where it works, `is_tried` False where it
    was left out."""

    provider: str
    model: str
    is_tried: bool = False
    problem: str | None = None


async def trials(
    providers: Iterable[Provider], models: dict[str, Sequence[str]], recording: Path, *, every_model: bool
) -> AsyncIterator[Trial]:
    """All that the providers serve, one after the other. Called is the first model of each service, or `every_model`.

    `models` are those of the contract by operationId; `recording` is what is transcribed.
    """
    # Listed before any call: one that turns out to refuse the key serves nothing from then on.
    served = [
        (provider, operation_id, [one for one in models[operation_id] if _serves(provider, operation_id, one)])
        for provider in providers
        for operation_id in sorted(OPERATIONS)
    ]
    for provider, operation_id, its_models in served:
        for number, model in enumerate(its_models):
            if number and not every_model:
                yield Trial(provider.name, model)
            else:
                problem = await _problem(provider, operation_id, model, recording)
                yield Trial(provider.name, model, is_tried=True, problem=problem)


def _serves(provider: Provider, operation_id: str, model: str) -> bool:
    return operation_id in provider.operations and provider.serves(operation_id, model)


async def _problem(provider: Provider, operation_id: str, model: str, recording: Path) -> str | None:
    try:
        await _call(provider, operation_id, model, recording)
    except ProviderError as error:
        return error.reason
    return None


async def _call(provider: Provider, operation_id: str, model: str, recording: Path) -> None:
    call = Call(CALL_SECONDS, started=_note_nothing, progress=lambda _: None)
    if operation_id == "generate_image" and isinstance(provider, ImageProvider):
        checked_image(await provider.generate_image(PROMPT, STYLE, ASPECT_RATIO, model, call))
    elif operation_id == "generate_speech" and isinstance(provider, SpeechProvider):
        checked_speech(await provider.generate_speech(TEXT, VOICE, model, call))
    elif operation_id == "transcribe_audio" and isinstance(provider, TranscriptionProvider):
        audio = Audio(recording, RECORDING_SECONDS_MAX)
        checked_transcript(await provider.transcribe_audio(audio, LANGUAGE, model, call))


async def _note_nothing(_request_id: str) -> None:
    return None
