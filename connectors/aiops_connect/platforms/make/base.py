"""What modules and RPCs inherit: the address, the credentials, the errors, and what no log may show."""

from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.make import errors, iml
from aiops_connect.platforms.make.connection import Connections
from aiops_connect.platforms.make.runner.iml.syntax import Node

TIMEOUT_MILLISECONDS = 300_000
FOREIGN = "is_foreign"  # in `temp`: the request goes to an address that is not the API's


def communication(app: ir.App, connections: Connections, base_url: str, *, leaves_host: bool) -> dict[str, Any]:
    """`leaves_host`: some module fetches from an address that the API names. Make sends the headers of the base to any
    address, so the credentials are left out there."""
    found = connections.together()
    if leaves_host:
        found.headers = {name: _at_home(value) for name, value in found.headers.items()}
    operations = [*app.operations, *app.internal]
    return {
        "baseUrl": iml.literal(base_url),
        **found.sent,
        "timeout": TIMEOUT_MILLISECONDS,
        "response": {"error": errors.directive(operations)},
        "log": {"sanitize": found.sanitize},
    }


def _at_home(value: Node) -> Node:
    return iml.call("if", iml.variable("temp", FOREIGN), iml.UNDEFINED, value)
