"""Signing up, in and out, and new passwords: without e-mail, and with a real mail server."""

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator, Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from aiops.accounts import accounts, passwords
from aiops.accounts.accounts import find_account, set_password
from aiops.database.tables import Account
from aiops.logs import configure_logs
from aiops.web import sign_up
from aiops.webhooks import signing
from tests.fixtures.service import BASE_URL, Service, running_service, until
from tests.fixtures.visitor import PASSWORD, Visitor, visitor


class Mailbox:
    """What a mail server has been given."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.logins: list[object] = []

    def login(self, *_of: object) -> AuthResult:
        self.logins.append(_of[-1])
        return AuthResult(success=True)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.recipients.append(envelope.rcpt_tos)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    async def link(self, number: int = 1) -> str:
        """The path under the link in the number-th message."""
        await until(lambda: self._has(number))
        text = self.messages[number - 1].get_content()
        found = re.search(rf"{BASE_URL}(/\S+)", text)
        assert found is not None
        return found[1]

    async def _has(self, number: int) -> bool:
        return len(self.messages) >= number


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, str]]:
    box = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    async with server:
        yield box, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture(params=["sqlite", "postgresql"])
async def mailing(
    tmp_path: Path, new_database: Callable[[str], str], mailbox: tuple[Mailbox, str], request: pytest.FixtureRequest
) -> AsyncIterator[Service]:
    """A server that can send e-mail."""
    async with running_service(tmp_path, new_database(request.param), smtp_url=mailbox[1]) as running:
        yield running


async def revealed_key(person: Visitor) -> str:
    """The key that came with the account of who is signed in."""
    await person.get("/api-keys")
    (reveal,) = re.findall(r"/api-keys/key_\w+/reveal", person.text)
    await person.send(reveal)
    (key,) = re.findall(r"aiops_sk_[0-9A-Za-z]{36}", person.text)
    return str(key)


async def callback_secrets(service: Service, email: str) -> list[str]:
    """What word of an account's jobs to callback URLs is signed with."""
    async with service.runtime.database.read() as session:
        account = await find_account(session, email)
        return await signing.secrets_of(session, service.runtime.settings.sealer, account.id, service.clock())


def while_it_is_compared(monkeypatch: pytest.MonkeyPatch, service: Service, changed: str = "another password") -> None:
    """Has the password of Ada changed by somebody else at the moment in which one is found right."""
    is_right = passwords.is_right

    async def compare(password: str, kept: str | None) -> bool:
        found = await is_right(password, kept)
        async with service.runtime.database.write() as session:
            account = await find_account(session, "ada@example.com")
            await set_password(session, account.id, await passwords.hashed(changed))
        return found

    monkeypatch.setattr(passwords, "is_right", compare)


async def test_a_new_account_has_its_credits_and_a_key_that_is_revealed_once(service: Service) -> None:
    ada = visitor(service)
    assert (await ada.sign_up()).status_code == 200
    assert ada.path == "/api-keys"
    (reveal,) = re.findall(r"/api-keys/key_\w+/reveal", ada.text)
    await ada.send(reveal)
    (key,) = re.findall(r"aiops_sk_[0-9A-Za-z]{36}", ada.text)
    account = await service.client(Authorization=f"Bearer {key}").get("/api/account")
    assert (account.json()["email"], account.json()["credits"]) == ("ada@example.com", 25)
    await ada.get("/api-keys")
    assert key not in ada.text
    assert "/reveal" not in ada.text


async def test_a_key_that_waits_is_kept_encrypted_and_is_revealed_to_its_owner_only(sqlite_service: Service) -> None:
    ada, bob = visitor(sqlite_service), visitor(sqlite_service)
    await ada.sign_up()
    (reveal,) = re.findall(r"/api-keys/key_\w+/reveal", ada.text)
    await bob.sign_up("bob@example.com")
    token = bob.form("/sign-out").fields
    answer = await bob.client.post(reveal, data=token)
    assert "aiops_sk_" not in re.sub(r"aiops_sk_\w{4}…", "", answer.text)
    await ada.send(reveal)
    assert re.search(r"aiops_sk_[0-9A-Za-z]{36}", ada.text)


