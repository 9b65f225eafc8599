"""Each step of our node, run by a real n8n against the running service."""

import base64
import io
import threading
import time
import wave

import httpx
import pytest

from tests.connectors.platforms.n8n.conftest import AIOPS, Bench
from tests.connectors.platforms.n8n.test_outages import JOB, WORK, Asked, Told, serving
from tests.fixtures.n8n import N8n, chain, node, until

pytestmark = pytest.mark.n8n

IMAGE_CREDITS = 5


def recording(seconds: float = 1) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(b"\x00\x01" * int(16000 * seconds))
    return buffer.getvalue()


def test_a_credential_is_tested(bench: Bench) -> None:
    good = bench.n8n.test_credential("aiopsApi", baseUrl=f"{bench.server.url}/", apiKey=bench.key)
    assert good["status"] == "OK"
    assert bench.n8n.test_credential("aiopsApi", baseUrl=bench.server.url, apiKey="wrong")["status"] == "Error"


def test_the_node_is_found_as_people_look_for_it(bench: Bench) -> None:
    """Under the heading for AI, with a symbol for light and one for dark, and its resources in the singular."""
    found = {one["name"]: one for one in bench.n8n.client.get("/types/nodes.json").json()}[AIOPS]
    assert found["codex"]["categories"] == ["AI"]
    assert {"Speech", "aiops API"} <= set(found["codex"]["alias"])
    (resource,) = [one for one in found["properties"] if one["name"] == "resource"]
    assert [one["name"] for one in resource["options"]] == [
        "Account",
        "File",
        "Image",
        "Job",
        "Speech",
        "Transcription",
    ]
    icons = [bench.n8n.client.get(f"/{found['iconUrl'][theme]}") for theme in ("light", "dark")]
    assert [icon.headers["content-type"].partition(";")[0] for icon in icons] == ["image/svg+xml"] * 2
    assert icons[0].content != icons[1].content


def test_a_credential_asks_where_the_service_is(bench: Bench) -> None:
    types = {one["name"]: one for one in bench.n8n.client.get("/types/credentials.json").json()}
    (url,) = [one for one in types["aiopsApi"]["properties"] if one["name"] == "baseUrl"]
    assert (url["required"], url["default"]) == (True, "")


def test_an_image_comes_as_a_file_and_a_link(bench: Bench) -> None:
    done = bench.do("image", "generate", {"json": {"about": "a lighthouse"}}, prompt="={{ $json.about }}")
    assert done.status == "success", done.error
    (item,) = done.items("Step")
    answer = item["json"]
    assert (answer["success"], answer["credits"]) == (True, {"charged": 5, "refunded": 0, "left": bench.credits})
    assert answer["job_id"].startswith("job_")
    assert item["pairedItem"] == {"item": 0}
    file = item["binary"]["data"]
    assert (file["mimeType"], file["fileExtension"]) == ("image/png", "png")
    assert file["fileName"].endswith(".png")
    assert bench.n8n.file(file) == httpx.get(answer["image_url"]).content


@pytest.mark.parametrize(("output", "has_file", "has_link"), [("url", False, True), ("file", True, False)])
def test_the_output_can_be_chosen(bench: Bench, output: str, has_file: bool, has_link: bool) -> None:
    done = bench.do("speech", "generate", text="Good morning.", output=output, binaryPropertyName="spoken")
    (item,) = done.items("Step")
    assert ("spoken" in item.get("binary", {}), "audio_url" in item["json"]) == (has_file, has_link)


def test_optional_fields_are_sent_only_where_they_are_added(bench: Bench) -> None:
    fields = {
        "voice": {"__rl": True, "mode": "id", "value": "en-Sarah_woman"},
        "model": {"__rl": True, "mode": "list", "value": "vibevoice"},
    }
    done = bench.do("speech", "generate", text="Good evening.", additionalFields=fields, output="url")
    assert done.status == "success", done.error
    refused = bench.do(
        "speech",
        "generate",
        text="Good evening.",
        additionalFields={"voice": {"__rl": True, "mode": "id", "value": "nobody"}},
    )
    assert refused.error is not None
    assert refused.error["message"] == "Invalid input [item 0]"
    assert "voice" in refused.error["description"]


