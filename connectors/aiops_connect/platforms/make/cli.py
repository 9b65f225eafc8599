"""What `aiops-connect make` can do: run an app, and review one."""

from pathlib import Path
from typing import Annotated

import typer

from aiops_connect.platforms.make.review import read_source, review
from aiops_connect.platforms.make.runner.cli import app
from aiops_connect.platforms.make.runner.errors import AppError

__all__ = ["app"]

FINDINGS, WRONG_APP = 1, 3


@app.command(name="review")
def review_app(
    folder: Annotated[
        Path, typer.Argument(help="The folder of the app, where makecomapp.json is.", show_default=False)
    ],
) -> None:
    """Tell what in an app does not keep the rules of Make's review, by file and rule. Exit code 1 where something does
    not, 3 where the app cannot be read."""
    try:
        files = read_source(folder)
    except AppError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG_APP) from error
    findings = review(files)
    for finding in findings:
        typer.echo(str(finding))
    typer.echo(f"{len(findings)} findings in {len(files)} files", err=True)
    raise typer.Exit(FINDINGS if findings else 0)
