"""Webhooks on the pages: added, tried out, given a new secret, sent again; nobody else's are there."""

import re
from pathlib import Path

import pytest

from tests.fixtures.receiver import Receiver, answering, receiving
from tests.fixtures.service import until
from tests.fixtures.visitor import Visitor, visitor

EVENTS = {"job.succeeded": "on", "job.failed": "on"}


@pytest.fixture
async def ada(receiver: Receiver) -> Visitor:
    person = visitor(receiver.service)
    await person.sign_up()
    return person


async def added(person: Visitor, url: str, **events: str) -> tuple[str, str]:
    """Adds a webhook on its page; its path, and the secret that is shown."""
    await person.get("/webhooks")
    token = {"csrf_token": person.form("/webhooks").fields["csrf_token"]}
    person.page = await person.client.post("/webhooks", data={**token, "url": url, **(events or EVENTS)})
    assert person.page.status_code == 200, person.text
    secret = shown_secret(person)
    return re.findall(r'href="(/webhooks/hook_\w+)"', person.text)[0], secret


def shown_secret(person: Visitor) -> str:
    (secret,) = re.findall(r'<code id="new-secret">(whsec_[^<]+)</code>', person.text)
    return str(secret)


async def test_a_webhook_is_added_and_its_secret_is_shown_once(receiver: Receiver, ada: Visitor) -> None:
    path, secret = await added(ada, receiver.url)
    await ada.get("/webhooks")
    assert "whsec_" not in ada.text
    await ada.get(path)
    assert "whsec_" not in ada.text
    assert "job.succeeded, job.failed" in ada.text
    await ada.send(f"{path}/test", event="job.failed")
    (told,) = await receiver.has_been_told(1)
    told.verify(secret)
    assert (told.event["type"], told.event["note"]) == ("job.failed", "This is a test; it has not happened.")
    await receiver.deliveries("delivered")
    await ada.get(path)
    assert "delivered" in ada.text
    assert "data-live" not in ada.text


async def test_a_new_secret_signs_at_once(receiver: Receiver, ada: Visitor) -> None:
    path, before = await added(ada, receiver.url)
    await ada.get(path)
    await ada.send(f"{path}/rotate")
    secret = shown_secret(ada)
    assert secret != before
    await ada.send(f"{path}/test", event="job.succeeded")
    (told,) = await receiver.has_been_told(1)
    told.verify(secret)
    told.verify(before)


async def test_what_was_not_received_is_sent_again(tmp_path: Path, database_url: str) -> None:
    later = answering(500, "Retry-After: 3600")
    async with receiving(tmp_path, database_url, later, answering(204)) as receiver:
        ada = visitor(receiver.service)
        await ada.sign_up()
        path, _ = await added(ada, receiver.url)
        await ada.get(path)
        await ada.send(f"{path}/test", event="job.succeeded")
        await receiver.has_been_told(1)
        await until(lambda: has_text(ada, path, "Its receiver answered 500."))
        (action,) = re.findall(r"/webhooks/deliveries/dlv_\w+/send-again", ada.text)
        await ada.send(action)
        assert ada.path == path
        first, second = await receiver.has_been_told(2)
        assert first.id == second.id
        await receiver.deliveries("delivered")


async def has_text(person: Visitor, path: str, text: str) -> bool:
    await person.get(path)
    return text in person.text


async def test_a_receiver_that_has_gone_is_told_nothing_more_and_the_page_says_why(
    tmp_path: Path, database_url: str
) -> None:
    async with receiving(tmp_path, database_url, answering(410)) as receiver:
        ada = visitor(receiver.service)
        await ada.sign_up()
        path, _ = await added(ada, receiver.url)
        await ada.get(path)
        token = ada.form(f"{path}/test").fields
        await ada.send(f"{path}/test", event="job.succeeded")
        await until(lambda: has_text(ada, path, "Its receiver answered 410 Gone. Nothing more is sent."))
        assert f"{path}/test" not in ada.text
        assert (await ada.client.post(f"{path}/test", data=token)).status_code == 422


