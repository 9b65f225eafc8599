"""Outgoing HTTP. httpx is imported in this package and nowhere else.

`GuardedClient` fetches what a user names; `check_url` says at once what can be said without a connection.
"""

from aiops.http.errors import FetchError, RefusedUrlError, UrlError
from aiops.http.guarded import Downloaded, GuardedClient
from aiops.http.urls import canonical_private_hosts, check_url

__all__ = [
    "Downloaded",
    "FetchError",
    "GuardedClient",
    "RefusedUrlError",
    "UrlError",
    "canonical_private_hosts",
    "check_url",
]
