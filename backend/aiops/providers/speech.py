"""Recordings as they are handed out, whatever a provider makes of its own accord."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from aiops.providers.base import Encoder, ProviderError, ProviderFailedError
from aiops.storage import content_types

SPEECH_SECONDS_MAX = 600  # far more than 500 characters take


async def as_mp3(encoder: Encoder, data: bytes) -> bytes:
    """A recording as mp3; one that is mp3 already is left as it is.

    Raises:
        ProviderFailedError: the provider was paid for something that is no recording.
    """
    if content_types.detect(data, content_types.SPEECH) is not None:
        return data
    with TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        await asyncio.to_thread(path.write_bytes, data)
        try:
            return await encoder.mp3(path, SPEECH_SECONDS_MAX)
        except ProviderError as error:
            raise ProviderFailedError("The provider answered with something that is not a recording.") from error
