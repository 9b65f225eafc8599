"""The command, on the app in `papers`: what it sends, prints, and exits with."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aiops_connect.platforms.make.runner.cli import app
from tests.connectors.platforms.make.runner.service import Answer, Service
from tests.connectors.platforms.make.runner.test_bodies import parts_of

PAPERS = Path(__file__).parent / "papers"
KEY = "papers-key-123456"
CONNECTION = json.dumps({"apiKey": KEY})


def run(service: Service, component: str, params: Any = None, *options: str, clock: str = "instant") -> Result:
    arguments = ["run", str(PAPERS), component, "--base-url", f"{service.url}/api", "--connection", CONNECTION]
    arguments += ["--clock", clock, *(["--params", json.dumps(params)] if params is not None else []), *options]
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert KEY not in result.output
    return result


def printed(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def paper(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "published": True, "authors": [{"name": "Ann"}, {"name": "Bob"}], **more}


def test_a_search_over_three_pages(service: Service) -> None:
    service.will_answer(
        Answer("GET /api/papers?topic=ai&since=2026-03-04", {"data": [paper(1), paper(2)], "next_cursor": "a"}),
        Answer(
            "GET /api/papers?topic=ai&since=2026-03-04&cursor=a",
            {"data": [paper(3, published=False), paper(4)], "next_cursor": "b"},
        ),
        Answer("GET /api/papers?topic=ai&since=2026-03-04&cursor=b", {"data": [paper(5)], "next_cursor": None}),
    )
    result = run(service, "searchPapers", {"topic": "ai", "since": "2026-03-04T10:00:00Z"})
    bundles = printed(result)["bundles"]
    assert [bundle["id"] for bundle in bundles] == [1, 2, 4, 5]
    assert bundles[0] == {"id": 1, "author": "Ann", "authors": "Ann, Bob"}
    assert {request.headers["authorization"] for request in service.received} == {f"Bearer {KEY}"}
    assert [line.split(" -> ")[0] for line in result.stderr.splitlines()] == [
        f"GET {service.url}/api/papers?topic=ai&since=2026-03-04",
        f"GET {service.url}/api/papers?topic=ai&since=2026-03-04&cursor=a",
        f"GET {service.url}/api/papers?topic=ai&since=2026-03-04&cursor=b",
    ]


def test_what_can_be_run_is_listed(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["list", str(PAPERS)])
    assert [line.partition("\t")[0] for line in result.stdout.splitlines()] == [
        "connection:apiKey",
        "webhook:translations",
        "attach:translations",
        "detach:translations",
        "searchPapers",
        "translatePaper",
        "downloadPaper",
        "uploadPaper",
        "watchPapers",
        "watchTranslations",
        "makeApiCall",
        "rpc:listTopics",
    ]
    assert CliRunner().invoke(app, ["list", str(tmp_path)]).exit_code == 3


def translation(status: str, **more: Any) -> Answer:
    return Answer("GET /api/translations/t1", {"status": status, **more})


def test_waiting_takes_no_time_on_the_instant_clock(service: Service) -> None:
    service.will_answer(
        Answer("POST /api/papers/a%2Fb/translations", {"id": "t1", "status": "running"}, 202),
        translation("running"),
        translation("running"),
        translation("done", url="https://papers.example/t1.pdf"),
    )
    params = {"paperId": "a/b", "language": "de", "glossary": [{"from": "x", "to": "y"}]}
    bundle = {"id": "t1", "url": "https://papers.example/t1.pdf", "seconds": 10}
    assert printed(run(service, "translatePaper", params))["bundles"] == [bundle]
    assert service.received[0].json == {"language": "de", "glossary": [{"from": "x", "to": "y"}]}
    assert len(service.received[0].headers["idempotency-key"]) == 64


def test_each_run_is_an_execution_of_its_own(service: Service) -> None:
    answer = Answer("POST /api/papers/a/translations", {"id": "t1", "status": "done"})
    service.will_answer(answer, answer)
    for _ in range(2):
        printed(run(service, "translatePaper", {"paperId": "a", "language": "de"}))
    first, second = (request.headers["idempotency-key"] for request in service.received)
    assert first != second


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([translation("failed", reason="no text")], "Translation t1 failed: no text."),
        ([translation("running")] * 25, "Translation t1 takes too long."),
    ],
)
def test_an_error_of_the_app_exits_with_1(service: Service, answers: list[Answer], message: str) -> None:
    service.will_answer(Answer("POST /api/papers/a/translations", {"id": "t1", "status": "running"}), *answers)
    result = run(service, "translatePaper", {"paperId": "a", "language": "fr"})
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"error": {"type": "DataError", "message": message, "status": None}}


def test_an_error_of_the_service_names_its_status(service: Service) -> None:
    service.will_answer(Answer("GET /api/topics", {}, 429, {"Retry-After": "7"}))
    result = run(service, "rpc:listTopics")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == {
        "type": "RateLimitError",
        "message": "[429] Try again in 7 seconds.",
        "status": 429,
    }


def test_an_rpc(service: Service) -> None:
    service.will_answer(Answer("GET /api/topics", {"data": [{"id": 2, "name": "b"}, {"id": 1, "name": "A"}]}))
    assert printed(run(service, "rpc:listTopics"))["bundles"] == [
        {"label": "A", "value": 1},
        {"label": "b", "value": 2},
    ]


def test_a_connection(service: Service) -> None:
    service.will_answer(Answer("GET /api/account", {"email": "a@b.example"}))
    assert printed(run(service, "connection:apiKey")) == {
        "bundles": [],
        "stored": {"metadata": {"type": "email", "value": "a@b.example"}},
    }


def test_a_file_up_and_down(service: Service, tmp_path: Path) -> None:
    content = bytes(range(256)) * 8
    (tmp_path / "a.pdf").write_bytes(content)
    service.will_answer(Answer("POST /api/papers", {"id": 1}), Answer("GET /api/papers/a.pdf", content))
    params = {"fileName": "a.pdf", "data": f"@{tmp_path / 'a.pdf'}", "title": "@@home"}
    assert printed(run(service, "uploadPaper", params))["bundles"] == [{"id": 1}]
    assert [(name, file, data) for name, file, _, data in parts_of(service.received[0])] == [
        ("file", "a.pdf", content),
        ("title", None, b"@home"),
    ]
    saved = tmp_path / "saved"
    bundle = printed(run(service, "downloadPaper", {"paperId": "a"}, "--save-files", str(saved)))["bundles"][0]
    assert bundle["data"]["size_bytes"] == 2048
    assert bundle["data"]["file"] == str(saved / "a.pdf")
    assert (saved / "a.pdf").read_bytes() == content


def test_a_file_name_of_the_service_stays_in_the_folder(service: Service, tmp_path: Path) -> None:
    service.will_answer(*(Answer("GET /api/papers/..%2F..%2Fa.pdf", b"x") for _ in range(2)))
    for expected in ("a.pdf", "2-a.pdf"):
        result = run(service, "downloadPaper", {"paperId": "../../a"}, "--save-files", str(tmp_path / "saved"))
        assert printed(result)["bundles"][0]["data"]["file"] == str(tmp_path / "saved" / expected)


def test_a_trigger_goes_on_where_it_was(service: Service) -> None:
    papers = [{"id": number, "published": f"2026-03-0{number}T00:00:00Z"} for number in (4, 3, 2, 1)]
    service.will_answer(*(Answer("GET /api/papers?order=newest", {"data": papers}) for _ in range(2)))
    first = printed(run(service, "watchPapers"))
    assert [bundle["id"] for bundle in first["bundles"]] == [1, 2]
    second = printed(run(service, "watchPapers", None, "--data", json.dumps(first["stored"]["data"])))
    assert [bundle["id"] for bundle in second["bundles"]] == [3, 4]


def test_a_webhook_from_attaching_to_detaching(service: Service, tmp_path: Path) -> None:
    service.will_answer(Answer("POST /api/webhooks", {"id": "w1"}), Answer("DELETE /api/webhooks/w1", None, 204))
    attached = printed(run(service, "attach:translations", None, "--webhook", '{"url": "https://hook.example/1"}'))
    assert attached["stored"] == {"data": {"externalHookId": "w1"}}
    payload = tmp_path / "payload.json"
    payload.write_text('{"body": {"type": "translation.done", "data": {"id": "t1"}}}')
    delivered = printed(run(service, "watchTranslations", None, "--payload", f"@{payload}"))
    assert delivered == {"bundles": [{"id": "t1"}], "reply": {"status": 200, "headers": {}, "body": "Accepted"}}
    printed(run(service, "detach:translations", None, "--webhook", json.dumps(attached["stored"]["data"])))


def test_the_universal_module(service: Service) -> None:
    service.will_answer(Answer("POST /papers?q=1%202", {"id": 1}, 201))
    pairs = {"headers": [{"key": "x-a", "value": "b"}], "qs": [{"key": "q", "value": "1 2"}]}
    bundle = printed(run(service, "makeApiCall", {"url": "/papers", "method": "POST", "body": "{}", **pairs}))[
        "bundles"
    ][0]
    assert (bundle["body"], bundle["statusCode"]) == ({"id": 1}, 201)
    assert service.received[0].headers["x-a"] == "b"
    assert service.received[0].body == b"{}"


def test_another_server_may_have_another_base_path(service: Service) -> None:
    service.will_answer(Answer("GET /v2/topics", {"data": []}), Answer("GET /papers", {}))
    options = ("--base-url", f"{service.url}/v2/")
    printed(run(service, "rpc:listTopics", None, *options))
    printed(run(service, "makeApiCall", {"url": "/papers"}, *options))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("//evil.example/a", "/evil.example/a"),
        ("/@evil.example", "/@evil.example"),
        ("/\\evil", "/%5Cevil"),
        ("/../a", "/a"),
    ],
)
def test_a_hostile_path_stays_on_the_host(service: Service, url: str, path: str) -> None:
    service.will_answer(Answer(f"GET {path}", {}))
    printed(run(service, "makeApiCall", {"url": url}))


def test_verbose_shows_headers_and_bodies_without_secrets(service: Service) -> None:
    service.will_answer(Answer("POST /api/papers/a/translations", {"id": "t1", "status": "done"}))
    result = run(service, "translatePaper", {"paperId": "a", "language": "fr"}, "--verbose")
    lines = result.stderr.splitlines()
    assert "  > authorization: [sanitized]" in lines
    assert "  > content-type: application/json" in lines
    assert '  >   "language": "fr"' in lines
    assert '  <   "status": "done"' in lines


def test_the_trace_as_a_file(service: Service, tmp_path: Path) -> None:
    service.will_answer(Answer("GET /api/topics", {"data": []}))
    file = tmp_path / "trace.json"
    printed(run(service, "rpc:listTopics", None, "--trace", str(file)))
    (exchange,) = json.loads(file.read_text())["exchanges"]
    assert exchange["request"]["url"] == f"{service.url}/api/topics"
    assert exchange["request"]["headers"]["authorization"] == "[sanitized]"
    assert exchange["response"]["body"] == {"data": []}
    assert file.stat().st_mode & 0o077 == 0


# The arguments after the folder, the exit code, and what is said.
WRONG: list[tuple[list[str], int, str]] = [
    (["searchPapers", "--params", "{"], 2, "--params is not JSON: "),
    (["searchPapers", "--params", "[]"], 2, '--params has to be a JSON object such as {"name": "value"}'),
    (
        ["searchPapers", "--params", "@/no/such.json"],
        2,
        "--params: /no/such.json cannot be read: No such file or directory.",
    ),
    (
        ["uploadPaper", "--params", '{"data": "@nowhere"}'],
        2,
        "--params: nowhere cannot be read: No such file or directory. Write @@ for a text that begins with @.",
    ),
    (["searchPapers", "--params", '{"topik": 1}'], 2, "topik: There is no such parameter. Did you mean 'topic'?"),
    (["translatePaper"], 2, "paperId: It is required.\nlanguage: It is required."),
    (["searchPapers", "--connection", "{}"], 2, "connection.apiKey: It is required."),
    (
        ["searchPapers", "--timezone", "Prague"],
        2,
        "--timezone: unknown time zone 'Prague'; use a name like Europe/Prague",
    ),
    (["module:searchPaper"], 3, "The app has no module 'searchPaper'. Did you mean 'searchPapers'?"),
    (["modul:x"], 2, "unknown kind 'modul'; there is module, rpc, "),
    (["webhook:translations"], 2, "payload: A webhook needs one: what the service sends, as JSON."),
    (["webhook:translations", "--payload", '{"data": 1}'], 2, "--payload has no member 'data'; it has body, "),
    (["searchPapers", "--base-url", "localhost:8000"], 2, "--base-url begins with http:// or https://"),
    (["searchPapers", "--clock", "sundial"], 2, "'sundial' is not one of"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), WRONG, ids=[row[2][:40] for row in WRONG])
def test_what_is_wrong_is_said(arguments: list[str], code: int, message: str) -> None:
    connection = [] if "--connection" in arguments else ["--connection", CONNECTION]
    result = CliRunner().invoke(app, ["run", str(PAPERS), *arguments, *connection])
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""


def test_a_mistake_in_the_app_exits_with_3(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["run", str(tmp_path), "any"])
    assert result.exit_code == 3
    assert result.stderr.startswith(f"makecomapp.json\n  {tmp_path} has no such file")


def test_every_file_of_the_app_is_used() -> None:
    manifest = (PAPERS / "makecomapp.json").read_text()
    files = {str(path.relative_to(PAPERS)) for path in PAPERS.rglob("*.json")} - {"makecomapp.json"}
    assert {file for file in files if file not in manifest} == set()