def test_a_recording_is_uploaded_and_transcribed(bench: Bench) -> None:
    sound = recording()
    item = {
        "json": {},
        "binary": {"data": {"data": base64.b64encode(sound).decode(), "mimeType": "audio/wav", "fileName": "memo"}},
    }
    done = bench.do("transcription", "transcribe", item, audioUrlSource="file")
    assert done.status == "success", done.error
    (answer,) = done.json("Step")
    assert (answer["text"], answer["credits_charged"]) == ("what was said", 3)
    uploaded = bench.do("file", "upload", item)
    (file,) = uploaded.json("Step")
    assert file["name"] == "memo.wav"
    assert httpx.get(file["file_url"]).content == sound
    by_link = bench.do("transcription", "transcribe", audioUrl=file["file_url"])
    assert by_link.json("Step")[0]["text"] == "what was said"


def test_jobs_are_listed_looked_up_and_cancelled(bench: Bench) -> None:
    made = bench.do("image", "generate", {"json": {}}, {"json": {}}, prompt="a boat", output="url").json("Step")
    ids = [answer["job_id"] for answer in made]
    listed = bench.do("job", "getAll", returnAll=True).json("Step")
    assert [job["id"] for job in listed] == ids[::-1]
    (one,) = bench.do("job", "getAll", limit=1, filters={"status": "succeeded"}).json("Step")
    assert one["id"] == ids[1]
    assert one["credits"] == {"charged": 5, "refunded": 0, "left": bench.credits}
    locator = {"__rl": True, "mode": "id", "value": ids[0]}
    (job,) = bench.do("job", "get", jobId=locator).json("Step")
    assert (job["status"], job["result"]["success"]) == ("succeeded", True)
    assert job["credits"] == {"charged": 5, "refunded": 0, "left": bench.credits}
    with bench.server.hold():
        (open_job,) = bench.do("image", "generate", prompt="slow", waitForCompletion=False).json("Step")
        assert open_job["status"] == "queued" or open_job["status"] == "running"
        assert open_job["credits"] == {"charged": 0, "refunded": 0, "left": bench.credits}
        locator = {"__rl": True, "mode": "id", "value": open_job["job_id"]}
        (cancelled,) = bench.do("job", "cancel", jobId=locator).json("Step")
    assert cancelled["status"] == "cancelled"
    assert cancelled["credits"] == {"charged": 0, "refunded": 5, "left": bench.credits}


def test_lists_can_be_searched(bench: Bench) -> None:
    bench.do("image", "generate", prompt="a boat", output="url")
    by_name = _searched(bench, "searchModel", "/parameters/additionalFields.model", "pro")
    assert [one["value"] for one in by_name] == ["fal-ai/flux-pro"]
    voices = _searched(bench, "searchVoice", "/parameters/additionalFields.voice", "sarah")
    assert [one["value"] for one in voices] == ["en-Sarah_woman"]
    (job,) = _searched(bench, "searchJobId", "/parameters/jobId", "image")
    assert job["name"] == f"generate_image ({job['value']})"


def _searched(bench: Bench, method: str, path: str, text: str) -> list[dict[str, str]]:
    found = bench.n8n.post(
        "/rest/dynamic-node-parameters/resource-locator-results",
        path=path,
        nodeTypeAndVersion={"name": "n8n-nodes-aiops.aiops", "version": 1},
        currentNodeParameters={"resource": "job", "operation": "get"},
        methodName=method,
        filter=text,
        credentials=bench.credential,
    )
    results: list[dict[str, str]] = found["results"]
    return results


