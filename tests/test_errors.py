"""One row for each error of the contract, with its exact body; nothing is held, charged or leaked by any of them."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from aiops import errors
from aiops.accounts import rate_limits
from aiops.contract.document import api_document
from aiops.errors import ApiError
from aiops.providers.base import Call, ProviderRejectedError, ProviderUnavailableError, Unsupported
from tests.fixtures.service import IMAGE, SPEECH, TRANSCRIPTION, Customer, Service, until

JSON = {"Content-Type": "application/json"}
NOT_JSON = 'The body is not valid JSON in UTF-8. Send an object such as {"prompt": "A lighthouse"}.'
NO_SUCH_PATH = "There is nothing under this path. The API is described at /openapi.yaml."
NOT_UNICODE = "Input should be a valid string, unable to parse raw data as a unicode string"
NOT_NULL = "Input should not be null; leave the field out"
BLANK = "Input should have at least one visible character and no NUL"


def invalid(name: str, message: str) -> dict[str, Any]:
    return {"error": "Invalid input", "code": "invalid_input", "details": [{"field": name, "message": message}]}


def malformed(error: str) -> dict[str, Any]:
    return {"error": error, "code": "malformed_request"}


@dataclass(frozen=True)
class Row:
    """A call that is refused as it comes, and what it is answered."""

    id: str
    status: int
    body: dict[str, Any]
    content: bytes = b""
    method: str = "POST"
    path: str = IMAGE
    headers: dict[str, str] = field(default_factory=lambda: JSON)
    answered: dict[str, str] = field(default_factory=dict)


MODEL = "Input should be 'vibevoice' or 'parler-tts/parler-tts-mini-v1'"
TOO_LARGE = {"error": "The body is larger than 65,536 bytes.", "code": "request_too_large"}
WRONG_TYPE = {
    "error": 'Send the body as JSON, uncompressed, with the header "Content-Type: application/json".',
    "code": "unsupported_media_type",
}
AWAY = {
    "error": "The service cannot reach its database at the moment. Nothing was charged; try again.",
    "code": "database_unavailable",
}
REFUSED = [
    Row("not json", 400, malformed(NOT_JSON), b"{prompt: lighthouse}"),
    Row("cut off", 400, malformed(NOT_JSON), b'{"prompt": "light'),
    Row("invalid utf-8", 400, malformed(NOT_JSON), b'{"prompt": "\xff\xfe"}'),
    Row("nested too deep", 400, malformed(NOT_JSON), b'{"prompt":' + b"[" * 30_000),
    Row("empty", 400, malformed("The body is empty. Send a JSON object."), b""),
    Row("number too long", 400, malformed(NOT_JSON), b'{"prompt": ' + b"1" * 5000 + b"}"),
    Row(
        "unknown path",
        404,
        {"error": NO_SUCH_PATH, "code": "not_found"},
        method="GET",
        path="/api/nothing",
    ),
    Row("nothing", 404, {"error": NO_SUCH_PATH, "code": "not_found"}, method="GET", path="/nothing"),
    Row("slash too many", 404, {"error": NO_SUCH_PATH, "code": "not_found"}, b'{"prompt": "x"}', path=f"{IMAGE}/"),
    Row(
        "unknown job",
        404,
        {"error": "There is no such job in this account.", "code": "not_found"},
        method="GET",
        path="/api/jobs/job_000000000000000000000000",
    ),
    Row(
        "unknown file",
        404,
        {
            "error": "There is no such file, or its link has expired.",
            "code": "not_found",
        },
        method="GET",
        path="/files/AAAAAAAAAAAAAAAAAAAAAA.png?expires=1767225600&signature=x",
    ),
    Row(
        "wrong method",
        405,
        {"error": "This path takes POST, not GET.", "code": "method_not_allowed"},
        method="GET",
        answered={"allow": "POST"},
    ),
    Row(
        "wrong method of a list",
        405,
        {"error": "This path takes GET, HEAD, not DELETE.", "code": "method_not_allowed"},
        method="DELETE",
        path="/api/jobs",
        answered={"allow": "GET, HEAD"},
    ),
    Row("too large", 413, TOO_LARGE, b'{"prompt": "' + b"x" * 65_536 + b'"}'),
    Row("form", 415, WRONG_TYPE, b"prompt=x", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    Row("no type", 415, WRONG_TYPE, b'{"prompt": "x"}', headers={}),
    Row("field missing", 422, invalid("prompt", "Field required"), b"{}"),
    Row("not an object", 422, invalid("", "Input should be a JSON object"), b'["prompt"]'),
    Row("wrong kind", 422, invalid("prompt", "Input should be a valid string"), b'{"prompt": 5}'),
    Row("not a choice", 422, invalid("model", MODEL), b'{"text": "x", "model": "bark"}', path=SPEECH),
    Row("null", 422, invalid("model", MODEL), b'{"text": "x", "model": null}', path=SPEECH),
    Row("null for nothing", 422, invalid("callback_url", NOT_NULL), b'{"prompt": "x", "callback_url": null}'),
    Row("unknown field", 422, invalid("seed", "Extra inputs are not permitted"), b'{"prompt": "x", "seed": 1}'),
    Row("half a surrogate as a name", 422, invalid("", NOT_UNICODE), b'{"prompt": "x", "\\ud800": 1}'),
    Row("half a surrogate", 422, invalid("prompt", NOT_UNICODE), b'{"prompt": "\\ud800"}'),
    Row("only spaces", 422, invalid("prompt", BLANK), b'{"prompt": "  \\n "}'),
    Row("NUL", 422, invalid("prompt", BLANK), b'{"prompt": "a\\u0000b"}'),
    Row(
        "too long",
        422,
        invalid("text", "String should have at most 500 characters"),
        json.dumps({"text": "x" * 501}).encode(),
        path=SPEECH,
    ),
    Row(
        "not a link",
        422,
        invalid("audio_url", "Input should be a link that begins with http:// or https://"),
        b'{"audio_url": "ftp://media.example/a.mp3"}',
        path=TRANSCRIPTION,
    ),
    Row(
        "limit too large",
        422,
        invalid("limit", "Input should be less than or equal to 100"),
        method="GET",
        path="/api/jobs?limit=101",
    ),
    Row(
        "cursor of somebody else",
        422,
        invalid("cursor", "Input should be the next_cursor of the page before"),
        method="GET",
        path="/api/jobs?cursor=abc",
    ),
    Row(
        "key too long",
        422,
        invalid("Idempotency-Key", "Input should be 1 to 255 printable ASCII characters"),
        b'{"prompt": "x"}',
        headers={**JSON, "Idempotency-Key": "k" * 256},
    ),
]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.id)
async def test_a_call_that_is_refused(sqlite_service: Service, row: Row) -> None:
    ada = await sqlite_service.customer()
    answer = await ada.client.request(row.method, row.path, content=row.content, headers=row.headers)
    assert (answer.status_code, answer.json()) == (row.status, row.body)
    assert row.answered.items() <= dict(answer.headers).items()
    assert sqlite_service.provider.calls == []
    assert await ada.credits() == 5000


@pytest.mark.parametrize("path", [IMAGE, "/api/account", "/api/jobs", "/api/jobs/x", "/api/credits/transactions"])
async def test_a_call_without_a_key(sqlite_service: Service, path: str) -> None:
    method = "POST" if path == IMAGE else "GET"
    answer = await sqlite_service.client().request(method, path, content=b"not even JSON")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json() == {
        "error": 'Missing or invalid API key. Send it as "Authorization: Bearer aiops_sk_…".',
        "code": "unauthorized",
    }


async def test_a_body_without_a_key_is_not_read(sqlite_service: Service) -> None:
    assert (await _send_endless(sqlite_service, sqlite_service.client().headers)).status_code == 401


async def test_a_body_without_a_length_is_read_to_the_limit(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    answer = await _send_endless(sqlite_service, ada.client.headers)
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)


async def _send_endless(service: Service, headers: Any) -> Any:
    """Sends a body that has no end: the call can only be answered if the body is not read to it."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 10_000
            await asyncio.sleep(0)

    client = service.client(**dict(headers))
    return await client.post(IMAGE, content=endless(), headers=JSON)


