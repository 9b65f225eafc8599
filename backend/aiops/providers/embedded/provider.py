"""The embedded provider: what the server sees of it. The work is done in subprocesses by the modules beside it."""

import shutil
from typing import Any

from aiops.providers.base import OPERATIONS, Audio, Call, Media, Transcript, Unsupported
from aiops.providers.embedded.sandbox import Limits, Sandbox

LANGUAGE = "en"

IMAGE_ENGINE = "embedded-placeholder"
TRANSCRIPTION_ENGINE = "pocketsphinx-en-us"

MEGABYTE = 1024 * 1024
# A few times the address space that each was seen to need: 70, 260 and 260 MB. The files are pictures, and speech
# before compression.
IMAGE_LIMITS = Limits(memory_bytes=512 * MEGABYTE, file_bytes=16 * MEGABYTE)
SPEECH_LIMITS = Limits(memory_bytes=768 * MEGABYTE, file_bytes=64 * MEGABYTE)
TRANSCRIPTION_LIMITS = Limits(memory_bytes=1024 * MEGABYTE, file_bytes=MEGABYTE)


class EmbeddedProvider:
    """Serves every model of the three services with engines that need no account, GPU or download."""

    name = "embedded"
    paid = False
    operations = OPERATIONS

    def __init__(self, sandbox: Sandbox | None = None, flite: str | None = "flite") -> None:
        """`sandbox` is shared with whatever else starts subprocesses; `flite` is a command, None for espeak-ng."""
        self._sandbox = sandbox or Sandbox()
        self._flite = shutil.which(flite) if flite else None

    def notice(self) -> str | None:
        """One line for the server's start when something here could be better, else None."""
        if self._flite:
            return None
        return "Speech uses espeak-ng; install flite for better voices (Debian, Ubuntu: apt install flite)."

    def serves(self, operation_id: str, model: str) -> bool:  # noqa: ARG002 (it serves each)
        """Every model: `model` in the answer names the engine that really ran."""
        return operation_id in OPERATIONS

    def unsupported(self, operation_id: str, request: Any) -> Unsupported | None:
        """Transcription in another language than English."""
        if operation_id != "transcribe_audio" or request.language == LANGUAGE:
            return None
        return Unsupported(
            field="language",
            message=f"Only English is transcribed here, not {request.language!r}: send language 'en' and English "
            "speech, or ask who runs this server to configure a transcription provider.",
        )

    async def generate_image(
        self,
        prompt: str,
        style: str,
        aspect_ratio: str,
        model: str,  # noqa: ARG002 (the protocol's; there is one engine)
        call: Call,
    ) -> Media:
        """A placeholder picture (PNG) drawn from `prompt` and `style`, the same each time.

        Raises ProviderUnavailableError.
        """
        outcome = await self._sandbox.run(
            "aiops.providers.embedded.image:draw",
            {"prompt": prompt, "style": style, "aspect_ratio": aspect_ratio},
            limits=IMAGE_LIMITS,
            deadline_seconds=call.deadline_seconds,
        )
        return Media(outcome.output, "image/png", IMAGE_ENGINE)

    async def generate_speech(
        self,
        text: str,
        voice: str,
        model: str,  # noqa: ARG002 (the protocol's; there is one engine)
        call: Call,
    ) -> Media:
        """`text` spoken in English (mp3). Raises ProviderRejectedError if it has nothing to say, or Unavailable."""
        outcome = await self._sandbox.run(
            "aiops.providers.embedded.speech:speak",
            {"text": text, "voice": voice, "flite": self._flite},
            limits=SPEECH_LIMITS,
            deadline_seconds=call.deadline_seconds,
        )
        return Media(outcome.output, "audio/mpeg", outcome.values["engine"])

    async def transcribe_audio(
        self,
        audio: Audio,
        language: str,  # noqa: ARG002 (the protocol's; `unsupported` refuses all but English)
        model: str,  # noqa: ARG002 (the protocol's; there is one engine)
        call: Call,
    ) -> Transcript:
        """The words of English speech, in lower case.

        Raises ProviderRejectedError for what is not audio, is too long or has no speech, or Unavailable.
        """
        outcome = await self._sandbox.run(
            "aiops.providers.embedded.transcription:transcribe",
            {"path": str(audio.path.absolute()), "seconds_max": audio.seconds_max},
            limits=TRANSCRIPTION_LIMITS,
            deadline_seconds=call.deadline_seconds,
            progress=call.progress,
        )
        return Transcript(outcome.values["text"], TRANSCRIPTION_ENGINE)
