"""The command line: `aiops serve`, and what an operator does by hand."""

import asyncio
import os
import shlex
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, NamedTuple, NoReturn, TypeVar
from urllib.parse import urlencode

import typer
import uvicorn
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from uvicorn.supervisors import Multiprocess

from aiops.accounts import email_links
from aiops.accounts.accounts import AccountError, EmailTakenError, count_accounts, create_account, find_account
from aiops.accounts.authentication import FIRST_KEY, create_key, list_keys, revoke_key
from aiops.accounts.plans import SMALLEST, load_plans
from aiops.app import STOP_SECONDS, create_app, create_runtime
from aiops.contract.document import ContractError
from aiops.database.backup import BackupError, back_up
from aiops.database.engine import Database, Session
from aiops.database.migrate import MigrationError, check_migrated, upgrade
from aiops.http_server import server_config
from aiops.ledger import ledger
from aiops.ledger.verify import missing_files, verify
from aiops.logs import configure_logs
from aiops.providers.embedded.provider import EmbeddedProvider
from aiops.runtime import Runtime, utc_now
from aiops.settings import LOCAL_URL, Settings
from aiops.storage.files import StorageError
from aiops.storage.location import open_store

FIRST_EMAIL = "owner@example.com"
FIRST_PLAN = "business"
BACKLOG = 2048
R = TypeVar("R")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
users = typer.Typer(no_args_is_help=True, help="People who use the service.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
credits_ = typer.Typer(no_args_is_help=True, help="Credits.")
ledger_ = typer.Typer(no_args_is_help=True, help="The ledger.")
database_ = typer.Typer(no_args_is_help=True, help="The database.")
for name, group in (("users", users), ("keys", keys), ("credits", credits_), ("ledger", ledger_), ("db", database_)):
    app.add_typer(group, name=name)


def main() -> None:
    """Runs a command; what its user has to mend is said in one line."""
    try:
        app()
    except ValidationError as error:
        problems = "; ".join(f"AIOPS_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())
        _refuse(problems)
    except SQLAlchemyError as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        _refuse(f"The database cannot be used: {str(reason).partition(chr(10))[0]}")
    except StorageError as error:
        _refuse(f"The storage of files cannot be used: {error}")
    except (AccountError, BackupError, ContractError, MigrationError, OSError, ValueError) as error:
        _refuse(str(error))


def _refuse(reason: str) -> NoReturn:
    print(f"aiops: {reason}", file=sys.stderr)
    sys.exit(1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="How many processes serve and work.", min=1, max=64)] = 1,
) -> None:
    """Serves the API and works its jobs."""
    settings = Settings()
    configure_logs(settings.log_format)
    public_url = settings.public_url or f"http://{_reachable(host)}:{port}"
    os.environ["AIOPS_PUBLIC_URL"] = public_url
    server = uvicorn.Server(_server_config(host, port, workers))
    listener = _listen(host, port)  # first of all: a port that is taken ends it before anything is made
    if settings.is_embedded:
        _upgrade(settings)
    runtime = create_runtime(Settings())
    create_app(runtime)  # refuses here, once, what each process would refuse
    _greet(settings, public_url, asyncio.run(_prepare(runtime)))
    if workers > 1:
        _share_metrics(settings)
        Multiprocess(server.config, sockets=[listener]).run()
    else:
        server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """A socket on which calls wait from now on, so what is printed can be used at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        _refuse(f"cannot listen on {host}, port {port}: {error.strerror}. Choose another port with --port.")
    listener.set_inheritable(True)
    return listener


def _server_config(host: str, port: int, workers: int) -> uvicorn.Config:
    return server_config(
        "aiops.app:serve_app", stop_seconds=STOP_SECONDS, factory=True, host=host, port=port, workers=workers
    )


@users.command("create")
def users_create(
    email: str,
    plan: Annotated[str, typer.Option(help="The plan to start on.")] = SMALLEST,
    credits: Annotated[  # noqa: A002
        int | None, typer.Option(help="Opening credits, in place of the plan's.", min=0, max=ledger.CREDITS_MAX)
    ] = None,
) -> None:
    """Makes an account and prints its API key. The first account of all is an administrator's."""
    plans = load_plans(Settings().plans_file)

    async def create(session: Session) -> str:
        now = utc_now()
        is_first = await count_accounts(session) == 0
        account = await create_account(
            session, plans, email, now, plan=plan, credits=credits, is_administrator=is_first
        )
        return await create_key(session, account.id, FIRST_KEY, now)

    print(f"API key: {_write(create)}", flush=True)


@users.command("link")
def users_link(email: str) -> None:
    """Prints a link under which a password for the pages can be set; it works once, for an hour."""
    settings = Settings()

    async def make(session: Session) -> str:
        return await email_links.make(session, (await find_account(session, email)).id, "reset", utc_now())

    print(_password_link(settings.address, _write(make)), flush=True)


