"""What a server process takes of the memory to take, keep and hand out a file of 200 MB."""

import asyncio
import hashlib
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aiops.accounts.plans import load_plans
from tests.fixtures.buckets import S3
from tests.fixtures.forms import CONTENT_TYPE, form, part
from tests.fixtures.media import wav
from tests.fixtures.server import make_customer, stub_server

MEGABYTE = 1024 * 1024
SIZE_BYTES = 200 * MEGABYTE
MORE_MEGABYTES_MAX = 64
SECOND = hashlib.sha256(b"sound").digest() * 6000  # at 48 kHz in two channels
HEAD = wav(48_000, 2, b"", SIZE_BYTES - 44)


def content() -> Iterator[bytes]:
    """A wav file of the largest size that is taken."""
    yield HEAD
    left = SIZE_BYTES - len(HEAD)
    while left:
        piece = SECOND[: min(left, len(SECOND))]
        yield piece
        left -= len(piece)


def forget_peak(process_id: int) -> None:
    """Has the system note the peak of a process anew, from what it takes now (proc(5), clear_refs)."""
    Path(f"/proc/{process_id}/clear_refs").write_text("5")


def peak_megabytes(process_id: int) -> float:
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@pytest.mark.timeout(300)
@pytest.mark.parametrize("storage", ["folder", pytest.param("bucket", marks=pytest.mark.long)])
def test_a_file_of_200_megabytes_takes_little_memory(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path, storage: str
) -> None:
    environment: dict[str, str] = {}
    if storage == "bucket":
        s3: S3 = request.getfixturevalue("s3")
        environment = {**s3.environment, "AIOPS_STORAGE_URL": s3.new_bucket()}
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'aiops.sqlite3')}"
    _, key = asyncio.run(make_customer(url, load_plans(None), plan="business"))
    before, behind = form(part(content=b"|")).split(b"|")
    length = len(before) + SIZE_BYTES + len(behind)
    with stub_server(tmp_path, url, **environment) as server:
        process = server.start()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": CONTENT_TYPE, "Content-Length": str(length)}
        with httpx.Client(base_url=server.url, timeout=200) as client:
            small = form(part(content=wav(16_000, 1, bytes(32_000))))
            warm = client.post("/api/files", content=small, headers={**headers, "Content-Length": str(len(small))})
            assert client.get(warm.json()["file_url"]).status_code == 200
            forget_peak(process.pid)
            at_rest = peak_megabytes(process.pid)
            answer = client.post("/api/files", content=itertools.chain([before], content(), [behind]), headers=headers)
            file = answer.json()
            assert (answer.status_code, file["size_bytes"]) == (201, SIZE_BYTES)
            assert file["duration_seconds"] == pytest.approx((SIZE_BYTES - 44) / 192_000, abs=0.1)
            uploaded = peak_megabytes(process.pid)
            digest = hashlib.sha256()
            with client.stream("GET", file["file_url"]) as download:
                for piece in download.iter_raw():
                    digest.update(piece)
            fetched = peak_megabytes(process.pid)
    expected = hashlib.sha256()
    for piece in content():
        expected.update(piece)
    assert digest.digest() == expected.digest()
    print(
        f"{storage}: {at_rest:.0f} MB at rest, {uploaded:.0f} MB after the upload, {fetched:.0f} MB after the download"
    )
    assert uploaded - at_rest < MORE_MEGABYTES_MAX
    assert fetched - at_rest < MORE_MEGABYTES_MAX
