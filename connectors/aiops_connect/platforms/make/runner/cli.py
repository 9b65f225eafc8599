"""`aiops-connect make run`: tries a component of a Make app from a terminal."""

import os
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from aiops_connect.platforms.make.runner import report
from aiops_connect.platforms.make.runner.app import load_app
from aiops_connect.platforms.make.runner.arguments import ArgumentError, printable, read_collection, read_payload
from aiops_connect.platforms.make.runner.clock import Clock, InstantClock, RealClock
from aiops_connect.platforms.make.runner.components import Outcome, Target, runnable
from aiops_connect.platforms.make.runner.components import run as run_component
from aiops_connect.platforms.make.runner.errors import AppError, InputError, MakeError
from aiops_connect.platforms.make.runner.iml.values import to_json
from aiops_connect.platforms.make.runner.inputs import Inputs, Settings
from aiops_connect.platforms.make.runner.limits import Limits
from aiops_connect.platforms.make.runner.trace import Trace

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_APP = 3

EXAMPLES = """Examples:
    aiops-connect make run my-app getPost --params '{"id": 7}' --connection '{"apiKey": "..."}' -v
    aiops-connect make run my-app uploadFile --params '{"data": "@call.wav", "fileName": "call.wav"}'
    aiops-connect make run my-app connection:oauth/token --payload '{"query": {"code": "..."}}'"""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Try and review Make apps."
)


class ClockKind(StrEnum):
    REAL = "real"
    INSTANT = "instant"


CLOCKS: dict[ClockKind, Callable[[], Clock]] = {ClockKind.REAL: RealClock, ClockKind.INSTANT: InstantClock}


@app.callback()
def _make() -> None:
    """Try Make apps without an account, and review them before Make does."""


@app.command(name="list")
def list_components(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The app: a folder with makecomapp.json.")],
) -> None:
    """List what of an app can be run, as `run` takes it."""
    try:
        found = load_app(directory).components.values()
    except AppError as error:
        _fail(EXIT_APP, str(error))
    for one in found:
        for name in runnable(one):
            typer.echo(f"{name}\t{one.metadata.get('label', '')}")


@app.command(epilog=EXAMPLES)
def run(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The app: a folder with makecomapp.json.")],
    component: Annotated[
        str,
        typer.Argument(
            metavar="MODULE",
            help="A module, or rpc:NAME, connection:NAME, attach:WEBHOOK, detach:WEBHOOK, webhook:NAME, endpoint:NAME, "
            "epoch:MODULE; connection:NAME/SECTION for a section of an OAuth connection. `list` shows those there are.",
        ),
    ],
    *,
    params: Annotated[
        str, typer.Option(help="JSON, or @FILE. In it, @PATH is the content of a file, @@ a plain @.")
    ] = "{}",
    connection: Annotated[str, typer.Option(help="The connection's values: JSON, or @FILE.")] = "{}",
    data: Annotated[str, typer.Option(help="What a trigger kept from its last run: JSON, or @FILE.")] = "{}",
    webhook: Annotated[str, typer.Option(help="The webhook's data, with its url: JSON, or @FILE.")] = "{}",
    payload: Annotated[
        str | None, typer.Option(help='What a webhook is sent: {"body":…,"headers":…,"query":…}, or @FILE.')
    ] = None,
    clock: Annotated[ClockKind, typer.Option(help="Whether delays are waited for.")] = ClockKind.REAL,
    timezone: Annotated[str, typer.Option(help="The scenario's time zone.")] = "UTC",
    base_url: Annotated[str | None, typer.Option(help="Another server than the app's own.")] = None,
    trace_file: Annotated[Path | None, typer.Option("--trace", help="Writes requests and responses as JSON.")] = None,
    save_files: Annotated[Path | None, typer.Option(help="A folder for the files of the output.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Shows headers and bodies.")] = False,
) -> None:
    """Run one component of an app over real HTTP.

    Requests and responses go to standard error, without what log.sanitize hides; the output goes to standard output as
    JSON.

    Exit codes: 0 it ended well, 1 it ended in an error of Make's, 2 the command or its values are wrong, 3 the app is
    wrong.
    """
    limits = Limits()
    trace = Trace(listener=lambda exchange: _print(report.exchange_lines(exchange, verbose=verbose)))
    try:
        target = Target.parse(component)
        inputs = Inputs(
            parameters=read_collection(params, "--params", limits.request_bytes, files=True),
            connection=read_collection(connection, "--connection", limits.file_bytes, files=False),
            data=read_collection(data, "--data", limits.file_bytes, files=False),
            webhook=read_collection(webhook, "--webhook", limits.file_bytes, files=False),
            payload=None if payload is None else read_payload(payload, limits.request_bytes),
        )
        if base_url is not None and not base_url.startswith(("http://", "https://")):
            raise ArgumentError("--base-url begins with http:// or https://")
        settings = Settings(CLOCKS[clock](), _zone(timezone), base_url, limits)
    except ValueError as error:
        _fail(EXIT_USAGE, str(error))
    try:
        outcome = run_component(load_app(directory, limits), target, inputs, settings, trace)
    except MakeError as error:
        _finish(trace, trace_file)
        typer.echo(to_json({"error": {"type": error.type, "message": error.message, "status": error.status}}, indent=2))
        raise typer.Exit(EXIT_ERROR) from None
    except InputError as error:
        _fail(EXIT_USAGE, str(error))
    except AppError as error:
        _finish(trace, trace_file)
        _fail(EXIT_APP, str(error))
    _finish(trace, trace_file)
    try:
        typer.echo(to_json(_document(outcome, save_files), indent=2))
    except ArgumentError as error:
        _fail(EXIT_USAGE, str(error))


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ArgumentError(f"--timezone: unknown time zone {name!r}; use a name like Europe/Prague") from None


def _document(outcome: Outcome, folder: Path | None) -> dict[str, Any]:
    document: dict[str, Any] = {"bundles": printable(outcome.bundles, folder, "bundle")}
    if outcome.stored:
        document["stored"] = printable(outcome.stored, folder, "stored")
    if outcome.reply:
        reply = outcome.reply
        document["reply"] = {"status": reply.status, "headers": reply.headers, "body": reply.body}
    return document


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line, err=True)


def _finish(trace: Trace, file: Path | None) -> None:
    """The warnings, and the trace into its file."""
    _print(f"warning: {warning}" for warning in trace.warnings)
    if file is None:
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(to_json(report.as_json(trace), indent=2) + "\n")
    except OSError as error:
        _fail(EXIT_USAGE, f"--trace: {file} cannot be written: {error.strerror}")


def _fail(code: int, message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def main() -> None:
    """The entry of `python -m`."""
    app()
