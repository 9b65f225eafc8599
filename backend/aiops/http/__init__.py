"""Outgoing HTTP. httpx is imported in this package and nowhere else.

`GuardedClient` fetches what a user names; `check_url` says at once what can be said without a connection. `ApiClient`
calls the APIs of providers.
"""

from aiops.http.api import (
    ANSWER_BYTES_MAX,
    ApiAnswer,
    ApiCall,
    ApiClient,
    FilePart,
    NoAnswerError,
    NotSentError,
    OversizedAnswerError,
)
from aiops.http.errors import FetchError, RefusedUrlError, TooLargeError, UrlError
from aiops.http.guarded import Downloaded, GuardedClient
from aiops.http.urls import authority_of, canonical_private_hosts, check_url

__all__ = [
    "ANSWER_BYTES_MAX",
    "ApiAnswer",
    "ApiCall",
    "ApiClient",
    "Downloaded",
    "FetchError",
    "FilePart",
    "GuardedClient",
    "NoAnswerError",
    "NotSentError",
    "OversizedAnswerError",
    "RefusedUrlError",
    "TooLargeError",
    "UrlError",
    "authority_of",
    "canonical_private_hosts",
    "check_url",
]
