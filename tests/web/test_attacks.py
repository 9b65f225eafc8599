"""What somebody could try against the pages, and what comes of it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update
from starlette.routing import Route

from aiops.accounts import attempts
from aiops.accounts.accounts import find_account
from aiops.database.tables import Account, ApiKey, RateWindow, WebSession
from aiops.ledger import ledger
from aiops.providers.base import Call, ProviderRejectedError
from aiops.storage.sweep import sweep
from aiops.web import password_reset
from aiops.web.routes import PAGES
from tests.fixtures.service import BASE_URL, SPEECH, Service, running_service
from tests.fixtures.visitor import PASSWORD, Visitor, visitor

SCRIPT = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}</title>"
POSTS = [route for route in PAGES if route.methods and "POST" in route.methods]
PRIVATE = [
    *("/dashboard", "/jobs", "/jobs/recent", "/jobs/job_000000000000000000000000", "/transactions"),
    *("/transactions.csv", "/api-keys", "/settings", "/billing", "/billing/paid"),
    *("/webhooks", "/webhooks/deliveries", "/webhooks/hook_000000000000000000000000"),
]


def path_of(route: Route) -> str:
    """The path of a route, of things that do not exist."""
    return re.sub(r"\{(\w+?)_id\}", lambda part: f"{part[1]}_{'0' * 24}", route.path)


async def test_a_form_of_a_foreign_page_is_refused(sqlite_service: Service) -> None:
    ada, mallory = visitor(sqlite_service), visitor(sqlite_service)
    await ada.sign_up()
    async with sqlite_service.runtime.database.write() as session:
        await session.execute(update(Account).values(is_administrator=True))  # who has every form
    await mallory.sign_up("mallory@example.com")
    fields = {"email": "ada@example.com", "password": "another password", "current": PASSWORD, "name": "x"}
    for token in ({}, mallory.form("/sign-out").fields, {"csrf_token": "x" * 43}):
        for route in POSTS:
            answer = await ada.client.post(path_of(route), data={**fields, **token})
            assert (route.path, answer.status_code, "The form has expired" in answer.text) == (route.path, 403, True)
    assert (await visitor(sqlite_service).sign_in()).url.path == "/dashboard", "nothing has changed"


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/forgot-password"])
async def test_a_foreign_page_signs_nobody_in(sqlite_service: Service, path: str) -> None:
    """Also where nobody is signed in yet: the token belongs to the browser that was shown the form."""
    await visitor(sqlite_service).sign_up()
    mallory, ada = visitor(sqlite_service), visitor(sqlite_service)
    await mallory.get(path)
    fields = {**mallory.form(path).fields, "email": "ada@example.com", "password": PASSWORD}
    assert (await ada.client.post(path, data=fields)).status_code == 403


@pytest.mark.parametrize("path", PRIVATE)
async def test_a_stranger_is_sent_to_sign_in(sqlite_service: Service, path: str) -> None:
    nobody = visitor(sqlite_service)
    await nobody.get(path)
    assert nobody.path == "/sign-in"
    nobody.client.cookies.set("aiops_session", "x" * 43)
    await nobody.get(path)
    assert nobody.path == "/sign-in"


async def test_a_session_cannot_be_planted_beforehand(sqlite_service: Service) -> None:
    ada = visitor(sqlite_service)
    await ada.sign_up()
    planted = visitor(sqlite_service)
    planted.client.cookies.set("aiops_session", "planted-by-mallory")
    await planted.sign_in()
    assert {cookie.value for cookie in planted.client.cookies.jar if cookie.name == "aiops_session"} != {
        "planted-by-mallory"
    }
    mallory = visitor(sqlite_service)
    mallory.client.cookies.set("aiops_session", "planted-by-mallory")
    assert (await mallory.get("/dashboard")).url.path == "/sign-in"


async def test_each_sign_in_is_a_new_session_and_ends_the_one_before(sqlite_service: Service) -> None:
    ada = visitor(sqlite_service)
    await ada.sign_up()
    first = ada.client.cookies["aiops_session"]
    token = ada.form("/sign-out").fields
    await ada.client.post("/sign-in", data={**token, "email": "ada@example.com", "password": PASSWORD})
    assert ada.client.cookies["aiops_session"] != first
    thief = visitor(sqlite_service)
    thief.client.cookies.set("aiops_session", first)
    assert (await thief.get("/dashboard")).url.path == "/sign-in"


def without_what_differs(text: str) -> str:
    return re.sub(r'name="csrf_token" value="[^"]+"|value="[^"]*@example.com"', "", text)


async def test_signing_in_tells_nothing_of_who_has_an_account(sqlite_service: Service) -> None:
    await visitor(sqlite_service).sign_up()
    await sqlite_service.customer("cli@example.com")  # has no password
    pages = [
        await visitor(sqlite_service).sign_in(email, "not the password")
        for email in ("ada@example.com", "nobody@example.com", "cli@example.com")
    ]
    assert {page.status_code for page in pages} == {401}
    assert len({without_what_differs(page.text) for page in pages}) == 1


async def test_asking_for_a_new_password_tells_nothing_of_who_has_an_account(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same page, and the work that differs is done after it was answered."""
    sent: list[str] = []

    async def send(_visit: object, email: str) -> None:
        sent.append(email)

    monkeypatch.setattr(password_reset, "_send", send)
    await visitor(sqlite_service).sign_up()
    pages = []
    for email in ("ada@example.com", "nobody@example.com"):
        person = visitor(sqlite_service)
        await person.get("/forgot-password")
        pages.append(await person.send("/forgot-password", email=email))
    assert pages[0].text == pages[1].text
    assert sent == ["ada@example.com", "nobody@example.com"]