async def test_too_few_credits(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer(credits=4)
    answer = await ada.image()
    assert (answer.status_code, answer.json()) == (
        402,
        {"error": "Insufficient credits", "code": "insufficient_credits", "credits": 4, "cost": 5},
    )


async def test_an_idempotency_key_with_another_body(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    await ada.image("a lighthouse", **{"Idempotency-Key": "order-1"})
    answer = await ada.image("a harbour", **{"Idempotency-Key": "order-1"})
    assert (answer.status_code, answer.json()) == (
        422,
        {
            "error": "This Idempotency-Key was used with another body. Take a new key for new work.",
            "code": "idempotency_key_reused",
        },
    )


async def test_material_that_cannot_be_processed(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    answer = await _image_that_ends_in(ada, sqlite_service, ProviderRejectedError("The provider refuses this prompt."))
    assert (answer.status_code, answer.json()) == (
        422,
        {
            "error": "The input cannot be processed",
            "code": "unprocessable",
            "reason": "The provider refuses this prompt.",
            "refunded": True,
            "job_id": answer.json()["job_id"],
        },
    )
    assert await ada.credits() == 5000


async def test_a_provider_that_fails(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    answer = await _image_that_ends_in(ada, sqlite_service, ProviderUnavailableError("The provider is down."))
    assert (answer.status_code, answer.json()) == (
        500,
        {
            "error": "Generation failed",
            "code": "generation_failed",
            "reason": "The provider is down.",
            "refunded": True,
            "credits": 5000,
            "job_id": answer.json()["job_id"],
        },
    )


async def _image_that_ends_in(customer: Customer, service: Service, error: Exception) -> Any:
    async def fail(_call: Call) -> None:
        raise error

    service.provider.behave = fail
    return await customer.image()


async def test_more_calls_than_the_plan_allows(sqlite_service: Service) -> None:
    sqlite_service.clock.begin_minute()
    ada = await sqlite_service.customer(plan="free")
    answers = [await ada.image(prompt=str(number)) for number in range(5)]
    answers += [await ada.client.post(IMAGE, json={}) for _ in range(6)]
    last = answers[-1]
    seconds = int(last.headers["retry-after"])
    assert [answer.status_code for answer in answers] == [200] * 5 + [422] * 5 + [429]
    assert last.json() == {"error": "Rate limit exceeded", "code": "rate_limit_exceeded", "retry_after": seconds}
    assert last.headers["ratelimit"] == f'"services";r=0;t={seconds - rate_limits.CLOCKS_APART_SECONDS}'
    assert last.headers["ratelimit-policy"] == '"services";q=10;w=60'


async def test_a_queue_that_is_full(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer(plan="business")
    hang = asyncio.Event()

    async def wait(_call: Call) -> None:
        await hang.wait()

    sqlite_service.provider.behave = wait
    slots = sqlite_service.runtime.settings.job_slots
    waiting = [asyncio.create_task(ada.image(str(number))) for number in range(slots)]
    await until(lambda: _are_called(sqlite_service, slots))
    waiting += [asyncio.create_task(ada.image(str(number))) for number in range(100)]
    await until(lambda: _is_held(sqlite_service, ada, 5 * (100 + slots)))
    answer = await ada.image("one too many")
    hang.set()
    assert {one.status_code for one in await asyncio.gather(*waiting)} == {200}
    assert (answer.status_code, answer.json()) == (
        429,
        {"error": "100 jobs are waiting in your queue already", "code": "queue_full", "retry_after": 5},
    )


async def _is_held(service: Service, customer: Customer, credits_held: int) -> bool:
    return (await service.account(customer.id)).held == credits_held


async def _are_called(service: Service, calls: int) -> bool:
    return len(service.provider.calls) == calls


async def test_a_model_that_nobody_serves(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    sqlite_service.provider.models = frozenset({"black-forest-labs/FLUX.1-dev"})
    answer = await ada.image()
    assert (answer.status_code, answer.json()) == (
        503,
        {
            "error": "The model black-forest-labs/FLUX.1-schnell is not available on this server",
            "code": "model_unavailable",
            "available": ["black-forest-labs/FLUX.1-dev"],
        },
    )
    assert await ada.credits() == 5000


async def test_a_request_that_the_provider_cannot_take(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    sqlite_service.provider.objection = Unsupported("language", "Only en is understood here.")
    answer = await ada.client.post(TRANSCRIPTION, json={"audio_url": "https://media.example/a.mp3", "language": "es"})
    assert (answer.status_code, answer.json()) == (422, invalid("language", "Only en is understood here."))


async def test_what_nobody_foresaw(sqlite_service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    ada = await sqlite_service.customer()

    def unforeseen(*_: Any) -> None:
        raise RuntimeError("SELECT secret FROM table")

    sqlite_service.provider.serves = unforeseen  # type: ignore[method-assign, assignment]
    answer = await ada.image()
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "Something went wrong on our side.", "code": "internal_error"},
    )
    assert ada.key not in "".join(capsys.readouterr())


@pytest.mark.parametrize("path", ["/api/account", "/api/jobs", "/api/services"])
async def test_a_database_that_is_away(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    ada = await sqlite_service.customer()
    monkeypatch.setattr(sqlite_service.runtime.database.engine.sync_engine.pool, "connect", _refuse_to_connect)
    answer = await ada.client.get(path)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (503, "5", AWAY)
    called = await ada.image()
    assert (called.status_code, called.headers["retry-after"], called.json()) == (503, "5", AWAY)
    monkeypatch.undo()
    assert (await ada.image()).status_code == 200
    assert ada.key not in "".join(capsys.readouterr())


async def test_a_handler_that_breaks(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    answer = await _image_that_ends_in(ada, sqlite_service, RuntimeError("SELECT secret FROM table"))
    assert answer.status_code == 500
    assert answer.json()["reason"] == "Something went wrong on our side."
    assert await ada.credits() == 5000


def _refuse_to_connect() -> None:
    raise OperationalError("SELECT secret FROM table", {}, Exception("no such host: db.internal"))


CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, ApiError)]


@pytest.mark.parametrize("error", [one for one in CLASSES if one is not ApiError], ids=lambda one: one.__name__)
def test_each_error_is_the_one_the_document_names(error: type[ApiError]) -> None:
    schema = api_document().tree["components"]["schemas"][error.schema.__name__]
    assert error.schema.__name__ == error.__name__
    assert schema["allOf"][1]["properties"]["code"]["const"] == error.code
