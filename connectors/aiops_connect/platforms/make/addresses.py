"""Where calls go: Make has one address for all who use an app."""

from dataclasses import dataclass
from urllib.parse import urljoin

from aiops_connect import ir


@dataclass(frozen=True, slots=True)
class Addresses:
    """`base` is where the calls of an app go, unless an operation has a server of its own; `host` is what a relative
    one follows."""

    app: ir.App
    base: str
    host: str

    def of(self, operation: ir.Operation) -> str:
        """What comes before the path of an operation."""
        own = self.app.own_server(operation)
        if own is None:
            return self.base
        return f"{self.host}{own.address}".rstrip("/") if own.is_relative else own.address

    def other(self, operation: ir.Operation) -> str:
        """The same, but nothing where it is that of the app, which modules and RPCs inherit."""
        own = self.of(operation)
        return "" if own == self.base else own


def addresses(app: ir.App, base_url: str) -> Addresses:
    """`base_url` is that of the publisher, which comes before a server that is relative."""
    server = app.servers[0] if app.servers else ir.Server("")
    if server.is_relative:
        host = base_url.rstrip("/")
        return Addresses(app, f"{host}{server.address}", host)
    return Addresses(app, server.address, urljoin(server.address, "/").rstrip("/"))
