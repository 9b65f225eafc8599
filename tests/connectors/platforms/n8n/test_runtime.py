"""The hand-written part of the package, as it is compiled: how values are written, and which deliveries are genuine."""

import json
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.fixtures.n8n import PACKAGE, node_environment

pytestmark = pytest.mark.n8n

RUNTIME = PACKAGE / "dist" / "nodes" / "runtime"
CALLS = """
const { folder, calls } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const made = calls.map(({ file, name, args }) => require(`${folder}/${file}.js`)[name](...args));
process.stdout.write(JSON.stringify(made));
"""

COLOURS = ["blue", "black"]
RGB = {"R": 100, "G": 200}
# The table of OpenAPI 3.1, section 4.8.12.4, and what has to be escaped.
WRITTEN: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("inPath", {"style": "simple"}, "blue", "blue"),
    ("inPath", {"style": "simple"}, COLOURS, "blue,black"),
    ("inPath", {"style": "simple"}, RGB, "R,100,G,200"),
    ("inPath", {"style": "simple", "explode": True}, RGB, "R=100,G=200"),
    ("inPath", {"style": "label"}, "blue", ".blue"),
    ("inPath", {"style": "label", "explode": True}, COLOURS, ".blue.black"),
    ("inPath", {"style": "matrix"}, "blue", ";color=blue"),
    ("inPath", {"style": "matrix"}, COLOURS, ";color=blue,black"),
    ("inPath", {"style": "matrix", "explode": True}, COLOURS, ";color=blue;color=black"),
    ("inPath", {"style": "matrix", "explode": True}, RGB, ";R=100;G=200"),
    ("inPath", {"style": "simple"}, "../a b/ü?", "..%2Fa%20b%2F%C3%BC%3F"),
    ("inQuery", {"style": "form", "explode": True}, COLOURS, [["color", "blue"], ["color", "black"]]),
    ("inQuery", {"style": "form", "explode": False}, COLOURS, [["color", "blue,black"]]),
    ("inQuery", {"style": "form", "explode": True}, RGB, [["R", "100"], ["G", "200"]]),
    ("inQuery", {"style": "form", "explode": False}, RGB, [["color", "R,100,G,200"]]),
    ("inQuery", {"style": "spaceDelimited", "explode": False}, COLOURS, [["color", "blue%20black"]]),
    ("inQuery", {"style": "pipeDelimited", "explode": False}, COLOURS, [["color", "blue|black"]]),
    ("inQuery", {"style": "deepObject", "explode": True}, RGB, [["color[R]", "100"], ["color[G]", "200"]]),
    ("inQuery", {"style": "form", "explode": True}, "a&b=c/d", [["color", "a%26b%3Dc%2Fd"]]),
    ("inQuery", {"style": "form", "explode": True, "allowReserved": True}, "a&b=c/d", [["color", "a&b=c/d"]]),
    ("inQuery", {"contentType": "application/json"}, {"a": 1}, [["color", "%7B%22a%22%3A1%7D"]]),
    ("inHeader", {"style": "simple"}, "two\r\nX-Evil: lines", "two X-Evil: lines"),
]


def called(*calls: dict[str, Any]) -> list[Any]:
    """What the functions of the compiled runtime return."""
    asked = json.dumps({"folder": str(RUNTIME), "calls": calls})
    done = subprocess.run(
        ["node", "-e", CALLS], input=asked, env=node_environment(), capture_output=True, text=True, check=True
    )
    made: list[Any] = json.loads(done.stdout)
    return made


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    subprocess.run(["npm", "run", "--silent", "build"], cwd=PACKAGE, env=node_environment(), check=True)


def test_values_are_written_as_openapi_says() -> None:
    calls = [
        {"file": "encoding", "name": name, "args": [{"name": "color", **how}, value]} for name, how, value, _ in WRITTEN
    ]
    assert called(*calls) == [written for *_, written in WRITTEN]


def test_only_genuine_deliveries_are_taken() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = '{"type":"job.succeeded"}'
    sent = 1767607200
    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(sent, UTC), body)
    good = {"webhook-id": "msg_1", "webhook-timestamp": str(sent), "webhook-signature": signature}
    cases: list[tuple[str, dict[str, str], str, int, bool]] = [
        (secret, good, body, sent, True),
        (secret, {**good, "webhook-signature": f"v1,AAAA v2,BBBB {signature}"}, body, sent, True),
        (secret, good, body + " ", sent, False),
        (secret, {**good, "webhook-id": "msg_2"}, body, sent, False),
        ("whsec_" + "A" * 32, good, body, sent, False),
        (secret, good, body, sent + 301, False),
        (secret, good, body, sent - 301, False),
        (secret, {**good, "webhook-timestamp": f"{sent}x"}, body, sent, False),
        (secret, {**good, "webhook-signature": "v1,"}, body, sent, False),
        (secret, {}, body, sent, False),
    ]
    calls = [
        {"file": "signature", "name": "isGenuine", "args": [key, headers, text, now * 1000]}
        for key, headers, text, now, _ in cases
    ]
    assert called(*calls) == [genuine for *_, genuine in cases]
