import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import event, select
from sqlmodel import col

from aiops.accounts import keys
from aiops.accounts.accounts import AccountError
from aiops.accounts.authentication import authenticate, create_key, revoke_key
from aiops.database.engine import Database
from aiops.database.tables import ApiKey
from aiops.errors import UnauthorizedError
from tests.fixtures.service import IMAGE, Customer, Service

UNAUTHORIZED = {
    "error": 'Missing or invalid API key. Send it as "Authorization: Bearer aiops_sk_…".',
    "code": "unauthorized",
}


async def key_row(service: Service, customer: Customer) -> ApiKey:
    async with service.runtime.database.read() as session:
        rows = await session.execute(select(ApiKey).where(col(ApiKey.digest) == keys.digest(customer.key)))
        return rows.scalar_one()


async def revoke(service: Service, customer: Customer) -> None:
    key = await key_row(service, customer)
    async with service.runtime.database.write() as session:
        await revoke_key(session, key.id, service.clock())


def assert_unauthorized(answer: httpx.Response) -> None:
    assert answer.status_code == 401
    assert answer.json() == UNAUTHORIZED
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "ratelimit" not in answer.headers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ada(shared_service: Service) -> Customer:
    return await shared_service.customer()


MALFORMED: list[tuple[str, Callable[[str], bytes | None]]] = [
    ("no header", lambda _: None),
    ("empty header", lambda _: b""),
    ("scheme only", lambda _: b"Bearer"),
    ("scheme and space", lambda _: b"Bearer "),
    ("key without scheme", lambda key: key.encode()),
    ("another scheme", lambda key: f"Basic {key}".encode()),
    ("no space", lambda key: f"Bearer{key}".encode()),
    ("two keys", lambda key: f"Bearer {key} {key}".encode()),
    ("key and comma", lambda key: f"Bearer {key},".encode()),
    ("cut off", lambda key: f"Bearer {key[:-1]}".encode()),
    ("typing error", lambda key: f"Bearer {key[:20]}{'a' if key[20] == 'b' else 'b'}{key[21:]}".encode()),
    ("other case", lambda key: f"Bearer {key.upper()}".encode()),
    ("unknown", lambda _: f"Bearer {keys.new_key()}".encode()),
    ("the digest", lambda key: f"Bearer {keys.digest(key)}".encode()),
    ("not ASCII", lambda _: "Bearer aiops_sk_ключ".encode()),
    ("not UTF-8", lambda _: b"Bearer aiops_sk_\xff\xfe"),
    ("quotes", lambda _: b"Bearer ' OR '1'='1"),
    ("very long", lambda _: b"Bearer aiops_sk_" + b"a" * 50_000),
]


@pytest.mark.parametrize("header", [header for _, header in MALFORMED], ids=[name for name, _ in MALFORMED])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_missing_malformed_or_unknown_key_is_one_401(
    shared_service: Service, ada: Customer, header: Callable[[str], bytes | None]
) -> None:
    value = header(ada.key)
    headers = {} if value is None else {"Authorization": value}
    assert_unauthorized(await shared_service.client().get("/api/account", headers=headers))  # type: ignore[arg-type]


async def test_an_expired_or_revoked_key_is_the_same_401(service: Service) -> None:
    ada = await service.customer()
    async with service.runtime.database.write() as session:
        expires_at = service.clock() + timedelta(days=1)
        key = await create_key(session, ada.id, "for a day", service.clock(), expires_at)
    of_a_day = service.client(Authorization=f"Bearer {key}")
    assert (await of_a_day.get("/api/account")).status_code == 200
    service.clock.advance(days=1)
    assert_unauthorized(await of_a_day.get("/api/account"))
    assert await ada.credits()
    await revoke(service, ada)
    assert_unauthorized(await ada.client.get("/api/account"))


async def refused_keys(service: Service) -> dict[str, str]:
    """Keys that are refused, each for a reason of its own."""
    ada = await service.customer()
    async with service.runtime.database.write() as session:
        expired = await create_key(session, ada.id, "over", service.clock(), service.clock())
    await revoke(service, ada)
    unknown = keys.new_key()
    return {
        "revoked": ada.key,
        "expired": expired,
        "unknown": unknown,
        "typing error": unknown[:-1] + ("a" if unknown[-1] == "b" else "b"),
        "cut off": ada.key[:-1],
        "one character more": ada.key + "x",
        "no key at all": "x",
        "far too long": ada.key + "x" * 10_000,
    }


