"""The command line: `aiops serve`, `aiops worker`, and what an operator does by hand."""

import typer
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from aiops.accounts.accounts import AccountError
from aiops.billing.gateway import PaymentsError
from aiops.cli.accounts import credits_, keys, users
from aiops.cli.administration import admin, billing_
from aiops.cli.database import database_, ledger_
from aiops.cli.providers import providers_
from aiops.cli.running import refuse
from aiops.cli.serve import serve
from aiops.cli.status import status
from aiops.cli.webhooks import webhooks_
from aiops.cli.worker import worker
from aiops.contract.document import ContractError
from aiops.database.backup import BackupError
from aiops.database.migrate import MigrationError
from aiops.settings import plain
from aiops.storage.files import StorageError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command()(serve)
app.command()(worker)
app.command()(status)
app.add_typer(users, name="users")
app.add_typer(keys, name="keys")
app.add_typer(credits_, name="credits")
app.add_typer(billing_, name="billing")
app.add_typer(webhooks_, name="webhooks")
app.add_typer(providers_, name="providers")
app.add_typer(admin, name="admin")
app.add_typer(ledger_, name="ledger")
app.add_typer(database_, name="db")


def main() -> None:
    """Runs a command; what its user has to mend is said in one line."""
    try:
        app()
    except ValidationError as error:
        problems = "; ".join(f"AIOPS_{str(one['loc'][0]).upper()}: {plain(one['msg'])}" for one in error.errors())
        refuse(problems)
    except SQLAlchemyError as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        refuse(f"The database cannot be used: {str(reason).partition(chr(10))[0]}")
    except StorageError as error:
        refuse(f"The storage of files cannot be used: {error}")
    except (AccountError, BackupError, ContractError, MigrationError, OSError, PaymentsError, ValueError) as error:
        refuse(str(error))
