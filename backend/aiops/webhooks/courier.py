"""Sends what is due to webhooks and callback URLs, and by e-mail. One a process, beside the worker.

A delivery is claimed, sent outside of any transaction, and noted. A process that dies in between leaves it to be sent
again, under the same `webhook-id`: receivers are told at least once.
"""

import asyncio
from datetime import timedelta

import structlog

from aiops import metrics
from aiops.background import Background
from aiops.database.tables import Delivery, Event
from aiops.errors import NotFoundError
from aiops.http.errors import UrlError
from aiops.ledger import ledger
from aiops.mail import Mailer
from aiops.runtime import Runtime
from aiops.webhooks import deliveries, signing
from aiops.webhooks.deliveries import Answer
from aiops.webhooks.notices import notice_of
from aiops.webhooks.outbox import MAILTO
from aiops.webhooks.payload import body_of

log = structlog.get_logger()

SENDS_MAX = 32
SENDS_PER_HOST_MAX = 4  # so that one that hangs does not hold up the others
SENDS_PER_ACCOUNT_MAX = 16  # nor an account with many that do
SEND_SECONDS = 15.0
LEASE = timedelta(seconds=2 * SEND_SECONDS)
STOP_SECONDS = 2.0
IDLE_SECONDS = 0.5  # a try that is due again after a failure is told by nobody
GATHER_SECONDS = 0.02  # what ends in one moment is looked for once
EMAIL_SENT = 250  # as the mail server answers (RFC 5321)
DELETED = "The webhook was deleted."
UNREADABLE = "Its secret was made under another AIOPS_SECRET_KEY. Make a new secret."


class Courier:
    """`start` it once; it sends until the process is to stop."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._background = Background(runtime.draining)
        self._sends: dict[asyncio.Task[None], Delivery] = {}
        self._posts: set[asyncio.Future[Answer]] = set()

    def start(self) -> None:
        self._background.start(self._send_due)

    async def stop(self) -> None:
        """Cuts off what is still being sent after a moment; the next process sends it."""
        self.runtime.outgoing.set()
        tasks = [*self._background.loops, *self._sends]
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for post in self._posts:
            post.cancel()
        await asyncio.gather(*self._sends, return_exceptions=True)

    async def _send_due(self) -> None:
        claimed = await self._claim()
        for delivery in claimed:
            task = asyncio.create_task(self._send(delivery), name=delivery.id)
            self._sends[task] = delivery
            task.add_done_callback(self._done)
        if not claimed:
            await self._wait()

    async def _claim(self) -> list[Delivery]:
        self.runtime.outgoing.clear()
        free = SENDS_MAX - len(self._sends)
        now, database = self.runtime.clock(), self.runtime.database
        if free == 0 or not await self._are_due():
            return []
        return await deliveries.claim(
            database,
            now,
            LEASE,
            free,
            sending=list(self._sends.values()),
            per_host=SENDS_PER_HOST_MAX,
            per_account=SENDS_PER_ACCOUNT_MAX,
        )

    async def _are_due(self) -> bool:
        async with self.runtime.database.read() as session:
            return await deliveries.are_due(session, self.runtime.clock())

    async def _wait(self) -> None:
        """Until something is written in this process, or it is time to look for what others have."""
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self.runtime.outgoing.wait()
        except TimeoutError:
            return
        await self._background.pause(GATHER_SECONDS)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._sends[task]
        self.runtime.outgoing.set()  # a place is free
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery_not_noted", delivery_id=task.get_name(), exc_info=error)

    async def _send(self, delivery: Delivery) -> None:
        post = asyncio.ensure_future(send(self.runtime, delivery))
        self._posts.add(post)
        post.add_done_callback(self._posts.discard)
        try:
            answer = await post
        except asyncio.CancelledError:  # cut off by a process that stops
            return
        await deliveries.note(self.runtime.database, delivery, answer, self.runtime.clock())


async def send(runtime: Runtime, delivery: Delivery) -> Answer:
    """One attempt; what came of it."""
    async with runtime.database.read() as session:
        event = await session.get_one(Event, delivery.event_id)
        body = await body_of(session, event, runtime.urls)
    if delivery.url.startswith(MAILTO):
        answer = await _email(runtime, delivery.url.removeprefix(MAILTO), event)
    else:
        answer = await _post_signed(runtime, delivery, event, body)
    metrics.delivered(event.type, is_success=answer.is_success)
    tried = {"delivery_id": delivery.id, "event_id": event.id, "attempt": delivery.attempts}
    log.info("delivery_tried", **tried, answered=answer.status, error=answer.error)
    return answer


async def _email(runtime: Runtime, recipient: str, event: Event) -> Answer:
    subject, text = notice_of(event, runtime.settings.address)
    is_sent = await Mailer(runtime.settings).send(recipient, subject, text)
    return Answer(EMAIL_SENT) if is_sent else Answer(error="The mail server did not take it.")


async def _post_signed(runtime: Runtime, delivery: Delivery, event: Event, body: str) -> Answer:
    try:
        headers = signing.headers(event.id, body, await _secrets(runtime, delivery), runtime.clock())
        return await _post(runtime, delivery.url, body, headers)
    except signing.UnreadableSecretError:
        return Answer(error=UNREADABLE)
    except NotFoundError:
        return Answer(error=DELETED)


async def _post(runtime: Runtime, url: str, body: str, headers: dict[str, str]) -> Answer:
    sent = {"Content-Type": "application/json", **headers}
    try:
        answered = await runtime.guarded_client.post(url, body.encode(), sent, timeout_seconds=SEND_SECONDS)
    except UrlError as error:
        return Answer(error=error.reason)
    is_success = 200 <= answered.status < 300
    return Answer(
        answered.status, None if is_success else f"Its receiver answered {answered.status}.", answered.retry_after
    )


async def _secrets(runtime: Runtime, delivery: Delivery) -> list[str]:
    """What a delivery is signed with: the secrets of its webhook, or of the account that named a callback URL.

    Raises:
        NotFoundError: the webhook is gone.
        signing.UnreadableSecretError: the server no longer has the key that it was encrypted under.
    """
    owner_id = delivery.webhook_id or delivery.account_id
    async with runtime.database.read() as session:
        secrets = await signing.secrets_of(session, runtime.settings.sealer, owner_id, runtime.clock())
    if not secrets and delivery.webhook_id is not None:
        raise NotFoundError(DELETED)
    return secrets or [await _first_secret(runtime, owner_id)]


async def _first_secret(runtime: Runtime, account_id: str) -> str:
    """The secret of an account that calls back for the first time."""
    now, sealer = runtime.clock(), runtime.settings.sealer
    async with runtime.database.write() as session:
        await ledger.lock_account(session, account_id)
        made_meanwhile = await signing.secrets_of(session, sealer, account_id, now)
        return made_meanwhile[0] if made_meanwhile else await signing.make(session, sealer, account_id, now)