async def test_the_answer_does_not_tell_why_a_key_is_refused(service: Service) -> None:
    refused = await refused_keys(service)
    answers = {}
    for reason, key in refused.items():
        answer = await service.client(Authorization=f"Bearer {key}").get("/api/account")
        headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
        answers[reason] = answer.status_code, headers, answer.content
    assert answers == dict.fromkeys(refused, answers["unknown"])


async def test_the_database_is_asked_the_same_why_ever_a_key_is_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the time tells nothing either. No more of a key is hashed than one has."""
    refused = await refused_keys(service)
    hashed: list[int] = []
    monkeypatch.setattr(keys, "hashlib", CountedHash(hashed))
    database = Database(service.runtime.database.url.render_as_string(hide_password=False))
    asked: dict[str, list[str]] = {}
    for reason, key in refused.items():
        statements = asked[reason] = []
        watched = partial(note_statement, statements)
        event.listen(database.engine.sync_engine, "before_cursor_execute", watched)
        with pytest.raises(UnauthorizedError):
            await authenticate(database, service.runtime.plans, f"Bearer {key}", service.clock())
        event.remove(database.engine.sync_engine, "before_cursor_execute", watched)
    await database.close()
    assert any("api_key" in statement for statement in asked["unknown"])
    assert asked == dict.fromkeys(refused, asked["unknown"])
    assert len(hashed) == len(refused)
    assert max(hashed) <= keys.LENGTH + 1


@dataclass(frozen=True)
class CountedHash:
    """SHA-256 that notes how much it was given."""

    lengths: list[int]

    def sha256(self, data: bytes) -> Any:
        self.lengths.append(len(data))
        return hashlib.sha256(data)


def note_statement(statements: list[str], _connection: object, _cursor: object, statement: str, *_: object) -> None:
    statements.append(statement)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/services/image_gen"),
        ("POST", "/api/services/tts"),
        ("POST", "/api/services/transcribe"),
        ("GET", "/api/account"),
        ("GET", "/api/services"),
        ("GET", "/api/jobs"),
        ("GET", "/api/jobs/job_5f0c2b9e7d1a4c3b8e6f9a02"),
        ("GET", "/api/credits/transactions"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_every_call_of_an_account_asks_for_a_key(shared_service: Service, method: str, path: str) -> None:
    assert_unauthorized(await shared_service.client().request(method, path))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
@pytest.mark.asyncio(loop_scope="module")
async def test_the_scheme_is_read_in_any_case(shared_service: Service, ada: Customer, scheme: str) -> None:
    client = shared_service.client(Authorization=f"{scheme} {ada.key}")
    assert (await client.get("/api/account")).status_code == 200


async def test_a_key_is_checked_before_the_body_is_read(sqlite_service: Service) -> None:
    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = await sqlite_service.client().post(IMAGE, content=body(), headers={"Content-Type": "application/json"})
    assert_unauthorized(answer)


async def test_a_revoked_key_ends_at_once_and_the_others_go_on(service: Service) -> None:
    ada = await service.customer()
    async with service.runtime.database.write() as session:
        other = await create_key(session, ada.id, "another", service.clock())
    assert (await ada.image()).status_code == 200
    await revoke(service, ada)
    assert_unauthorized(await ada.image())
    assert (await service.client(Authorization=f"Bearer {other}").get("/api/account")).status_code == 200


async def test_a_key_is_revoked_once(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    await revoke(sqlite_service, ada)
    with pytest.raises(AccountError, match=r"no key key_[0-9a-f]{24} that could be revoked"):
        await revoke(sqlite_service, ada)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
@pytest.mark.asyncio(loop_scope="module")
async def test_the_name_of_a_key_has_1_to_100_characters(shared_service: Service, ada: Customer, name: str) -> None:
    with pytest.raises(AccountError, match="1 to 100 printable characters"):
        async with shared_service.runtime.database.write() as session:
            await create_key(session, ada.id, name, shared_service.clock())


async def test_the_last_use_is_noted_to_the_minute(service: Service) -> None:
    ada = await service.customer()
    assert (await key_row(service, ada)).last_used_at is None
    before = service.clock()
    await ada.credits()
    first = (await key_row(service, ada)).last_used_at
    assert first is not None
    assert before <= first <= service.clock()
    await ada.credits()
    assert (await key_row(service, ada)).last_used_at == first
    service.clock.advance(minutes=1)
    await ada.credits()
    second = (await key_row(service, ada)).last_used_at
    assert second is not None
    assert second - first >= timedelta(minutes=1)


async def test_a_refused_key_is_not_noted_as_used(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    await revoke(sqlite_service, ada)
    assert_unauthorized(await ada.client.get("/api/account"))
    assert (await key_row(sqlite_service, ada)).last_used_at is None
