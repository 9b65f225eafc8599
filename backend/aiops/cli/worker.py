"""`aiops worker`: a process that takes no calls, only works."""

import asyncio
import socket
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Annotated, Any

import typer

from aiops.app import FINISH_SECONDS, create_process, create_runtime, create_watch_app
from aiops.cli.running import listen, upgrade_database
from aiops.draining import stop_signals
from aiops.http_server import ServerBeside, server_config
from aiops.logs import configure_logs
from aiops.process import Process
from aiops.runtime import Runtime
from aiops.settings import Settings

ANSWER_SECONDS = 2  # for an answer that is on its way when all else has ended


def worker(
    services: Annotated[
        str | None, typer.Option(help="Only jobs of these services, separated by commas: generate_speech,…")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(help="How many jobs at once; AIOPS_JOB_SLOTS unless given.", min=1, max=1000)
    ] = None,
    finish_seconds: Annotated[
        float, typer.Option(help="How long jobs may go on when it is to stop; then others take them over.", min=0)
    ] = FINISH_SECONDS,
    metrics_port: Annotated[
        int | None,
        typer.Option(help="The port to answer /metrics, /health and /ready on; none unless given.", min=1, max=65535),
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="The address of that port.")] = "127.0.0.1",
) -> None:
    """Works on jobs, sends webhooks and deletes what has expired."""
    given: dict[str, Any] = {"job_services": services, "job_slots": concurrency}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    configure_logs(settings.log_format)
    _check(settings)
    listener = None if metrics_port is None else listen(metrics_host, metrics_port, "--metrics-port")
    if settings.is_embedded:
        upgrade_database(settings)
    runtime = create_runtime(settings)
    asyncio.run(work(runtime, create_process(runtime, finish_seconds), listener))


def _check(settings: Settings) -> None:
    """Raises ValueError where the process could do nothing, or would do it wrong."""
    if not settings.works:
        raise ValueError("AIOPS_JOB_SLOTS is 0, so there is nothing a worker may do. Set it, or give --concurrency.")
    if not settings.is_embedded and settings.public_url is None:
        raise ValueError("Set AIOPS_PUBLIC_URL as the servers have it: links in webhooks begin with it.")


async def work(runtime: Runtime, process: Process, listener: socket.socket | None = None) -> None:
    """Until it is told to stop: then what is at work may be finished, unless it is told once more. Who watches it is
    answered at `listener`."""
    await runtime.store.check()
    with stop_signals(process.drain, process.hurry):
        async with process.running(), _answering(runtime, listener):
            services = ", ".join(runtime.settings.job_services) or "all services"
            print(f"aiops works on {services}, {runtime.settings.job_slots} jobs at once.", flush=True)
            await runtime.draining.wait()
            await process.finish()


def _answering(runtime: Runtime, listener: socket.socket | None) -> AbstractAsyncContextManager[None]:
    if listener is None:
        return nullcontext()
    config = server_config(create_watch_app(runtime), stop_seconds=ANSWER_SECONDS, lifespan="off")
    return ServerBeside(config).serving(listener)
