"""What an uploaded file is: the server's side. The file is opened in a subprocess only."""

from pathlib import Path

from aiops.providers.base import ProviderRejectedError, ProviderUnavailableError, Recording
from aiops.providers.embedded.decoding import UNDECODABLE
from aiops.providers.embedded.provider import TRANSCRIPTION_LIMITS
from aiops.providers.embedded.sandbox import Sandbox
from aiops.storage.content_types import UPLOADS

DEADLINE_SECONDS = 120.0


class Inspector:
    """Has a sandbox of its own, so that nobody who uploads waits for the transcriptions of others."""

    def __init__(self) -> None:
        self._sandbox = Sandbox()

    async def inspect(self, path: Path, seconds_max: float) -> Recording:
        """What the file at an absolute path is by its content, whatever its name.

        Raises:
            ProviderRejectedError: it is no sound, is cut off, or lasts longer than `seconds_max`.
            ProviderUnavailableError: it could not be found out.
        """
        outcome = await self._sandbox.run(
            "aiops.providers.embedded.inspection:inspect",
            {"path": str(path), "seconds_max": seconds_max},
            limits=TRANSCRIPTION_LIMITS,
            deadline_seconds=DEADLINE_SECONDS,
        )
        match outcome.values:
            case {"container": str(name), "has_pictures": bool(has_pictures), "duration_seconds": float(seconds)}:
                kinds = UPLOADS.get(name)
                if kinds is None:
                    raise ProviderRejectedError(UNDECODABLE)
                return Recording(kinds[has_pictures], seconds)
            case _:
                raise ProviderUnavailableError("The file could not be inspected.")
