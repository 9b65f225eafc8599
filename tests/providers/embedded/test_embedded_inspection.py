"""What is said of a file that is uploaded: the same as a transcription would say, before anything is paid."""

import asyncio
import math
import struct
from pathlib import Path

import pytest

from aiops.providers.base import ProviderRejectedError, Recording
from aiops.providers.embedded.decoding import FORMATS
from aiops.providers.embedded.inspector import Inspector
from aiops.providers.embedded.transcription import SILENT
from aiops.storage.content_types import UPLOADS
from tests.fixtures.hostile_media import MATERIALS, RATE_HZ, SPEECH, Material
from tests.fixtures.media import encoded

SECONDS_MAX = 600.0
TONE = b"".join(struct.pack("<h", round(8000 * math.sin(number / 20))) for number in range(5 * RATE_HZ))


async def inspected(inspector: Inspector, path: Path) -> Recording | str:
    """What the file is, or why it is refused."""
    try:
        return await inspector.inspect(path, SECONDS_MAX)
    except ProviderRejectedError as error:
        return error.reason


@pytest.fixture
def inspector() -> Inspector:
    return Inspector()


async def test_hostile_files_are_told_from_others(inspector: Inspector, tmp_path: Path) -> None:
    """All that was made to break the decoder; and what it says is of the file, not of the server."""
    answers = await asyncio.gather(*(written_and_inspected(inspector, tmp_path, one) for one in MATERIALS))
    wrong = {}
    for material, answer in zip(MATERIALS, answers, strict=True):
        is_sound = material.said in (SPEECH, SILENT)
        if is_sound is not isinstance(answer, Recording) or (not is_sound and answer != material.said):
            wrong[material.name] = answer
    assert wrong == {}


async def written_and_inspected(inspector: Inspector, folder: Path, material: Material) -> Recording | str:
    path = folder / material.name
    await asyncio.to_thread(lambda: path.write_bytes(material.make(TONE)))
    return await inspected(inspector, path)


def test_each_container_that_is_decoded_has_a_type() -> None:
    families = {"m4a": "mp4", "3g2": "3gp", "mj2": "mp4"}
    assert {families.get(name, name) for name in FORMATS} == UPLOADS.keys()


async def test_a_file_of_the_longest_length_is_taken_and_a_longer_one_is_not(
    inspector: Inspector, tmp_path: Path
) -> None:
    path = tmp_path / "sound"
    path.write_bytes(encoded(TONE[: 2 * RATE_HZ], RATE_HZ))
    assert (await inspector.inspect(path, 1.0)).duration_seconds == 1.0
    path.write_bytes(encoded(TONE[: 2 * RATE_HZ + 2], RATE_HZ))
    with pytest.raises(ProviderRejectedError, match="longer than 1 seconds"):
        await inspector.inspect(path, 1.0)