@pytest.mark.parametrize("password", ["short", "x" * 201, "aaaaaaaaaaaa", "ada@example.com"])
async def test_a_password_that_is_not_taken(sqlite_service: Service, password: str) -> None:
    ada = visitor(sqlite_service)
    assert (await ada.sign_up(password=password)).status_code == 422
    assert (await ada.sign_in(password=password)).status_code == 401


@pytest.mark.parametrize(
    "email",
    [
        *("", "ada", "a b@example.com", "ada@example.com\r\nBcc: x@example.com", "@", "x" * 300 + "@x.y", "@@b"),
        *("a@x.example,victim@y.example", "a@x.example;victim@y.example", "a:b@c;", "a@b@c", "a@[b", "a@[127.0.0.1]"),
        *('"a"@b', "a\\b@c", "<a@b>", "a(b)@c", "a@.b", "a@b.", "a@b..c", "a\u2028@b", "a\t@b"),
    ],
)
async def test_what_is_no_email_address(sqlite_service: Service, email: str) -> None:
    answer = await visitor(sqlite_service).sign_up(email)
    assert (answer.status_code, "This is not an e-mail address" in answer.text) == (422, True)


async def test_an_address_has_one_account(sqlite_service: Service) -> None:
    await visitor(sqlite_service).sign_up()
    answer = await visitor(sqlite_service).sign_up(" ADA@example.com ", "another password")
    assert (answer.status_code, "There is an account of this address already" in answer.text) == (422, True)


async def test_signing_in_leads_back_to_where_one_was_going(sqlite_service: Service) -> None:
    await visitor(sqlite_service).sign_up()
    ada = visitor(sqlite_service)
    await ada.get("/transactions")
    assert ada.path == "/sign-in"
    await ada.send("/sign-in", email="ada@example.com", password=PASSWORD)
    assert ada.path == "/transactions"


async def test_signing_out_ends_the_session_on_the_server(sqlite_service: Service) -> None:
    ada = visitor(sqlite_service)
    await ada.sign_up()
    stolen = dict(ada.client.cookies)
    await ada.send("/sign-out")
    thief = visitor(sqlite_service)
    thief.client.cookies.update(stolen)
    await thief.get("/dashboard")
    assert thief.path == "/sign-in"


async def test_a_session_ends_after_a_month(sqlite_service: Service) -> None:
    ada = visitor(sqlite_service)
    await ada.sign_up()
    sqlite_service.clock.advance(days=29)
    assert (await ada.get("/settings")).url.path == "/settings"
    sqlite_service.clock.advance(days=2)
    assert (await ada.get("/settings")).url.path == "/sign-in"


async def test_a_new_password_ends_every_other_session(service: Service) -> None:
    ada, elsewhere = visitor(service), visitor(service)
    await ada.sign_up()
    await elsewhere.sign_in()
    await ada.get("/settings")
    wrong = await ada.send("/settings/password", current="not it at all", password="another password")
    assert (wrong.status_code, "This is not your password." in wrong.text) == (422, True)
    await ada.send("/settings/password", current=PASSWORD, password="another password")
    assert (ada.path, "Your password is changed." in ada.text) == ("/settings", True)
    assert (await elsewhere.get("/dashboard")).url.path == "/sign-in"
    assert (await elsewhere.sign_in()).status_code == 401
    assert (await elsewhere.sign_in(password="another password")).url.path == "/dashboard"


async def test_signing_out_elsewhere(sqlite_service: Service) -> None:
    ada, elsewhere = visitor(sqlite_service), visitor(sqlite_service)
    await ada.sign_up()
    await elsewhere.sign_in()
    await ada.get("/settings")
    await ada.send("/settings/sessions")
    assert ada.path == "/settings"
    assert (await elsewhere.get("/dashboard")).url.path == "/sign-in"


