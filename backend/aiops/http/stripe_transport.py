"""Stripe's library over httpx. The client that comes with it sends bodies in a way that httpx calls out of date."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import stripe

ANSWER_SECONDS_MAX = 20.0
ANSWER_BYTES_MAX = 10_000_000


class StripeTransport(stripe.HTTPClient):
    """Sends what the library wants sent; it repeats by itself, under the same Idempotency-Key, what it may repeat."""

    name = "httpx"

    def __init__(self) -> None:
        super().__init__()
        self._client: httpx.AsyncClient | None = None

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Status, headers and body of an answer.

        Raises:
            stripe.APIConnectionError: there was none, in time.
        """
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS_MAX),
                self._connected().stream(method, url, headers=dict(headers), content=post_data) as answer,
            ):
                return await _body_of(answer), answer.status_code, answer.headers
        except (httpx.HTTPError, TimeoutError) as error:
            raise _failure("Stripe cannot be reached.", is_passing=True) from error

    async def sleep_async(self, secs: float) -> None:
        await asyncio.sleep(secs)

    async def close_async(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=ANSWER_SECONDS_MAX)
        return self._client


async def _body_of(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > ANSWER_BYTES_MAX:
            raise _failure("Stripe's answer is too large.", is_passing=False)
    return bytes(body)


def _failure(sentence: str, *, is_passing: bool) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(sentence, should_retry=is_passing)  # type: ignore[no-untyped-call]
