"""`callback_url`: told of the job's end, by the same machinery as webhooks."""

from typing import Any

import httpx

from aiops.jobs import submission
from aiops.webhooks import signing
from tests.fixtures.receiver import Receiver
from tests.fixtures.service import IMAGE, Customer

KEY = {"Idempotency-Key": "order-1"}


async def order(
    customer: Customer, url: str | None = None, prompt: str = "a lighthouse", **headers: str
) -> httpx.Response:
    body = {"prompt": prompt} | ({"callback_url": url} if url else {})
    return await customer.client.post(IMAGE, json=body, headers=headers)


async def test_a_call_has_its_end_told_and_is_answered_as_ever(receiver: Receiver) -> None:
    service = receiver.service
    ada = await service.customer()
    answer = await order(ada, receiver.url)
    assert answer.status_code == 200
    (told,) = await receiver.has_been_told(1)
    job = (await ada.client.get(f"/api/jobs/{answer.json()['job_id']}")).json()
    assert told.event == {"type": "job.succeeded", "timestamp": job["finished_at"], "data": job}
    assert (await receiver.deliveries("delivered"))[0].webhook_id is None
    async with service.runtime.database.read() as session:
        secrets = await signing.secrets_of(session, service.runtime.settings.sealer, ada.id, service.clock())
    told.verify(secrets[0])


async def test_the_url_is_no_part_of_the_work(receiver: Receiver) -> None:
    ada = await receiver.service.customer()
    first = await order(ada, receiver.url, **KEY)
    again = await order(ada, f"{receiver.url}/other", **KEY)
    without = await order(ada, **KEY)
    assert [one.status_code for one in (first, again, without)] == [200] * 3
    assert {one.json()["job_id"] for one in (first, again, without)} == {first.json()["job_id"]}
    assert "callback_url" not in (await receiver.service.job(first.json()["job_id"])).request
    told = await receiver.has_been_told(2)
    assert {one.event["data"]["id"] for one in told} == {first.json()["job_id"]}
    assert len({one.id for one in told}) == 1, "one event"
    assert {head.split()[1] for head in receiver.server.requests} == {b"/hook", b"/hook/other"}
    assert await ada.credits() == 4995
    assert (await order(ada, receiver.url, prompt="another", **KEY)).status_code == 422


async def test_the_same_url_is_told_once(receiver: Receiver) -> None:
    ada = await receiver.service.customer()
    for _ in range(3):
        await order(ada, receiver.url, **KEY)
    assert len(await receiver.deliveries("delivered")) == 1


async def test_a_job_has_so_many_urls(sqlite_receiver: Receiver) -> None:
    ada = await sqlite_receiver.service.customer()
    answers = [await order(ada, f"{sqlite_receiver.url}/{number}", **KEY) for number in range(12)]
    assert [one.status_code for one in answers] == [200] * submission.CALLBACKS_MAX + [422] * 2
    assert answers[-1].json()["details"][0]["field"] == "callback_url"
    assert len(await sqlite_receiver.deliveries("delivered")) == submission.CALLBACKS_MAX


async def test_webhook_and_callback_are_told_of_one_event(receiver: Receiver) -> None:
    ada = await receiver.service.customer()
    webhook = await receiver.subscribe(ada)
    await order(ada, f"{receiver.url}/callback")
    told = await receiver.has_been_told(2)
    assert len({one.id for one in told}) == 1
    by_path: dict[bytes, Any] = {head.split()[1]: one for head, one in zip(receiver.server.requests, told, strict=True)}
    by_path[b"/hook"].verify(webhook["secret"])
    assert by_path[b"/hook/callback"].headers["webhook-signature"] != by_path[b"/hook"].headers["webhook-signature"]


async def test_a_url_that_leads_inside_is_refused_before_anything_is_held(receiver: Receiver) -> None:
    ada = await receiver.service.customer()
    answer = await order(ada, "http://169.254.169.254/latest")
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (422, "callback_url")
    assert await ada.credits() == 5000
    assert (await ada.client.get("/api/jobs")).json()["data"] == []
