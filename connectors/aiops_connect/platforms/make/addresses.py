"""Where calls go: Make has one address for all who use an app."""

from dataclasses import dataclass
from urllib.parse import urljoin

from aiops_connect import ir


@dataclass(frozen=True, slots=True)
class Addresses:
    """`base` is where the calls of an app go, unless an operation has a server of its own."""

    app: ir.App
    base: str

    def of(self, operation: ir.Operation) -> str:
        """What comes before the path of an operation."""
        own = self.app.own_server(operation)
        return urljoin(self.base, own.address) if own is not None else self.base

    def other(self, operation: ir.Operation) -> str:
        """The same, but nothing where it is that of the app, which modules and RPCs inherit."""
        own = self.of(operation)
        return "" if own == self.base else own


def addresses(app: ir.App, base_url: str) -> Addresses:
    """`base_url` is that of the publisher, which comes before a server that is relative."""
    server = app.servers[0] if app.servers else ir.Server("")
    return Addresses(app, f"{base_url.rstrip('/')}{server.address}" if server.is_relative else server.address)