def test_the_account_is_shown(bench: Bench) -> None:
    (account,) = bench.do("account", "get").json("Step")
    assert account["credits"] == bench.credits


def test_a_retry_is_not_charged_again(bench: Bench) -> None:
    before = bench.credits
    bench.server.fail_once("second")
    prompts = [{"json": {"about": f"{word} {time.time()}"}} for word in ("first", "second", "third")]
    settings = {"retryOnFail": True, "maxTries": 3, "waitBetweenTries": 0}
    done = bench.do("image", "generate", *prompts, settings=settings, prompt="={{ $json.about }}", output="url")
    assert done.status == "success", done.error
    assert len(done.json("Step")) == 3
    assert before - bench.credits == 3 * IMAGE_CREDITS
    charges = bench.api("GET", "/api/jobs", params={"status": "succeeded"})["data"]
    assert len(charges) == 3


def test_a_file_is_uploaded_once_however_often_the_node_is_tried(bench: Bench) -> None:
    """A link that is new at each try would be new work."""
    before = bench.credits
    sounds = [recording(1), b"no recording"]
    items = [
        {
            "json": {},
            "binary": {
                "data": {"data": base64.b64encode(sound).decode(), "mimeType": "audio/wav", "fileName": "a.wav"}
            },
        }
        for sound in sounds
    ]
    settings = {"retryOnFail": True, "maxTries": 3, "waitBetweenTries": 0}
    done = bench.do("transcription", "transcribe", *items, settings=settings, audioUrlSource="file")
    assert done.status == "error"
    (job,) = bench.api("GET", "/api/jobs")["data"]
    assert (job["status"], before - bench.credits) == ("succeeded", 3)


def test_two_executions_are_two_pieces_of_work(bench: Bench) -> None:
    before = bench.credits
    workflow = chain(bench.step("image", "generate", prompt="the same", output="url"))
    for _ in range(2):
        assert bench.n8n.run(workflow).status == "success"
    assert before - bench.credits == 2 * IMAGE_CREDITS


def test_what_takes_too_long_is_taken_up_again(bench: Bench) -> None:
    before = bench.credits
    with bench.server.hold():
        late = bench.do("image", "generate", prompt="slow", options={"maximumWait": 1})
    assert late.error is not None
    job_id = late.error["context"]["details"]["jobId"]
    assert late.error["message"] == f"Job {job_id} is not done after 1 seconds [item 0]"
    assert "Wait for Completion" in late.error["description"]
    done = bench.do("job", "wait", jobId={"__rl": True, "mode": "id", "value": job_id})
    assert done.status == "success", done.error
    (item,) = done.items("Step")
    assert bench.n8n.file(item["binary"]["data"]) == httpx.get(item["json"]["image_url"]).content
    assert item["json"]["credits"] == {"charged": IMAGE_CREDITS, "refunded": 0, "left": before - IMAGE_CREDITS}
    assert before - bench.credits == IMAGE_CREDITS


def test_stopping_an_execution_gives_the_credits_back(bench: Bench) -> None:
    before = bench.credits
    with bench.server.hold():
        execution = bench.n8n.start(chain(bench.step("image", "generate", prompt="slow")))
        until(lambda: [job["status"] for job in bench.api("GET", "/api/jobs")["data"]] == ["running"])
        bench.n8n.stop(execution)
        until(lambda: [job["status"] for job in bench.api("GET", "/api/jobs")["data"]] == ["cancelled"])
    assert bench.n8n.wait(execution).status == "canceled"
    assert bench.credits == before


