"""What is sent, to whom, and that large files are never in memory as a whole: against a server that keeps a record."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.platforms.n8n.conftest import Bench
from tests.fixtures.n8n import Execution, chain, node
from tests.fixtures.sink import Sink, digest, sink

pytestmark = pytest.mark.n8n

MEGABYTE = 1 << 20
SIZE_BYTES = 256 * MEGABYTE
# What the process of n8n may grow by meanwhile: less than the file, by far.
GROWTH_BYTES_MAX = 128 * MEGABYTE


@pytest.fixture
def taker() -> Iterator[Sink]:
    with sink({"id": "file_1", "name": "memo.wav", "file_url": "https://things.example/memo.wav"}) as running:
        yield running


def call_sink(bench: Bench, taker: Sink, resource: str, operation: str, **values: Any) -> Execution:
    """A step that takes this server for the API."""
    key = bench.n8n.credential("aiopsApi", "sink", baseUrl=taker.url, apiKey="key of the tests")
    return bench.n8n.run(chain(bench.step(resource, operation, **values) | {"credentials": key}))


def upload(bench: Bench, taker: Sink, url: str, size_bytes: int) -> Execution:
    """Fetches a file of this size by n8n's own node, and uploads it by ours to what is at the URL."""
    options = {"response": {"response": {"responseFormat": "file"}}}
    fetch = node("Fetch", "n8n-nodes-base.httpRequest", {"url": f"{taker.url}/{size_bytes}", "options": options}, 4.2)
    step = bench.step("file", "upload", output="url")
    step |= {"credentials": bench.n8n.credential("aiopsApi", "sink", baseUrl=url, apiKey="none")}
    return bench.n8n.run(chain(fetch, step))


def peak_bytes(pid: int) -> int:
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@contextmanager
def in_little_memory(bench: Bench) -> Iterator[None]:
    """The process of n8n does not grow by as much as a file has."""
    Path(f"/proc/{bench.n8n.pid}/clear_refs").write_text("5")  # the peak is now what is in memory at this moment
    before = peak_bytes(bench.n8n.pid)
    yield
    assert peak_bytes(bench.n8n.pid) - before < GROWTH_BYTES_MAX


def test_a_large_file_that_is_uploaded_is_never_whole_in_memory(bench: Bench, taker: Sink) -> None:
    upload(bench, taker, taker.url, MEGABYTE)
    with in_little_memory(bench):
        done = upload(bench, taker, taker.url, SIZE_BYTES)
    assert done.status == "success", done.error
    assert done.json("Step") == [taker.answer]
    (_, small), (length_bytes, large) = taker.taken
    assert (small, large) == (digest(MEGABYTE), digest(SIZE_BYTES))
    assert 0 < length_bytes - SIZE_BYTES < 1000


def test_a_large_file_of_a_result_is_never_whole_in_memory_and_fetched_without_the_key(
    bench: Bench, taker: Sink
) -> None:
    with sink({}) as host, in_little_memory(bench):
        taker.answer = {"success": True, "image_url": f"{host.url}/{SIZE_BYTES}.wav?signature=none"}
        done = call_sink(bench, taker, "image", "generate", prompt="a boat")
    assert done.status == "success", done.error
    (item,) = done.items("Step")
    file = item["binary"]["data"]
    assert (file["fileName"], file["mimeType"], file["bytes"]) == (f"{SIZE_BYTES}.wav", "audio/wav", SIZE_BYTES)
    (headers,) = host.fetched_with
    assert "key of the tests" not in "".join(headers.values())


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {}),
        ({"additionalFields": {"style": "anime"}}, {"style": "anime"}),
        ({"additionalFields": {"style": "={{ null }}"}}, {}),
    ],
    ids=["nothing", "one field", "null"],
)
def test_nothing_is_sent_but_what_is_set(
    bench: Bench, taker: Sink, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    done = call_sink(bench, taker, "image", "generate", prompt="a boat", **given)
    assert done.status == "success", done.error
    assert taker.bodies == [{"prompt": "a boat"} | sent]


def test_an_error_within_a_result_does_not_make_it_a_failed_one(bench: Bench, taker: Sink) -> None:
    """n8n takes an item whose JSON has a member `error` for one that failed, and would run the node again."""
    taker.answer = {"success": False, "error": {"code": "blurred"}}
    done = call_sink(bench, taker, "image", "generate", prompt="a boat")
    assert done.status == "success", done.error
    (answer,) = done.json("Step")
    assert "error" not in answer
    assert answer["failure"] == {"code": "blurred"}


def test_an_upload_that_is_cut_off_says_what_that_can_mean(bench: Bench, taker: Sink) -> None:
    """A service that refuses a call does not always read on until the file is over."""
    taker.is_rude = True
    done = upload(bench, taker, taker.url, 32 * MEGABYTE)
    assert done.error is not None
    assert done.error["message"] == "The service ended the call while a file was on its way [item 0]"
    assert done.error["description"].startswith("Test the credential, and see how large a file may be.")


def test_an_upload_is_not_sent_on_to_another_address(bench: Bench, taker: Sink) -> None:
    taker.moved_to = f"{taker.url}/elsewhere"
    done = upload(bench, taker, taker.url, MEGABYTE)
    assert done.error is not None
    assert done.error["message"] == f"The service sends this call to another address: {taker.url}/elsewhere [item 0]"
    assert done.error["description"].endswith("enter that as the base URL of the credential.")
    assert len(taker.taken) == 1
