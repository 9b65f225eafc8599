"""`aiops status`: what is queued, who works, what is held, and how providers do."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from aiops.cli.running import with_database
from aiops.contract.document import api_document
from aiops.database.engine import Database
from aiops.runtime import utc_now
from aiops.status import LATELY, Queue, Status, Worker, read_status


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    here: Annotated[bool, typer.Option("--here", help="Ends with 1 unless a worker of this machine is alive.")] = False,
) -> None:
    """Tells what is queued, who works, what is held, and how providers do. Ends with 1 where no worker takes the jobs
    of a service."""
    services = [operation.id for operation in api_document().operations.values() if operation.is_service]

    async def read(database: Database) -> Status:
        async with database.read() as session:
            return await read_status(session, services, utc_now())

    found = with_database(read)
    if here:
        print("A worker of this machine is alive." if found.works_here() else "No worker of this machine is alive.")
        raise typer.Exit(0 if found.works_here() else 1)
    print(json.dumps(asdict(found), indent=2) if as_json else "\n".join(_lines(found)), flush=True)
    if found.unserved:
        raise typer.Exit(1)


def _lines(found: Status) -> list[str]:
    lines = [f"{'service':<20}{'queued':>8}{'running':>9}{'oldest':>9}{'workers':>9}"]
    lines += [_queue_line(queue) for queue in found.queues]
    lines += ["", f"workers alive: {len(found.workers)}", *map(_worker_line, found.workers)]
    oldest = _ago(found.oldest_hold_seconds)
    lines += ["", f"open holds: {found.open_holds}, {found.credits_held} credits, oldest {oldest}"]
    lines += [f"deliveries due: {found.deliveries_due}", ""]
    asked = "" if found.providers else " none asked"
    lines.append(f"providers in the last {LATELY.total_seconds() / 60:.0f} minutes:{asked}")
    for provider in found.providers:
        lines.append(f"  {provider.name}, {provider.service}: {provider.succeeded} succeeded, {provider.failed} failed")
        if provider.last_reason is not None:
            lines.append(f"    last: {provider.last_reason}")
    return lines + [f"No worker takes jobs of {service}." for service in found.unserved]


def _queue_line(queue: Queue) -> str:
    return f"{queue.service:<20}{queue.queued:>8}{queue.running:>9}{_ago(queue.oldest_seconds):>9}{queue.workers:>9}"


def _worker_line(worker: Worker) -> str:
    """One line: who it is, what it takes, and what it does."""
    takes = ", ".join(worker.services) or "all services"
    does = ", ".join(f"{jobs} {service}" for service, jobs in sorted(worker.running.items())) or "idle"
    stopping = ", stopping" if worker.is_stopping else ""
    busy = f"{sum(worker.running.values())} of {worker.slots}"
    return f"  {worker.name} ({worker.version}), takes {takes}, {busy} at work: {does}{stopping}"


def _ago(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f} s"