def test_stopping_an_execution_while_its_call_is_answered_cancels_the_job(n8n: N8n) -> None:
    is_stopped = threading.Event()

    def answer(asked: Asked) -> Told:
        if asked.path == WORK:
            is_stopped.wait(60)
            return Told(202, JOB)
        return Told(body={**JOB, "status": "cancelled"})

    with serving(lambda _: answer) as service:
        credential = n8n.credential("aiopsApi", "slow", baseUrl=service.url, apiKey="key")
        parameters = {"resource": "image", "operation": "generate", "prompt": "slow"}
        execution = n8n.start(chain(node("Step", AIOPS, parameters, credentials=credential)))
        until(lambda: len(service.asked) == 1)
        n8n.stop(execution)
        is_stopped.set()
        until(lambda: len(service.asked) == 2)
    assert service.asked[-1].path == "/api/jobs/job_7/cancel"


def test_a_job_without_a_result_says_why(bench: Bench) -> None:
    bench.server.fail_once("broken")
    with bench.server.hold():  # a job that ends before the call that begins it is answered is none for n8n
        begun = bench.server.log.count('"status": 202')
        execution = bench.n8n.start(chain(bench.step("image", "generate", prompt="broken")))
        until(lambda: bench.server.log.count('"status": 202') > begun)
    done = bench.n8n.wait(execution)
    assert done.error is not None
    assert done.error["message"] == "Generate an image: the job ended without a result [item 0]"
    assert f"Credits refunded: 5. Credits left: {bench.credits}." in done.error["description"]
    assert done.error["context"]["details"]["credits"] == {"charged": 0, "refunded": 5, "left": bench.credits}


def test_a_job_is_simplified_unless_all_of_it_is_wanted(bench: Bench) -> None:
    (made,) = bench.do("speech", "generate", text="Good night.", output="url").json("Step")
    locator = {"__rl": True, "mode": "id", "value": made["job_id"]}
    (simple,) = bench.do("job", "get", jobId=locator).json("Step")
    (whole,) = bench.do("job", "get", jobId=locator, simplify=False).json("Step")
    assert len(simple) <= 10 < len(whole)
    assert simple.items() <= whole.items()
    assert whole == bench.api("GET", f"/api/jobs/{made['job_id']}") | {"credits": whole["credits"]}
    (waited,) = bench.do("job", "wait", jobId=locator, output="url").json("Step")
    assert waited.keys() - {"credits"} <= made.keys()
    (all_of_it,) = bench.do("job", "wait", jobId=locator, output="url", simplify=False).json("Step")
    assert all_of_it.keys() >= whole.keys() | {"audio_url"}


def test_an_item_that_fails_stops_the_workflow(bench: Bench) -> None:
    done = bench.do(
        "image",
        "generate",
        {"json": {}},
        {"json": {"about": ""}},
        prompt="={{ $json.about ?? 'a boat' }}",
        output="url",
    )
    assert done.status == "error"
    assert done.error is not None
    assert (done.error["message"], done.error["context"]["itemIndex"]) == ("Invalid input [item 1]", 1)


ITEMS = ({"json": {"about": "a boat"}}, {"json": {"about": ""}}, {"json": {"about": "a house"}})


def test_an_item_that_fails_can_go_on(bench: Bench) -> None:
    done = bench.do(
        "image",
        "generate",
        *ITEMS,
        settings={"onError": "continueRegularOutput"},
        prompt="={{ $json.about }}",
        output="url",
    )
    assert done.status == "success"
    first, failed, last = done.items("Step")
    assert first["json"]["success"] is last["json"]["success"] is True
    assert failed["json"]["error"] == "Invalid input [item 1]"
    assert failed["json"]["details"]["httpCode"] == 422
    assert failed["pairedItem"] == {"item": 1}


def test_an_item_that_fails_can_leave_by_the_error_output(bench: Bench) -> None:
    done = bench.do(
        "image",
        "generate",
        *ITEMS,
        settings={"onError": "continueErrorOutput"},
        prompt="={{ $json.about }}",
        output="url",
    )
    assert [one["success"] for one in done.json("Step", 0)] == [True, True]
    (failed,) = done.json("Step", 1)
    assert failed["details"]["code"] == "invalid_input"
    assert failed["error"] == "Invalid input [item 1]"
