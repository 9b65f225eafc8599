"""The rendered app, run against the service: what somebody in Make gets of each module."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Any

import httpx

from tests.connectors.platforms.make.rendered import MakeAccount, ours
from tests.fixtures.media import wav
from tests.fixtures.providers import MP3
from tests.fixtures.server import StubServer

RECORDING = wav(8000, 1, bytes(range(256)) * 64)
NewAccount = Callable[..., MakeAccount]


def path_of(module: str, code: str) -> str:
    path: str = ours()["makecomapp.json"]["components"]["module"][module]["codeFiles"][code]
    return path


def assert_fits(output: dict[str, Any], module: str) -> None:
    """What came out has the members of the interface and of the samples, of their types."""
    interface: list[dict[str, Any]] = ours()[path_of(module, "interface")]
    names = {one["name"] for one in interface}
    assert set(output) == names == set(ours()[path_of(module, "samples")])
    assert_typed(output, interface)


KINDS: dict[str, Any] = {
    "buffer": bytes, "boolean": bool, "uinteger": int, "number": int | float, "array": list, "collection": dict,
    "date": datetime,
}  # fmt: skip


def assert_typed(output: dict[str, Any], interface: list[dict[str, Any]]) -> None:
    """Whatever is put out, also within, can be mapped: the interface names it, with its type."""
    specs = {one["name"]: one for one in interface}
    assert output.keys() <= specs.keys()
    for name, value in output.items():
        if value is None:
            continue
        assert isinstance(value, KINDS.get(specs[name]["type"], str)), name
        if isinstance(inner := specs[name].get("spec"), list):
            for one in value if isinstance(value, list) else [value]:
                assert_typed(one, inner)


def test_the_connection_is_tested_and_named(account: MakeAccount) -> None:
    stored = account.run("connection:apiKey").stored
    assert stored["metadata"]["type"] == "email"
    assert stored["metadata"]["value"].startswith("somebody")
    assert account.trace.warnings == []


def test_an_image_comes_as_link_and_file(account: MakeAccount) -> None:
    output = account.output("generateImage", prompt="a lighthouse", aspect_ratio="16:9")
    assert_fits(output, "generateImage")
    assert output["status"] == "succeeded"
    assert output["credits_charged"] == 5
    assert output["data"].startswith(b"\x89PNG")
    assert output["file_name"].endswith(".png")
    assert output["file_name"] in output["image_url"]
    assert account.trace.warnings == []


def test_speech_comes_byte_for_byte(account: MakeAccount) -> None:
    output = account.output("generateSpeech", text="Welcome back.")
    assert_fits(output, "generateSpeech")
    assert output["data"] == httpx.get(output["audio_url"]).content == MP3
    assert output["file_name"].endswith(".mp3")


def test_what_is_not_entered_is_not_sent(account: MakeAccount) -> None:
    account.output("generateImage", prompt="a lighthouse", wait_for_completion=False)
    account.run("listJobs", parameters={"limit": 1})
    [start, search] = [exchange.request for exchange in account.trace.exchanges]
    assert set(start["body"]) == {"prompt", "aspect_ratio", "style", "model"}
    assert "" not in start["body"].values()
    assert "?limit=100" in search["url"]
    assert "status" not in search["url"]


def test_a_link_alone_where_nobody_wants_the_file(account: MakeAccount) -> None:
    output = account.output("generateImage", prompt="a lighthouse", download_file=False)
    assert output["image_url"]
    assert not output.keys() & {"file_name", "data"}


def test_the_key_does_not_go_with_the_download(account: MakeAccount) -> None:
    account.output("generateImage", prompt="a lighthouse")
    sent = [exchange.request for exchange in account.trace.exchanges]
    assert "authorization" in sent[0]["headers"]
    assert "/files/" in sent[-1]["url"]
    assert "authorization" not in sent[-1]["headers"]


def test_a_file_goes_up_and_is_transcribed(account: MakeAccount) -> None:
    output = account.output(
        "transcribeAudio", audio_url_source="file", audio_url_file_name="call.wav", audio_url_data=RECORDING
    )
    assert_fits(output, "transcribeAudio")
    assert output["text"] == "what was said"
    assert output["credits_charged"] == 3


def test_an_upload_answers_with_a_link_to_the_same_bytes(account: MakeAccount) -> None:
    output = account.output("uploadFile", file_file_name="call.wav", file_data=RECORDING)
    assert_fits(output, "uploadFile")
    assert output["name"] == "call.wav"
    assert output["size_bytes"] == len(RECORDING)
    assert httpx.get(output["file_url"]).content == RECORDING
    spoken = account.output("transcribeAudio", audio_url=output["file_url"])
    assert spoken["text"] == "what was said"


def test_a_job_is_started_looked_up_and_searched(account: MakeAccount) -> None:
    started = account.output("generateImage", prompt="a lighthouse", wait_for_completion=False)
    assert started["status"] in ("queued", "running", "succeeded")
    job = account.output("getJob", job_id=started["job_id"])
    assert_fits(job, "getJob")
    [found] = account.run("listJobs", parameters={}).bundles
    assert_fits(found, "listJobs")
    assert found["id"] == started["job_id"]
    [option] = account.run("rpc:listJobsOptions").bundles
    assert option == {"label": f"generate_image {found['id']}", "value": found["id"]}
    assert_fits(account.output("cancelJob", job_id=found["id"]), "cancelJob")


def test_the_account(account: MakeAccount) -> None:
    output = account.output("getAccount")
    assert_fits(output, "getAccount")
    assert output["plan"] == "business"


def test_a_search_reads_three_pages(account: MakeAccount, aiops_server: StubServer) -> None:
    """Of a hundred each, as large as the service makes them."""
    job = account.output("generateSpeech", text="again and again", download_file=False)["job_id"]
    copy_job(aiops_server, job, 204)
    account.trace.exchanges.clear()
    found = account.run("listJobs", parameters={"limit": 203, "service": "generate_speech"}).bundles
    assert len({bundle["id"] for bundle in found if isinstance(bundle, dict)}) == 203
    assert [exchange.page for exchange in account.trace.exchanges] == [1, 2, 3]


def copy_job(server: StubServer, job_id: str, times: int) -> None:
    """The same job under other ids, without the work."""
    with closing(sqlite3.connect(server.database_url.removeprefix("sqlite:///"), timeout=30)) as database, database:
        rows = database.execute("SELECT * FROM job WHERE id = ?", [job_id])
        names = [column[0] for column in rows.description]
        row = dict(zip(names, rows.fetchone(), strict=True))
        marks = ", ".join("?" * len(names))
        copies = [list({**row, "id": f"{job_id[:-4]}{number:04}"}.values()) for number in range(times)]
        database.executemany(f"INSERT INTO job VALUES ({marks})", copies)
