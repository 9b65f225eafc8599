"""Sound as mp3, for providers and for those who listen: the server's side. Files are opened in a subprocess only."""

from pathlib import Path

from aiops.providers.embedded.sandbox import Limits, Sandbox

DEADLINE_SECONDS = 240.0
MEGABYTE = 1024 * 1024
# Whatever a plan allows: at the bit rate of the task that is 48 MB, and less than a minute of work.
SECONDS_MAX = 200 * 60
LIMITS = Limits(memory_bytes=1024 * MEGABYTE, file_bytes=50 * MEGABYTE)


class Mp3Encoder:
    """An `Encoder`, with a sandbox of its own, so that it does not wait for the embedded engines."""

    def __init__(self) -> None:
        self._sandbox = Sandbox()

    async def mp3(self, path: Path, seconds_max: float) -> bytes:
        """The first audio track of the file at an absolute path as mp3, mono at 16 kHz: all that speech models hear.

        Raises ProviderRejectedError for what is no sound or lasts longer than `seconds_max` or 200 minutes,
        ProviderUnavailableError.
        """
        outcome = await self._sandbox.run(
            "aiops.providers.embedded.encoding:encode",
            {"path": str(path), "seconds_max": min(seconds_max, SECONDS_MAX)},
            limits=LIMITS,
            deadline_seconds=DEADLINE_SECONDS,
        )
        return outcome.output