async def test_without_mail_a_link_to_a_new_password_is_on_the_console(
    sqlite_service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """An account made on the command line gets its password like this."""
    await sqlite_service.customer("ada@example.com")
    ada = visitor(sqlite_service)
    await ada.get("/forgot-password")
    await ada.send("/forgot-password", email="ada@example.com")
    (link,) = re.findall(rf"{BASE_URL}(/reset-password\S+)", capsys.readouterr().err)
    await ada.get(link)
    assert (await ada.send("/reset-password", password="short")).status_code == 422
    await ada.send("/reset-password", password=PASSWORD)
    assert ada.path == "/dashboard"
    assert (await visitor(sqlite_service).sign_in()).url.path == "/dashboard"


async def test_an_address_is_confirmed_before_credits_are_granted(
    mailing: Service, mailbox: tuple[Mailbox, str]
) -> None:
    ada = visitor(mailing)
    await ada.sign_up()
    assert "Check your e-mail" in ada.text
    await ada.sign_in()
    assert "Confirm your e-mail address" in ada.text
    await ada.get("/api-keys")
    (reveal,) = re.findall(r"/api-keys/key_\w+/reveal", ada.text)
    await ada.send(reveal)
    (key,) = re.findall(r"aiops_sk_[0-9A-Za-z]{36}", ada.text)
    client = mailing.client(Authorization=f"Bearer {key}")
    assert (await client.get("/api/account")).json()["credits"] == 0
    link = await mailbox[0].link()
    await ada.get(link)
    assert (await client.get("/api/account")).json()["credits"] == 0, "to look at the page changes nothing"
    await ada.send("/confirm-email")
    assert (await client.get("/api/account")).json()["credits"] == 25
    assert (await ada.get(link)).status_code == 404, "a link works once"
    await ada.get("/dashboard")
    assert "Confirm your e-mail address" not in ada.text


async def test_a_confirmation_is_sent_again(mailing: Service, mailbox: tuple[Mailbox, str]) -> None:
    ada = visitor(mailing)
    await ada.sign_up()
    first = await mailbox[0].link()
    await ada.sign_in()
    await ada.send("/confirm-email/again")
    second = await mailbox[0].link(2)
    assert (await ada.get(first)).status_code == 404, "a newer link ends the older one"
    await ada.get(second)
    await ada.send("/confirm-email")
    assert ada.path == "/api-keys"


async def test_a_forgotten_password(mailing: Service, mailbox: tuple[Mailbox, str]) -> None:
    ada, elsewhere = visitor(mailing), visitor(mailing)
    await ada.sign_up()
    await elsewhere.sign_in()
    await ada.get("/forgot-password")
    await ada.send("/forgot-password", email="ada@example.com")
    link = await mailbox[0].link(2)
    await ada.get(link)
    await ada.send("/reset-password", password="a third password")
    assert ada.path == "/dashboard"
    assert "Confirm your e-mail address" not in ada.text, "who reads the mail owns the address"
    assert (await elsewhere.get("/dashboard")).url.path == "/sign-in"
    assert (await ada.get(link)).status_code == 404


async def test_a_link_is_too_old_after_an_hour(mailing: Service, mailbox: tuple[Mailbox, str]) -> None:
    ada = visitor(mailing)
    await ada.sign_up()
    await ada.get("/forgot-password")
    await ada.send("/forgot-password", email="ada@example.com")
    link = await mailbox[0].link(2)
    await ada.get(link)
    mailing.clock.advance(minutes=61)
    assert (await ada.send("/reset-password", password="a third password")).status_code == 404
    assert (await ada.get(link)).status_code == 404


async def test_a_mail_server_that_is_away_is_logged_and_no_one_waits(
    tmp_path: Path, new_database: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("json")
    async with running_service(tmp_path, new_database("sqlite"), smtp_url="smtp://127.0.0.1:1") as running:
        ada = visitor(running)
        assert "Check your e-mail" in (await ada.sign_up()).text
    assert "email_not_sent" in "".join(capsys.readouterr())


async def test_sign_up_can_be_closed(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    async with running_service(tmp_path, new_database("sqlite"), signup="closed") as running:
        ada = visitor(running)
        assert (await ada.get("/sign-up")).status_code == 403
        await ada.get("/sign-in")
        assert "/sign-up" not in ada.text
        token = ada.form("/sign-in").fields
        answer = await ada.client.post("/sign-up", data={**token, "email": "a@b.c", "password": PASSWORD})
        assert answer.status_code == 403


async def test_two_who_sign_up_with_one_address_at_the_same_moment(service: Service) -> None:
    people = [visitor(service) for _ in range(4)]
    for person in people:
        await person.get("/sign-up")
    answers = await asyncio.gather(
        *(person.send("/sign-up", email="ada@example.com", password=PASSWORD) for person in people)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]


async def test_what_somebody_else_had_of_an_account_ends_when_the_owner_of_its_address_resets_it(
    mailing: Service, mailbox: tuple[Mailbox, str]
) -> None:
    mallory, ada = visitor(mailing), visitor(mailing)
    await mallory.sign_up("ada@example.com")
    await mallory.sign_in()
    stolen = mailing.client(Authorization=f"Bearer {await revealed_key(mallory)}")
    assert (await stolen.get("/api/account")).json()["credits"] == 0
    await mallory.send("/api-keys", name="another")
    await mallory.get("/webhooks")
    await mallory.send("/webhooks", url="https://mallory.example/hook", **{"job.succeeded": "on"})
    await mallory.send("/webhooks/callback-secret")
    (known,) = re.findall(r"whsec_[0-9A-Za-z+/=]+", mallory.text)
    await ada.get("/forgot-password")
    await ada.send("/forgot-password", email="ada@example.com")
    await ada.get(await mailbox[0].link(2))
    await ada.send("/reset-password", password="only Ada knows it")
    assert "mallory.example" not in (await ada.get("/webhooks")).text, "who would be told of Ada's jobs"
    assert known not in await callback_secrets(mailing, "ada@example.com")
    assert (await stolen.get("/api/account")).status_code == 401
    own = mailing.client(Authorization=f"Bearer {await revealed_key(ada)}")
    assert (await own.get("/api/account")).json()["credits"] == 25
    assert ada.text.count(">active<") == 1
    assert (await mallory.get("/dashboard")).url.path == "/sign-in"


async def test_a_reset_of_a_confirmed_account_keeps_its_keys(mailing: Service, mailbox: tuple[Mailbox, str]) -> None:
    customer = await mailing.customer("ada@example.com")
    ada = visitor(mailing)
    await ada.get("/forgot-password")
    await ada.send("/forgot-password", email="ada@example.com")
    await ada.get(await mailbox[0].link())
    await ada.send("/reset-password", password=PASSWORD)
    assert (await customer.client.get("/api/account")).status_code == 200


@pytest.mark.parametrize("who", [None, "bob@example.com"], ids=["nobody", "another"])
async def test_only_who_is_signed_in_to_the_account_confirms_it(
    mailing: Service, mailbox: tuple[Mailbox, str], who: str | None
) -> None:
    ada, other = visitor(mailing), visitor(mailing)
    await ada.sign_up()
    link = await mailbox[0].link()
    await ada.sign_in()
    await ada.get(link)
    if who is not None:
        await other.sign_up(who)
        await other.sign_in(who)
    assert ((await other.get(link)).status_code, "Sign in first" in other.text) == (403, True)
    await other.get("/dashboard" if who else "/sign-in")
    fields = other.form("/sign-out" if who else "/sign-in").fields
    sent = {**fields, "token": ada.form("/confirm-email").fields["token"]}
    assert (await other.client.post("/confirm-email", data=sent)).status_code == 403
    await ada.send("/confirm-email")
    assert ada.path == "/api-keys", "the link still works for its owner"


async def test_a_message_goes_to_one_recipient(mailing: Service, mailbox: tuple[Mailbox, str]) -> None:
    await visitor(mailing).sign_up("o'brien+x=y@mail.example.com")
    await mailbox[0].link()
    assert mailbox[0].recipients == [["o'brien+x=y@mail.example.com"]]


async def test_a_message_that_cannot_be_written_is_logged(
    tmp_path: Path, new_database: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("json")
    url = new_database("sqlite")
    async with running_service(tmp_path, url, smtp_url="smtp://127.0.0.1:1", email_from="a\nb") as running:
        assert (await visitor(running).sign_up()).status_code == 200
    assert "email_not_sent" in "".join(capsys.readouterr())


async def test_a_mail_servers_password_is_sent_over_tls_only(
    tmp_path: Path, new_database: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("json")
    box = Mailbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, auth_require_tls=False, authenticator=box.login), "127.0.0.1", 0
    )
    async with server:
        smtp_url = f"smtp://user:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with running_service(tmp_path, new_database("sqlite"), smtp_url=smtp_url) as running:
            await visitor(running).sign_up()
    assert (box.logins, box.messages) == ([], [])
    assert "email_not_sent" in "".join(capsys.readouterr())


async def test_a_password_that_is_changed_while_it_is_compared_signs_nobody_in(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await visitor(service).sign_up()
    late = visitor(service)
    await late.get("/sign-in")
    while_it_is_compared(monkeypatch, service)
    answer = await late.send("/sign-in", email="ada@example.com", password=PASSWORD)
    assert answer.status_code == 401
    assert (await late.get("/dashboard")).url.path == "/sign-in"


async def test_a_password_that_is_changed_while_it_is_compared_changes_no_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = visitor(service)
    await late.sign_up()
    await late.get("/settings")
    with monkeypatch.context() as patched:
        while_it_is_compared(patched, service)
        answer = await late.send("/settings/password", current=PASSWORD, password="a third password")
    assert answer.status_code == 422
    assert (await late.get("/dashboard")).url.path == "/sign-in"
    assert (await visitor(service).sign_in(password="another password")).url.path == "/dashboard"


async def test_a_new_password_ends_the_links_to_set_another(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, finder = visitor(service), visitor(service)
    await ada.sign_up()
    await finder.get("/forgot-password")
    await finder.send("/forgot-password", email="ada@example.com")
    (link,) = re.findall(rf"{BASE_URL}(/reset-password\S+)", capsys.readouterr().err)
    assert (await finder.get(link)).status_code == 200
    await ada.get("/settings")
    await ada.send("/settings/password", current=PASSWORD, password="another password")
    assert (await finder.get(link)).status_code == 404


@pytest.mark.parametrize("email", ["ada@example.com", "bob@example.com"], ids=["has an account", "has none"])
async def test_whether_there_is_an_account_is_looked_up_after_a_sign_up_is_answered(
    mailing: Service, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    """So both cases take as long."""
    await mailing.customer("ada@example.com")
    order: list[str] = []

    async def create_account(*arguments: Any, **options: Any) -> Account:
        order.append("looked up")
        return await accounts.create_account(*arguments, **options)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            await send(message)
            if message["type"] == "http.response.body" and scope["method"] == "POST":
                order.append("answered")

        await mailing.app(scope, receive, sent)

    monkeypatch.setattr(sign_up, "create_account", create_account)
    person = visitor(dataclasses.replace(mailing, app=app))
    assert (await person.sign_up(email)).status_code == 200
    assert order == ["answered", "looked up"]


async def test_a_key_that_cannot_be_decrypted_waits_until_the_secret_key_is_back(
    sqlite_service: Service, tmp_path: Path
) -> None:
    url = sqlite_service.runtime.settings.database
    ada = visitor(sqlite_service)
    await ada.sign_up()
    async with running_service(tmp_path, url, secret_key="another secret key") as changed:
        elsewhere = visitor(changed)
        await elsewhere.sign_in()
        await elsewhere.get("/api-keys")
        (reveal,) = re.findall(r"/api-keys/key_\w+/reveal", elsewhere.text)
        await elsewhere.send(reveal)
        assert not re.search(r"aiops_sk_[0-9A-Za-z]{36}", elsewhere.text)
    assert re.fullmatch(r"aiops_sk_[0-9A-Za-z]{36}", await revealed_key(ada))
