"""`aiops webhooks`: what is told to whom, and what became of it."""

import asyncio
from typing import Annotated

import typer

from aiops.accounts.accounts import find_account
from aiops.cli.running import note, with_database, write
from aiops.contract.document import api_document
from aiops.database.engine import Database, Session
from aiops.database.tables import Delivery, Webhook
from aiops.runtime import utc_now
from aiops.settings import Settings
from aiops.webhooks import deliveries, outbox, signing, subscriptions

SENT_WITHIN_SECONDS = 20
LOOK_SECONDS = 0.2

webhooks_ = typer.Typer(no_args_is_help=True, help="Webhooks and their deliveries.")


@webhooks_.command("list")
def webhooks_list(email: str) -> None:
    """Lists an account's webhooks."""

    async def read(session: Session) -> list[str]:
        account = await find_account(session, email)
        found, _ = await subscriptions.list_webhooks(session, account.id, subscriptions.WEBHOOKS_MAX, None)
        return [f"{one.id}  {_state(one):<8}  {one.url}  {', '.join(one.events)}" for one in found]

    print("\n".join(write(read)), flush=True)


@webhooks_.command("deliveries")
def webhooks_deliveries(
    email: str,
    webhook: Annotated[str | None, typer.Option(help="Only those to this webhook.")] = None,
    status: Annotated[str | None, typer.Option(help="Only pending, delivered or failed ones.")] = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1000)] = 20,
) -> None:
    """Lists what was sent to an account's webhooks and callback URLs, the newest first, and what came of it."""
    if status not in (None, *deliveries.STATUSES):
        raise ValueError(f"A delivery is {', '.join(deliveries.STATUSES)}, not {status}.")

    async def read(session: Session) -> list[str]:
        account = await find_account(session, email)
        rows, _ = await deliveries.list_deliveries(
            session, limit, account_id=account.id, webhook_id=webhook, status=status
        )
        return [_line(delivery, event.type) for delivery, event in rows]

    print("\n".join(write(read)), flush=True)


@webhooks_.command("redeliver")
def webhooks_redeliver(delivery_id: str) -> None:
    """Sends a delivery again, under the same webhook-id and with all its attempts anew."""

    async def send_again(session: Session) -> None:
        delivery = await deliveries.send_again(session, delivery_id, utc_now())
        if delivery is None:
            raise ValueError(f"There is no delivery {delivery_id}, or its webhook is deleted or disabled.")
        await note(session, "delivery sent again", delivery.account_id, delivery_id)

    write(send_again)
    _report(delivery_id)


@webhooks_.command("rotate")
def webhooks_rotate(
    owner: Annotated[str, typer.Argument(help="A webhook, or the e-mail address of an account for its callbacks.")],
) -> None:
    """Prints a new secret; the one before signs along for 24 hours."""
    sealer = Settings().sealer

    async def rotate(session: Session) -> str:
        if "@" in owner:
            account = await find_account(session, owner)
            owner_id, account_id, whose = account.id, account.id, "callbacks"
        else:
            webhook = await _webhook(session, owner)
            owner_id, account_id, whose = webhook.id, webhook.account_id, webhook.id
        await note(session, "signing secret made", account_id, f"that of {whose}")
        return await signing.rotate(session, sealer, owner_id, utc_now())

    print(f"Secret: {write(rotate)}", flush=True)


@webhooks_.command("test")
def webhooks_test(
    webhook_id: str,
    event: Annotated[str, typer.Option(help="The event that is sent.")] = "job.succeeded",
) -> None:
    """Sends a webhook an event that has not happened, and says what was answered."""
    samples = api_document().events
    if event not in samples:
        raise ValueError(f"There is no event {event}. Take one of {', '.join(samples)}.")

    async def make(session: Session) -> str:
        webhook = await _webhook(session, webhook_id)
        if webhook.disabled_at is not None:
            raise ValueError(f"{webhook_id} is disabled: {webhook.disabled_reason}")
        await note(session, "test event sent", webhook.account_id, f"{event} to {webhook_id}")
        return (await outbox.write_test(session, webhook, event, samples[event], utc_now())).id

    _report(write(make))


async def _webhook(session: Session, webhook_id: str) -> Webhook:
    webhook = await subscriptions.find(session, webhook_id)
    if webhook is None:
        raise ValueError(f"There is no webhook {webhook_id}.")
    return webhook


def _report(delivery_id: str) -> None:
    """Waits for a running server to send it, and prints what came of it; ends with 1 where it was not received."""
    delivery = with_database(lambda database: _tried(database, delivery_id))
    if delivery is None:
        print(f"{delivery_id} is due, but no server has sent it yet. Is one running?", flush=True)
    else:
        print(delivery.error or f"{delivery_id} is delivered: {delivery.answered}.", flush=True)
    if delivery is None or delivery.error is not None:
        raise typer.Exit(1)


async def _tried(database: Database, delivery_id: str) -> Delivery | None:
    """The delivery once it has been tried, or None where that takes too long."""
    try:
        async with asyncio.timeout(SENT_WITHIN_SECONDS):
            while True:
                async with database.read() as session:
                    delivery = await session.get_one(Delivery, delivery_id)
                if delivery.error is not None or delivery.status == "delivered":
                    return delivery
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        return None


def _state(webhook: Webhook) -> str:
    return "active" if webhook.disabled_at is None else "disabled"


def _line(delivery: Delivery, event_type: str) -> str:
    tried = f"{delivery.attempts} tried, {delivery.error or delivery.answered or 'on its way'}"
    columns = (delivery.id, f"{delivery.created_at:%Y-%m-%d %H:%M:%S}", f"{delivery.status:<9}", event_type)
    return "  ".join((*columns, delivery.url, tried))
