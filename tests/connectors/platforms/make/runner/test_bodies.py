"""Files up and down, and OAuth 1 signatures."""

import re
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

from tests.connectors.platforms.make.runner.apps import one_module
from tests.connectors.platforms.make.runner.service import Answer, Received, Service

SOUND = bytes(range(256)) * 4
FILE = [{"name": "data", "type": "buffer"}, {"name": "fileName", "type": "filename"}]


def parts_of(request: Received) -> list[tuple[Any, ...]]:
    """Name, file name, content type and content of each part."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(head + request.body)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get("content-type"),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


def upload(tmp_path: Path, service: Service, body: Any) -> Received:
    service.will_answer(Answer("POST /files", {"ok": True}))
    communication = {"url": f"{service.url}/files", "method": "POST", "type": "multipart/form-data", "body": body}
    one_module(tmp_path, communication, mappableParams=FILE).run(parameters={"data": SOUND, "fileName": "ä.mp3"})
    return service.received[-1]


def test_a_file_with_its_name(tmp_path: Path, service: Service) -> None:
    body = {
        "file": {"value": "{{parameters.data}}", "options": {"filename": "{{parameters.fileName}}"}},
        "language": "en",
        "tags": "{{split('a,b', ',')}}",
        "none": "{{parameters.none}}",
        "null": None,
    }
    assert parts_of(upload(tmp_path, service, body)) == [
        ("file", "ä.mp3", "audio/mpeg", SOUND),
        ("language", None, None, b"en"),
        ("tags", None, None, b"a"),
        ("tags", None, None, b"b"),
    ]


def test_a_content_type_that_the_app_sets(tmp_path: Path, service: Service) -> None:
    options = {"filename": "a.bin", "contentType": "audio/x-own"}
    assert parts_of(upload(tmp_path, service, {"file": {"value": "{{parameters.data}}", "options": options}})) == [
        ("file", "a.bin", "audio/x-own", SOUND)
    ]


def test_a_bare_buffer_has_no_file_name(tmp_path: Path, service: Service) -> None:
    assert parts_of(upload(tmp_path, service, {"file": "{{parameters.data}}"})) == [("file", None, None, SOUND)]


def test_a_file_comes_down_byte_for_byte(tmp_path: Path, service: Service) -> None:
    service.will_answer(Answer("GET /a.mp3", SOUND, content_type="audio/mpeg"))
    output = {"fileName": "a.mp3", "data": "{{body}}"}
    communication = {"url": f"{service.url}/a.mp3", "response": {"type": "binary", "output": output}}
    tried = one_module(tmp_path, communication)
    assert tried.run().bundles == [{"fileName": "a.mp3", "data": SOUND}]
    assert tried.trace.exchanges[0].response is not None
    assert tried.trace.exchanges[0].response["body"] == "[1024 bytes]"


def test_oauth_1_signs_the_request(tmp_path: Path, service: Service) -> None:
    service.will_answer(Answer("GET /a?b=c", {}))
    oauth = {"consumer_key": "ck", "consumer_secret": "cs", "token": "t", "token_secret": "ts"}
    one_module(tmp_path, {"url": f"{service.url}/a", "qs": {"b": "c"}, "oauth": oauth}).run()
    header = service.received[0].headers["authorization"]
    assert header.startswith("OAuth oauth_nonce=")
    fields = dict(re.findall(r'(\w+)="([^"]*)"', header))
    assert fields["oauth_consumer_key"] == "ck"
    assert fields["oauth_token"] == "t"
    assert fields["oauth_signature_method"] == "HMAC-SHA1"
    assert len(fields["oauth_signature"]) > 20
