"""Calls whose answer does not come: what may have been done is not left to Zapier to repeat, which is what Autoreplay
does with all errors that do not halt a run."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.platforms.zapier.app_in_core import APP, Outcome, running_app
from tests.connectors.platforms.zapier.conftest import PERFORM
from tests.connectors.platforms.zapier.test_errors import IMAGE, KEY, answer, answered
from tests.connectors.platforms.zapier.test_pages import served
from tests.fixtures.documents import with_operation
from tests.fixtures.web import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")
IMAGES = PERFORM.format("generate_image")
NAMED = {**IMAGE, "deduplication_key": "order 7"}
LOOK = "It may still have done the work; look before you replay the run."
SAFE = "It may still have done the work; a replay does not repeat it."


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


def read(found: Outcome) -> tuple[str, str]:
    """The error, and what people read of it."""
    return found.error, found.told["message"] if found.error == "AppError" else found.message


@pytest.mark.parametrize(
    ("met", "what"),
    [
        (hang_up, "The server gave no answer."),
        (answer(502, b"<html></html>"), "aiops answered with status 502."),
        (answer(504, b"<html></html>"), "aiops answered with status 504."),
        (answer(200, b"<html></html>"), "The server answered with something other than JSON."),
    ],
    ids=["cut", "502", "504", "no JSON"],
)
async def test_what_may_have_been_done_is_repeated_under_a_key_alone(met: bytes | Answer, what: str) -> None:
    async with answered(met, met) as (app, _):
        found = [await app.run(IMAGES, inputs, callback_url="https://hooks.example/1") for inputs in (IMAGE, NAMED)]
    assert [read(one) for one in found] == [("HaltedError", f"{what} {LOOK}"), ("AppError", f"{what} {SAFE}")]


@pytest.mark.parametrize("method", ["post", "patch", "put", "delete"])
async def test_only_what_is_done_twice_by_two_calls_is_halted(method: str, tmp_path: Path) -> None:
    """The others are idempotent (RFC 9110, section 9.2.2)."""
    async with served(with_operation({}, method=method), tmp_path, hang_up) as (app, _):
        found = await app.run(PERFORM.format("act"))
    is_work = method in ("post", "patch")
    told = ("HaltedError", LOOK) if is_work else ("AppError", "Try again later.")
    assert read(found) == (told[0], f"The server gave no answer. {told[1]}")


@pytest.mark.parametrize("host", ["127.0.0.1", "host.invalid"], ids=["refused", "unknown"])
async def test_what_has_not_been_sent_can_be_replayed(host: str) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        base = f"http://{host}:{held.getsockname()[1]}"
        async with running_app(APP, {"api_key": KEY}, AIOPS_BASE_URL=base) as app:
            found = await app.run(IMAGES, IMAGE, callback_url="https://hooks.example/1")
    assert read(found) == ("AppError", "The server cannot be reached at the moment. Try again later.")


async def test_a_file_that_comes_in_part_is_not_made_again(tmp_path: Path) -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nonly\r\n")
        await writer.drain()
        writer.close()

    audio: Any = {"200": {"description": "Done.", "content": {"audio/mpeg": {}}}}
    async with served(with_operation({"responses": audio}), tmp_path, cut) as (app, _):
        found = await app.run(PERFORM.format("act"))
    assert read(found) == ("HaltedError", f"The file came in part. {LOOK}")
