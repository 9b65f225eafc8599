"""`aiops serve`."""

import asyncio
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from aiops.accounts import email_links
from aiops.accounts.accounts import EmailTakenError, count_accounts, create_account
from aiops.accounts.authentication import FIRST_KEY, create_key
from aiops.accounts.plans import SMALLEST
from aiops.app import STOP_SECONDS, create_app, create_runtime
from aiops.cli.providers import notices
from aiops.cli.running import listen, password_link, upgrade_database
from aiops.database.migrate import check_migrated
from aiops.http_server import server_config
from aiops.logs import configure_logs
from aiops.providers.embedded.provider import EmbeddedProvider
from aiops.runtime import Runtime, utc_now
from aiops.settings import LOCAL_URL, Settings

FIRST_EMAIL = "owner@example.com"
FIRST_PLAN = "business"


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="How many processes serve and work.", min=1, max=64)] = 1,
    work: Annotated[bool, typer.Option(help="Whether they work on jobs, or leave that to `aiops worker`.")] = True,
) -> None:
    """Serves the API and works its jobs."""
    if not work:
        os.environ["AIOPS_JOB_SLOTS"] = "0"
    settings = Settings()
    configure_logs(settings.log_format)
    public_url = settings.public_url or f"http://{_reachable(host)}:{port}"
    os.environ["AIOPS_PUBLIC_URL"] = public_url
    server = uvicorn.Server(_server_config(host, port, workers))
    listener = listen(host, port, "--port")  # first of all: a port that is taken ends it before anything is made
    if settings.is_embedded:
        upgrade_database(settings)
    runtime = create_runtime(Settings())
    create_app(runtime)  # refuses here, once, what each process would refuse
    _greet(runtime, public_url, asyncio.run(_prepare(runtime)))
    if workers > 1:
        listener.set_inheritable(True)
        _share_metrics(settings)
        Multiprocess(server.config, sockets=[listener]).run()
    else:
        server.run(sockets=[listener])


def _server_config(host: str, port: int, workers: int) -> uvicorn.Config:
    return server_config(
        "aiops.app:serve_app", stop_seconds=STOP_SECONDS, factory=True, host=host, port=port, workers=workers
    )


class _FirstAccount(NamedTuple):
    """What the owner of a new server is told once: an API key, and the token of a link to set a password."""

    key: str
    token: str


async def _prepare(runtime: Runtime) -> _FirstAccount | None:
    """Checks database and storage and, where there is no account yet, makes the first one."""
    try:
        await check_migrated(runtime.database)
        await runtime.store.check()
        async with runtime.database.write() as session:
            if await count_accounts(session):
                return None
            account = await create_account(
                session, runtime.plans, FIRST_EMAIL, utc_now(), plan=_first_plan(runtime), is_administrator=True
            )
            key = await create_key(session, account.id, FIRST_KEY, utc_now())
            return _FirstAccount(key, await email_links.make(session, account.id, "reset", utc_now()))
    except EmailTakenError:
        return None  # another server, started at the same moment, has made it
    finally:
        await runtime.database.close()


def _first_plan(runtime: Runtime) -> str:
    return FIRST_PLAN if FIRST_PLAN in runtime.plans else SMALLEST


def _reachable(host: str) -> str:
    """The name under which this machine reaches what listens on `host`."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _share_metrics(settings: Settings) -> None:
    """Has the processes count into one folder, emptied first: its files belong to processes that are gone."""
    folder = settings.data_dir.absolute() / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _greet(runtime: Runtime, public_url: str, first: _FirstAccount | None) -> None:
    lines = [f"aiops serves {public_url}, its reference is {public_url}/docs"]
    lines += notices(runtime.providers, runtime.document)
    notice = EmbeddedProvider().notice()
    if notice is not None and runtime.providers.stands_in("generate_speech"):
        lines.append(notice)
    if first is None:
        command = _command(runtime.settings, public_url)
        lines.append(f"Another API key: {command} keys create {FIRST_EMAIL}")
        lines.append(f"A password for the dashboard: {command} users link {FIRST_EMAIL}")
    else:
        lines.append(f"API key: {first.key}")
        lines.append(f"Set a password for the dashboard of {FIRST_EMAIL}: {password_link(public_url, first.token)}")
        lines += ["", "Try it:", *_curl_lines(public_url, first.key)]
    print("\n".join(lines), flush=True)


def _command(settings: Settings, public_url: str) -> str:
    """How to call this program, as it stands, for the same data and with links to the same address."""
    program = Path(sys.executable).with_name("aiops")
    here = program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program
    address = "" if public_url == LOCAL_URL else f"AIOPS_PUBLIC_URL={shlex.quote(public_url)} "
    return f"AIOPS_DATA_DIR={shlex.quote(str(settings.data_dir))} {address}{shlex.quote(str(here))}"


def _curl_lines(public_url: str, key: str) -> list[str]:
    """A call of each service that works as printed; the last one transcribes what it has had spoken."""
    head = f"curl -sS {public_url}/api/services"
    options = f"-H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
    speak = f"""{head}/tts {options} -d '{{"text": "Your order is on its way."}}'"""
    its_url = f"""$({speak} | sed -E 's/.*"audio_url":"([^"]+)".*/\\1/')"""
    return [
        f"""{head}/image_gen {options} -d '{{"prompt": "A lighthouse on a cliff at sunset"}}'""",
        speak,
        f"""{head}/transcribe {options} -d "{{\\"audio_url\\": \\"{its_url}\\"}}\"""",
    ]