@keys.command("create")
def keys_create(
    email: str,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    days: Annotated[int | None, typer.Option(help="After how many days it expires; never unless given.", min=1)] = None,
) -> None:
    """Makes another API key and prints it."""

    async def create(session: Session) -> str:
        account, now = await find_account(session, email), utc_now()
        return await create_key(session, account.id, name, now, now + timedelta(days=days) if days else None)

    print(f"API key: {_write(create)}", flush=True)


@keys.command("list")
def keys_list(email: str) -> None:
    """Lists an account's API keys."""

    async def read(session: Session) -> list[str]:
        account, now = await find_account(session, email), utc_now()
        lines = []
        for key in await list_keys(session, account.id):
            is_expired = key.expires_at is not None and key.expires_at <= now
            state = "revoked" if key.revoked_at else "expired" if is_expired else "active"
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
            lines.append(f"{key.id}  {key.prefix}…{key.last_four}  {state:<8} last used {used:<16}  {key.name}")
        return lines

    print("\n".join(_write(read)), flush=True)


@keys.command("revoke")
def keys_revoke(key_id: str) -> None:
    """Revokes an API key, at once and for good."""
    _write(lambda session: revoke_key(session, key_id, utc_now()))
    print(f"{key_id} is revoked.", flush=True)


@credits_.command("grant")
def credits_grant(
    email: str,
    amount: Annotated[int, typer.Argument(min=1, max=1_000_000)],
    reason: Annotated[str, typer.Option(help="Why; it stands in the account's transactions.")],
) -> None:
    """Gives credits to an account."""

    async def grant(session: Session) -> int:
        account = await find_account(session, email)
        return await ledger.grant(session, account.id, amount, utc_now(), description=reason)

    print(f"{email} has {_write(grant)} credits.", flush=True)


@ledger_.command("verify")
def ledger_verify() -> None:
    """Computes every balance anew and looks for every file; says what is off and ends with 1 if anything is."""
    settings = Settings()
    store = open_store(settings.storage_url, settings.files_dir)

    async def check(database: Database) -> list[str]:
        now = utc_now()
        findings = await verify(database, now, grace_seconds=settings.reaper_seconds)
        return findings + await missing_files(database, store, now)

    findings = _with_database(check)
    print("\n".join(findings) or "The ledger is in order.", flush=True)
    if findings:
        raise typer.Exit(1)


@database_.command("upgrade")
def database_upgrade() -> None:
    """Brings the database up to date."""
    _upgrade(Settings())
    print("The database is up to date.", flush=True)


@database_.command("backup")
def database_backup(
    file: Annotated[Path, typer.Argument(help="Where to; nothing may be there yet.")],
) -> None:
    """Copies the SQLite database to a file, also while it is served."""
    back_up(Settings().database, file)
    print(f"The database is copied to {file}.", flush=True)


def _upgrade(settings: Settings) -> None:
    if settings.is_embedded:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database)


def _write(act: Callable[[Session], Awaitable[R]]) -> R:
    """Runs one transaction on the configured database."""

    async def write(database: Database) -> R:
        async with database.write() as session:
            return await act(session)

    return _with_database(write)


def _with_database(act: Callable[[Database], Awaitable[R]]) -> R:
    settings = Settings()
    if settings.is_embedded:
        _upgrade(settings)

    async def run() -> R:
        database = Database(settings.database)
        try:
            await check_migrated(database)
            return await act(database)
        finally:
            await database.close()

    return asyncio.run(run())


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
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _share_metrics(settings: Settings) -> None:
    """Has the processes count into one folder, emptied first: its files belong to processes that are gone."""
    folder = settings.data_dir.absolute() / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _greet(settings: Settings, public_url: str, first: _FirstAccount | None) -> None:
    lines = [f"aiops serves {public_url}, its reference is {public_url}/docs"]
    notice = EmbeddedProvider().notice()
    if notice is not None:
        lines.append(notice)
    if first is None:
        command = _command(settings, public_url)
        lines.append(f"Another API key: {command} keys create {FIRST_EMAIL}")
        lines.append(f"A password for the dashboard: {command} users link {FIRST_EMAIL}")
    else:
        lines.append(f"API key: {first.key}")
        lines.append(f"Set a password for the dashboard of {FIRST_EMAIL}: {_password_link(public_url, first.token)}")
        lines += ["", "Try it:", *_curl_lines(public_url, first.key)]
    print("\n".join(lines), flush=True)


def _password_link(address: str, token: str) -> str:
    return f"{address}/reset-password?{urlencode({'token': token})}"


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
