"""`aiops serve` as its user meets it: one command, and the lines it prints work as they stand."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.fixtures.ports import free_port

START_SECONDS = 60


@contextmanager
def serving(data: Path, port: int, *options: str, **variables: str) -> Iterator[list[str]]:
    """A running `aiops serve`; what it has printed once it takes calls. It is stopped as by Ctrl-C."""
    command = [sys.executable, "-m", "aiops", "serve", "--port", str(port), *options]
    environment = {**os.environ, "AIOPS_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1", **variables}
    with (data.parent / "out").open("w+") as out, (data.parent / "log").open("a") as log:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=log)
        try:
            transport = httpx.HTTPTransport(retries=10)
            with httpx.Client(transport=transport, timeout=START_SECONDS) as client:
                assert client.get(f"http://127.0.0.1:{port}/ready").status_code == 200
            out.seek(0)
            yield out.read().splitlines()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


def run(line: str) -> dict[str, object]:
    """A printed line, run by a shell as it stands."""
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, timeout=60)
    body: dict[str, object] = json.loads(done.stdout)
    return body


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "two processes"])
def test_the_printed_lines_work_as_they_stand(tmp_path: Path, options: tuple[str, ...]) -> None:
    port = free_port()
    with serving(tmp_path / "data", port, *options) as printed:
        (key,) = [line.removeprefix("API key: ") for line in printed if line.startswith("API key: ")]
        assert re.fullmatch(r"aiops_sk_[0-9A-Za-z]{36}", key)
        image, speech, transcription = [run(line) for line in printed if line.startswith("curl ")]
        for body, credits_ in ((image, 5), (speech, 2), (transcription, 3)):
            assert (body["success"], body["credits_charged"], body["provider"]) == (True, credits_, "embedded")
        picture = httpx.get(str(image["image_url"]))
        assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
        recording = httpx.get(str(speech["audio_url"]))
        assert recording.headers["content-type"] == "audio/mpeg"
        assert str(transcription["text"]).strip()
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(b"garbage\r\n\r\n")
            assert b'"code": "malformed_request"' in caller.recv(65_536)


def test_a_second_start_keeps_everything(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "data", port) as printed:
        (line,) = [line for line in printed if "image_gen" in line]
        first = run(line)
    with serving(tmp_path / "data", port) as printed:
        assert not [line for line in printed if line.startswith("API key: ")]
        (another,) = [line.removeprefix("Another API key: ") for line in printed if line.startswith("Another")]
        made = subprocess.run(["bash", "-c", another], capture_output=True, text=True, check=True)
        assert re.fullmatch(r"API key: aiops_sk_[0-9A-Za-z]{36}\n", made.stdout)
        second = run(line)
        assert second["credits_remaining"] == 4990
        assert httpx.get(str(first["image_url"])).status_code == 200
    assert "aiops_sk_" not in (tmp_path / "log").read_text()


def test_what_is_spoken_is_understood_again_by_the_api(tmp_path: Path) -> None:
    """The link of one service is taken by another, although it leads to a private address."""
    port = free_port()
    with serving(tmp_path / "data", port) as printed:
        (key,) = [line.removeprefix("API key: ") for line in printed if line.startswith("API key: ")]
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=60
        ) as client:
            speech = client.post("/api/services/tts", json={"text": "The weather is nice today."}).json()
            answer = client.post("/api/services/transcribe", json={"audio_url": speech["audio_url"]})
            assert answer.status_code == 200
            foreign = speech["audio_url"].replace("signature=", "signature=x")
            refused = client.post("/api/services/transcribe", json={"audio_url": foreign})
            assert (refused.status_code, refused.json()["details"][0]["field"]) == (422, "audio_url")
            spanish = client.post("/api/services/transcribe", json={"audio_url": speech["audio_url"], "language": "es"})
            assert (spanish.status_code, spanish.json()["details"][0]["field"]) == (422, "language")
            assert client.get("/api/account").json()["credits"] == 5000 - 2 - 3


def test_a_port_that_is_taken_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "aiops", "serve", "--port", str(listener.getsockname()[1])]
        environment = {**os.environ, "AIOPS_DATA_DIR": str(tmp_path / "data")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "Address already in use" in done.stderr
    assert not (tmp_path / "data").exists()