async def test_signing_up_tells_nothing_where_email_can_be_sent(
    tmp_path: Path, new_database: Callable[[str], str]
) -> None:
    async with running_service(tmp_path, new_database("sqlite"), smtp_url="smtp://127.0.0.1:1") as running:
        first, second = [await visitor(running).sign_up() for _ in range(2)]
        assert (first.status_code, first.text) == (second.status_code, second.text)


@pytest.mark.parametrize(
    "target",
    [
        *(
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/dashboard@evil.example",
            "javascript:alert(1)",
        ),
        *(
            "/dashboard\r\nLocation: https://evil.example",
            "/sign-out",
            "/api-keys.evil.example",
            "dashboard",
            "/%2f/evil",
        ),
    ],
)
async def test_signing_in_leads_to_no_other_site(sqlite_service: Service, target: str) -> None:
    await visitor(sqlite_service).sign_up()
    ada = visitor(sqlite_service)
    await ada.client.get("/sign-in", params={"next": target})
    await ada.get("/sign-in")
    answer = await ada.client.post(
        "/sign-in",
        data={**ada.form("/sign-in").fields, "email": "ada@example.com", "password": PASSWORD, "next": target},
        follow_redirects=False,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


async def test_a_script_that_was_stored_is_shown_as_text(sqlite_service: Service) -> None:
    """In a prompt, in a name of a key, and in the reason of a failure."""
    ada = visitor(sqlite_service)
    await ada.sign_up()
    key = await _reveal(ada)
    api = sqlite_service.client(Authorization=f"Bearer {key}")
    await ada.send("/api-keys", name=SCRIPT.replace("\n", ""))
    await api.post(SPEECH, json={"text": SCRIPT})

    async def reject(_call: Call) -> None:
        raise ProviderRejectedError(SCRIPT)

    sqlite_service.provider.behave = reject
    failed = (await api.post(SPEECH, json={"text": SCRIPT})).json()
    for path in ("/dashboard", "/jobs", f"/jobs/{failed['job_id']}", "/api-keys", "/transactions"):
        text = (await ada.get(path)).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "49</title>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in (await ada.get("/jobs")).text


@pytest.mark.parametrize(
    "path",
    [f"/sign-in?next={SCRIPT}", f"/transactions?type={SCRIPT}", f"/reset-password?token={SCRIPT}", f"/jobs/{SCRIPT}"],
)
async def test_a_script_in_a_link_is_not_reflected(sqlite_service: Service, path: str) -> None:
    ada = visitor(sqlite_service)
    await ada.sign_up()
    assert "<script>alert" not in (await ada.get(path)).text
    assert "<script>alert" not in (await visitor(sqlite_service).get(path)).text


async def test_a_script_that_was_typed_is_shown_as_text(sqlite_service: Service) -> None:
    answer = await visitor(sqlite_service).sign_up(SCRIPT)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


async def test_every_page_forbids_foreign_content(sqlite_service: Service) -> None:
    ada = visitor(sqlite_service)
    await ada.sign_up()
    for path in ("/", "/sign-in", "/dashboard", "/jobs", "/api-keys", "/transactions", "/settings", "/jobs/x"):
        headers = (await ada.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


async def test_pages_bring_no_inline_script_and_no_foreign_address(sqlite_service: Service) -> None:
    ada = visitor(sqlite_service)
    await ada.sign_up()
    for path in ("/", "/sign-in", "/dashboard", "/jobs", "/api-keys", "/transactions", "/settings"):
        text = (await ada.get(path)).text
        assert re.findall(r"<script(?! src=\"/static/)[^>]*>", text) == []
        assert re.findall(r"\s(?:style|on\w+)=", text) == []
        assert re.findall(r"(?:src|href)=\"(?!/|#)[^\"]*\"", text) == []


@pytest.mark.parametrize(
    ("public_url", "name", "is_secure"),
    [("https://aiops.test", "__Host-aiops_session", True), (BASE_URL, "aiops_session", False)],
)
async def test_the_cookie_of_a_session(
    tmp_path: Path, new_database: Callable[[str], str], public_url: str, name: str, is_secure: bool
) -> None:
    async with running_service(tmp_path, new_database("sqlite"), public_url=public_url) as running:
        ada = visitor(running)
        ada.client.base_url = public_url
        await ada.get("/sign-up")
        fields = {**ada.form("/sign-up").fields, "email": "ada@example.com", "password": PASSWORD}
        answer = await ada.client.post("/sign-up", data=fields, follow_redirects=False)
        (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}=")]
        attributes = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite", "path", "max-age"} <= attributes
        assert "samesite=lax" in cookie.lower()
        assert ("secure" in attributes) is is_secure
        assert "domain" not in attributes


async def test_the_database_holds_neither_password_nor_session(sqlite_service: Service) -> None:
    ada = visitor(sqlite_service)
    await ada.sign_up()
    token = ada.client.cookies["aiops_session"]
    async with sqlite_service.runtime.database.read() as session:
        kept = [
            str(row.model_dump())
            for table in (Account, WebSession, ApiKey)
            for row in (await session.execute(select(table))).scalars()
        ]
    assert "$argon2id$" in "".join(kept)
    assert PASSWORD not in "".join(kept)
    assert token not in "".join(kept)
    assert re.search(r"aiops_sk_\w{36}", "".join(kept)) is None


async def test_passwords_cannot_be_tried_for_ever(sqlite_service: Service) -> None:
    await visitor(sqlite_service).sign_up()
    mallory = visitor(sqlite_service)
    sqlite_service.clock.begin_window(attempts.WINDOW_SECONDS)
    answers = [await mallory.sign_in(password=f"guess number {number}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 901
    assert (await visitor(sqlite_service).sign_in()).status_code == 429, "the right one neither, lest it be told"
    sqlite_service.clock.begin_window(attempts.WINDOW_SECONDS)
    assert (await visitor(sqlite_service).sign_in()).url.path == "/dashboard"


Attempt = Callable[[Visitor, int], Awaitable[httpx.Response]]
ATTEMPTS: dict[str, Attempt] = {
    "addresses": lambda person, number: person.sign_in(f"person{number}@example.com", "123456789 0"),
    "accounts": lambda person, number: person.sign_up(f"person{number}@example.com"),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
@pytest.mark.parametrize("host", ["198.51.100.7", "2001:db8:1:2::{}", "::ffff:198.51.100.7"])
async def test_one_network_cannot_try_many(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch, attempt: Attempt, host: str
) -> None:
    monkeypatch.setitem(attempts.LIMITS, "attempts of a network", 3)
    sqlite_service.clock.begin_window(attempts.WINDOW_SECONDS)
    answers = [await attempt(visitor(sqlite_service, client=(host.format(number), 1)), number) for number in range(5)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, False, True, True]
    elsewhere = visitor(sqlite_service, client=("203.0.113.7", 1))
    assert (await attempt(elsewhere, 99)).status_code != 429


async def test_a_stranger_cannot_lock_an_owner_out(sqlite_service: Service) -> None:
    """However often one network tries, the owner's own can still sign in."""
    await visitor(sqlite_service).sign_up()
    sqlite_service.clock.begin_window(attempts.WINDOW_SECONDS)
    mallory = visitor(sqlite_service, client=("198.51.100.7", 1))
    for number in range(15):
        await mallory.sign_in(password=f"guess number {number}")
    ada = visitor(sqlite_service, client=("203.0.113.7", 1))
    assert (await ada.sign_in()).url.path == "/dashboard"


async def test_attempts_are_forgotten(sqlite_service: Service) -> None:
    """Whatever anybody tries is a row, and it does not stay."""
    runtime = sqlite_service.runtime
    await visitor(sqlite_service).sign_in("nobody@example.com", "not the password")
    sqlite_service.clock.advance(minutes=31)
    await sweep(runtime.database, runtime.store, runtime.settings.downloads_dir, sqlite_service.clock())
    async with runtime.database.read() as session:
        assert (await session.execute(select(RateWindow))).all() == []


async def test_what_belongs_to_somebody_else_is_not_there(sqlite_service: Service) -> None:
    ada, mallory = visitor(sqlite_service), visitor(sqlite_service)
    await ada.sign_up()
    (key_id,) = re.findall(r"/api-keys/(key_\w+)/reveal", ada.text)
    api = sqlite_service.client(Authorization=f"Bearer {await _reveal(ada)}")
    speech = (await api.post(SPEECH, json={"text": "a secret"})).json()
    await mallory.sign_up("mallory@example.com")
    token = mallory.form("/sign-out").fields
    job = f"/jobs/{speech['job_id']}"
    for path in (job, f"{job}/card"):
        answer = await mallory.client.get(path)
        assert (answer.status_code, "a secret" in answer.text) == (404, False)
    for path in (f"{job}/cancel", f"/api-keys/{key_id}/revoke"):
        assert (await mallory.client.post(path, data=token)).status_code == 404
    file = speech["audio_url"].partition("?")[0]
    assert (await mallory.client.get(file)).status_code == 404, "without the signature of its link"
    assert (await api.get("/api/account")).status_code == 200
    assert "a secret" not in (await mallory.get("/jobs")).text


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "content_type", "length", "status"),
    [
        (b"email=" + b"x" * 70_000, FORM, "100000", 413),
        (b"email=x", FORM, "nonsense", 413),
        (b"email=x", FORM, None, 413),
        (b"&".join(b"f%d=1" % number for number in range(60)), FORM, "exact", 400),
        (b"email=a%00b&password=x", FORM, "exact", 400),
        (b'{"email": "x"}', "application/json", "exact", 400),
        (b"--x\r\n\r\n--x--", "multipart/form-data", "exact", 400),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x; charset=unicode_escape", "exact", 400),
        (b"email=%ff%fe&csrf_token=%ed%a0%80", FORM, "exact", 403),
    ],
    ids=lambda one: None if isinstance(one, bytes) else str(one),
)
async def test_a_form_that_no_browser_sends(
    service: Service, body: bytes, content_type: str, length: str | None, status: int
) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield body

    headers = {"Content-Type": content_type}
    if length is not None:
        headers["Content-Length"] = str(len(body)) if length == "exact" else length
    answer = await visitor(service).client.post("/sign-in", content=content(), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/api-keys/%00/revoke", "/api-keys/%00/reveal", "/jobs/%00/cancel", "/jobs/%00"])
async def test_an_id_that_none_of_ours_is(service: Service, path: str) -> None:
    ada = visitor(service)
    await ada.sign_up()
    token = ada.form("/sign-out").fields
    answer = await (ada.client.get(path) if path == "/jobs/%00" else ada.client.post(path, data=token))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [("/settings/password", "/settings"), ("/sign-out", "/"), ("/api-keys/key_1/revoke", "/api-keys")],
)
async def test_an_address_that_takes_forms_leads_back_to_its_page(
    sqlite_service: Service, path: str, leads_to: str
) -> None:
    ada = visitor(sqlite_service)
    await ada.sign_up()
    answer = await ada.get(path)
    assert (answer.status_code, answer.url.path) == (200, leads_to)


async def test_where_nothing_is_a_person_gets_a_page_and_a_program_json(sqlite_service: Service) -> None:
    client = visitor(sqlite_service).client
    page = await client.get("/nothing", headers={"Accept": "text/html,*/*"})
    assert (page.status_code, "There is nothing here" in page.text) == (404, True)
    for path, accept in (("/nothing", "*/*"), ("/api/nothing", "application/json"), ("/files/x.png", "text/html")):
        answer = await client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_csv_holds_no_formula(sqlite_service: Service) -> None:
    ada = visitor(sqlite_service)
    await ada.sign_up()
    async with sqlite_service.runtime.database.write() as session:
        account = await find_account(session, "ada@example.com")
        await ledger.grant(session, account.id, 1, sqlite_service.clock(), description="=HYPERLINK(A1)")
    answer = await ada.client.get("/transactions.csv")
    assert "'=HYPERLINK(A1)" in answer.text
    assert ",=HYPERLINK" not in answer.text


async def _reveal(person: Visitor) -> str:
    (reveal,) = re.findall(r"/api-keys/key_\w+/reveal", person.text)
    await person.send(reveal)
    (key,) = re.findall(r"aiops_sk_[0-9A-Za-z]{36}", person.text)
    return str(key)