async def test_a_webhook_is_deleted(receiver: Receiver, ada: Visitor) -> None:
    path, _ = await added(ada, receiver.url)
    await ada.get(path)
    await ada.send(f"{path}/delete")
    assert ada.path == "/webhooks"
    assert "No webhooks yet" in ada.text
    assert (await ada.get(path)).status_code == 404


async def test_callbacks_have_a_secret_of_their_own(receiver: Receiver, ada: Visitor) -> None:
    await ada.get("/webhooks")
    await ada.send("/webhooks/callback-secret")
    secret = shown_secret(ada)
    await ada.get("/playground/generate_image")
    await ada.send("/playground/generate_image", prompt="a lighthouse", callback_url=receiver.url)
    (told,) = await receiver.has_been_told(1)
    told.verify(secret)
    await ada.get("/webhooks/deliveries")
    assert receiver.url in ada.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "", **EVENTS}, "String should have at least 8 characters"),
        ({"url": "ftp://hooks.example/", **EVENTS}, "Input should be a link that begins with http:// or https://"),
        ({"url": "http://169.254.169.254/", **EVENTS}, "does not lead to a public address"),
        ({"url": "https://hooks.example/"}, "Choose one event at least."),
    ],
)
async def test_what_cannot_be_a_webhook_is_said_beside_its_field(
    receiver: Receiver, ada: Visitor, fields: dict[str, str], said: str
) -> None:
    await ada.get("/webhooks")
    kept = {"csrf_token": ada.form("/webhooks").fields["csrf_token"]}
    ada.page = await ada.client.post("/webhooks", data={**kept, **fields})
    assert ada.page.status_code == 422
    assert said in ada.text
    assert "No webhooks yet" in ada.text


async def test_nobody_elses_webhooks_are_there(receiver: Receiver, ada: Visitor) -> None:
    path, _ = await added(ada, receiver.url)
    await ada.get(path)
    await ada.send(f"{path}/test", event="job.succeeded")
    (delivery,) = await receiver.deliveries("delivered")
    mallory = visitor(receiver.service)
    await mallory.sign_up("mallory@example.com")
    await mallory.get("/webhooks")
    token = {"csrf_token": mallory.form("/webhooks").fields["csrf_token"], "event": "job.succeeded"}
    assert "No webhooks yet" in mallory.text
    for page in (path, f"{path}/deliveries"):
        assert (await mallory.get(page)).status_code == 404
    for action in ("test", "rotate", "delete"):
        assert (await mallory.client.post(f"{path}/{action}", data=token)).status_code == 404
    again = await mallory.client.post(f"/webhooks/deliveries/{delivery.id}/send-again", data=token)
    assert again.status_code == 404
    await mallory.get("/webhooks/deliveries")
    assert "Nothing here" in mallory.text
    assert len(receiver.told) == 1


async def test_deliveries_are_read_in_pages_and_by_state(
    receiver: Receiver, ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiops.web.webhooks.PAGE_SIZE", 2)
    path, _ = await added(ada, receiver.url)
    for _ in range(3):
        await ada.get(path)
        await ada.send(f"{path}/test", event="job.succeeded")
    await receiver.deliveries("delivered")
    await ada.get("/webhooks/deliveries?status=delivered")
    (older,) = re.findall(r'href="(/webhooks/deliveries\?[^"]+cursor[^"]+)"', ada.text)
    assert ada.text.count("Send again") == 2
    await ada.get(older.replace("&amp;", "&"))
    assert ada.text.count("Send again") == 1
    await ada.get("/webhooks/deliveries?status=failed")
    assert "Nothing here" in ada.text
    assert (await ada.get("/webhooks/deliveries?cursor=nonsense")).status_code == 404
