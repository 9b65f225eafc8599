"""`aiops providers`: who does the work, and whether it can be had."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from aiops.app import provider_tools
from aiops.contract.document import Document, api_document
from aiops.logs import configure_logs
from aiops.providers.base import OPERATIONS, Call, Provider
from aiops.providers.checking import TEXT, VOICE, Trial, trials
from aiops.providers.embedded.provider import EmbeddedProvider
from aiops.providers.loading import load_providers
from aiops.providers.mapping import LICENCES, price_of
from aiops.providers.registry import ProviderRegistry
from aiops.settings import Settings

SPEECH_SECONDS = 60.0
HEADINGS = ("provider", "model", "works", "may be sold", "costs")
# What a provider reads, and what would be asked in its stead by whoever forgot to name it.
KEYS = {"FAL_KEY": "fal", "HF_TOKEN": "huggingface", "OPENAI_API_KEY": "openai_compatible"}

providers_ = typer.Typer(no_args_is_help=True, help="Who does the work.")


@providers_.callback()
def _group() -> None:
    """Keeps `check` a word of its own while it is the only command."""


@providers_.command("check")
def providers_check(
    every_model: Annotated[bool, typer.Option("--all", help="Call every model, not one of each service.")] = False,
) -> None:
    """Calls each configured provider once for each service, which it may bill, and says what works."""
    settings = Settings()
    configure_logs(settings.log_format)
    providers = load_providers(settings.providers, provider_tools(settings))
    if not providers:
        print("AIOPS_PROVIDERS is not set: the embedded provider does all the work, at no cost.", flush=True)
        return
    found = asyncio.run(_check(providers, every_model=every_model))
    print("\n".join([*table(found), *licence_notes({trial.model for trial in found})]), flush=True)
    if any(trial.problem is not None for trial in found):
        raise typer.Exit(1)


async def _check(providers: list[Provider], *, every_model: bool) -> list[Trial]:
    models = models_by_operation(api_document())
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "recording.mp3"
        recording.write_bytes(await _spoken())
        return [trial async for trial in trials(providers, models, recording, every_model=every_model)]


async def _spoken() -> bytes:
    async def started(_request_id: str) -> None:
        return None

    call = Call(SPEECH_SECONDS, started, progress=lambda _: None)
    return (await EmbeddedProvider().generate_speech(TEXT, VOICE, "", call)).data


def models_by_operation(document: Document) -> dict[str, Sequence[str]]:
    return {
        operation_id: [one.value for one in document.choices(document.operations[operation_id], "model")]
        for operation_id in OPERATIONS
    }


def table(found: list[Trial]) -> list[str]:
    """What was found, a line each, in columns."""
    rows = [HEADINGS, *(_row(trial) for trial in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(trial: Trial) -> tuple[str, ...]:
    works = "not called" if not trial.is_tried else trial.problem or "yes"
    licence = LICENCES.get(trial.model)
    may_be_sold = "unknown" if licence is None else "yes" if licence.may_be_sold else "NO"
    return trial.provider, trial.model, works, may_be_sold, price_of(trial.provider, trial.model)


def licence_notes(models: set[str]) -> list[str]:
    """A line for each model whose licence forbids to sell what it makes."""
    return [
        f"{model} must not be sold: {licence.name}; {licence.note}."
        for model, licence in LICENCES.items()
        if model in models and not licence.may_be_sold
    ]


def notices(registry: ProviderRegistry, document: Document) -> list[str]:
    """What the operator is told at the start of who does the work."""
    named = [provider.name for provider in registry.named]
    forgotten = [
        f"{variable} is set, but AIOPS_PROVIDERS does not name {provider}: it is not used."
        for variable, provider in KEYS.items()
        if os.environ.get(variable) and provider not in named
    ]
    if not named:
        return forgotten
    models = models_by_operation(document)
    left = sorted(operation_id for operation_id in models if registry.stands_in(operation_id))
    real = [(each, model) for each in models if each not in left for model in models[each]]
    live = [model for operation_id, model in real if registry.candidates(operation_id, model)]
    missing = [model for _, model in real if model not in live]
    lines = [f"Work is done by {', '.join(named)}."]
    if left:
        lines.append(f"Left to the embedded provider: {', '.join(left)}.")
    if missing:
        lines.append(f"Not served here: {', '.join(missing)}.")
    return [*lines, *forgotten, *licence_notes(set(live))]
