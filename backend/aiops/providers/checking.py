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
    for provider in providers:
        for operation_id in sorted(OPERATIONS):
            served = [model for model in models[operation_id] if _serves(provider, operation_id, model)]
            for number, model in enumerate(served):
                if number and not every_model:
                    yield Trial(provider.name, model)
                else:
                    yield Trial(provider.name, model, is_tried=True, problem=await _problem(provider, model, recording))


def _serves(provider: Provider, operation_id: str, model: str) -> bool:
    return operation_id in provider.operations and provider.serves(operation_id, model)


async def _problem(provider: Provider, model: str, recording: Path) -> str | None:
    try:
        await _call(provider, model, recording)
    except ProviderError as error:
        return error.reason
    return None


async def _call(provider: Provider, model: str, recording: Path) -> None:
    call = Call(CALL_SECONDS, started=_note_nothing, progress=lambda _: None)
    if isinstance(provider, ImageProvider) and provider.serves("generate_image", model):
        checked_image(await provider.generate_image(PROMPT, STYLE, ASPECT_RATIO, model, call))
    elif isinstance(provider, SpeechProvider) and provider.serves("generate_speech", model):
        checked_speech(await provider.generate_speech(TEXT, VOICE, model, call))
    elif isinstance(provider, TranscriptionProvider):
        audio = Audio(recording, RECORDING_SECONDS_MAX)
        checked_transcript(await provider.transcribe_audio(audio, LANGUAGE, model, call))


async def _note_nothing(_request_id: str) -> None:
    return None
