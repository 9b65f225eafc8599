"""Files of other hosts: carried as they are, and never with the key."""

import pytest

from tests.connectors.platforms.zapier.app_in_core import Outcome
from tests.connectors.platforms.zapier.test_errors import KEY, answer, answered
from tests.fixtures.providers import MP3, png
from tests.fixtures.web import WebServer, ok, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOWNLOAD = "hydrators.downloadFile"


async def download(host: WebServer, path: str = "/file") -> Outcome:
    """A file whose link is made anew by looking its job up."""
    url = f"http://{host.authority}{path}"
    inputs = {"job_id": {"value": "job_1"}}
    async with answered(answer(200, {"id": "job_1", "result": {"audio_url": url}})) as (app, api):
        source = {"operation": "get_job", "inputs": inputs}
        payload = {"url": "http://127.0.0.1:1/expired", "source": source, "pointer": "/result/audio_url"}
        found = await app.run(DOWNLOAD, payload)
        assert f"Authorization: Bearer {KEY}".encode() in api.requests[0]
    return found


@pytest.mark.parametrize(
    ("path", "content", "headers", "name", "media_type"),
    [
        ("/a/speech.mp3?x=1", MP3, ["Content-Type: audio/mpeg"], "speech.mp3", "audio/mpeg"),
        ("/a/9tTkq0", png(), ["Content-Type: image/png"], "9tTkq0.png", "image/png"),
        ("/a", b"a,b", ["Content-Type: text/csv; charset=utf-8"], "a.csv", "text/csv; charset=utf-8"),
        (
            "/a",
            MP3,
            ["Content-Type: audio/mpeg", 'Content-Disposition: attachment; filename="My speech.mp3"'],
            "My speech.mp3",
            "audio/mpeg",
        ),
        ("/", b"?", [], "file", "application/octet-stream"),
    ],
)
async def test_a_file_keeps_its_bytes_name_and_type(
    path: str, content: bytes, headers: list[str], name: str, media_type: str
) -> None:
    async with serving(ok(content, *headers)) as host:
        found = await download(host, path)
        assert len(found.stashed) == 1, found
        [file] = found.stashed
        assert (file.name, file.media_type, file.content) == (name, media_type, content)
        assert found.results.startswith("http://127.0.0.1:")
        [request] = host.requests
        assert b"authorization" not in request.lower()
        assert KEY.encode() not in request


async def test_a_file_that_is_too_large_is_refused_before_it_is_read() -> None:
    async with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 150000000\r\n\r\n") as host:
        found = await download(host)
    assert (found.error, found.stashed) == ("HaltedError", ())
    assert found.message == "The file has more than 100 MB, which Zapier cannot carry. Use its link."


async def test_a_host_of_files_that_is_out_of_reach_is_told_in_a_sentence() -> None:
    async with serving() as host:
        pass
    found = await download(host)
    assert found.error == "AppError"
    assert found.told["message"] == "The host of the file cannot be reached at the moment. Try again later."


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_host_of_files_that_has_trouble_is_asked_again_by_a_replay(status: int) -> None:
    async with serving(answer(status, {"error": "Nobody's business"})) as host:
        found = await download(host)
    assert found.error == "AppError"
    assert found.told["message"] == f"The host of the file answers with status {status}. Try again later."


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_file_that_is_gone_is_told_in_a_sentence(status: int) -> None:
    async with serving(answer(status, b"<html>gone</html>")) as host:
        found = await download(host)
    assert found.error == "HaltedError"
    assert found.message == f"The link to the file answers with status {status}: it may have expired."
