"""How every adapter calls its provider: within the job's time, and with one account of what a failure means.

What decides is whether the provider may have begun: whoever has no connection has given no order, and a refusal is an
answer; but a call that broke off, and a gateway that gave up waiting, say nothing of the work behind them.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import structlog

from aiops.http import (
    ANSWER_BYTES_MAX,
    ApiAnswer,
    ApiCall,
    FetchError,
    GuardedClient,
    NoAnswerError,
    NotSentError,
    RefusedUrlError,
    TooLargeError,
)
from aiops.providers.answers import MEDIA_BYTES_MAX
from aiops.providers.base import (
    ProviderFailedError,
    ProviderLimitError,
    ProviderRejectedError,
    ProviderUnavailableError,
    Tools,
)
from aiops.providers.images import is_cut_off
from aiops.providers.reading import loggable, parsed

log = structlog.get_logger()

# A gateway in front of the provider says these; what it waited for may go on. 520, 522 and 524 are Cloudflare's, and
# 598 and 599 those of other proxies whose connection broke off.
IN_DOUBT_STATUSES = frozenset({408, 499, 502, 504, 520, 522, 524, 598, 599})
# Asked to come back, we wait for this share of the time that is left, so that the rest suffices for the work.
WAIT_SHARE = 0.5
RETRY_SECONDS_MIN = 0.2
RETRIES_MAX = 10
BACK_OFF_SECONDS = (1.0, 2.0, 4.0, 8.0)
LOOK_PAUSE_SECONDS_MIN, LOOK_PAUSE_SECONDS_MAX, LOOK_PAUSE_GROWTH = 0.5, 5.0, 1.4
# A link is tried for so long, and no longer where a job has hours: one that is dead would keep its slot.
LINK_SECONDS = 120.0
FETCH_SECONDS = 60.0
FETCH_PAUSE_SECONDS_MAX = 30.0
FETCHES_MAX = 15
# Whoever refuses the key, or wants money, is not asked again for so long: it takes the operator to mend that.
SHUT_SECONDS = 60.0

REFUSED = "The provider refused this request: it is against its rules for content."
TOO_LARGE = "This is too large for the provider: send a shorter recording, or less text."


class Deadline:
    """The end of a job's time."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left_seconds(self) -> float:
        return max(0.0, self._end - time.monotonic())


class Waiting:
    """When to look again for what is ordered and will come: a little later each time, or when one is told to."""

    def __init__(
        self,
        pause: Callable[[float], Awaitable[None]],
        deadline: Deadline,
        seconds_max: float = LOOK_PAUSE_SECONDS_MAX,
    ) -> None:
        self._pause = pause
        self._deadline = deadline
        self._seconds = LOOK_PAUSE_SECONDS_MIN
        self._seconds_max = seconds_max

    async def again(self, answer: ApiAnswer | None = None) -> bool:
        """Waits; False at the deadline. A 429 is heeded for not more than half of the time that is left."""
        seconds, left_seconds = self._seconds, self._deadline.left_seconds
        if answer is not None and answer.status == 429:
            asked_seconds = _retry_after_seconds(answer) or 0.0
            seconds = max(seconds, min(asked_seconds, left_seconds * WAIT_SHARE))
        self._seconds = min(self._seconds_max, self._seconds * LOOK_PAUSE_GROWTH)
        await self._pause(min(seconds, left_seconds))
        return self._deadline.left_seconds > 0


class Remote:
    """The API of a provider, called in its name. `headers` hold the key, and go to the API only; links to results may
    lead to the `private_hosts` as well as to the operator's."""

    def __init__(
        self, name: str, tools: Tools, headers: Mapping[str, str], private_hosts: frozenset[str] = frozenset()
    ) -> None:
        self.name = name
        self._api = tools.api
        self._web = GuardedClient(tools.private_hosts | private_hosts)
        self._headers = headers
        self.pause = tools.pause
        self._shut_until = float("-inf")

    @property
    def is_open(self) -> bool:
        """False for a while after the provider has refused the key or wanted money."""
        return time.monotonic() >= self._shut_until

    async def order(
        self,
        call: ApiCall,
        deadline: Deadline,
        *,
        seconds_max: float | None = None,
        size_max_bytes: int = ANSWER_BYTES_MAX,
    ) -> ApiAnswer:
        """Sends a call that the provider is paid for, or that leads to one, and returns a success, or an error 400 or
        422, which only the adapter can read. Waits where it is told to come back later.

        Raises:
            ProviderUnavailableError: it was not taken; ProviderLimitError, because it is too large.
            ProviderFailedError: it may have been taken.
        """
        tries = 0
        while True:
            answer = await self._send(call, deadline, seconds_max, size_max_bytes)
            if answer.status != 429 or _wants_money(answer):
                return self._judged(answer)
            wait_seconds = _retry_after_seconds(answer) or BACK_OFF_SECONDS[min(tries, len(BACK_OFF_SECONDS) - 1)]
            tries += 1
            if tries > RETRIES_MAX or wait_seconds > deadline.left_seconds * WAIT_SHARE:
                raise ProviderUnavailableError("The provider takes no more requests at the moment.")
            log.info("provider_asks_to_wait", provider=self.name, seconds=wait_seconds)
            await self.pause(wait_seconds)

    async def ask(self, call: ApiCall, *, timeout_seconds: float, size_max_bytes: int = ANSWER_BYTES_MAX) -> ApiAnswer:
        """Sends a call that costs nothing, once. Raises what `ApiClient.call` does."""
        authorized = replace(call, headers={**self._headers, **call.headers})
        return await self._api.call(authorized, timeout_seconds=timeout_seconds, size_max_bytes=size_max_bytes)

    async def put(self, url: str, content: bytes, content_type: str, timeout_seconds: float) -> None:
        """Uploads material to a link that the provider has given; the key is not sent there.

        Raises:
            ProviderUnavailableError: it was not taken.
        """
        try:
            answered = await self._web.put(
                url, content, {"Content-Type": content_type}, timeout_seconds=timeout_seconds
            )
        except (FetchError, RefusedUrlError) as error:
            log.warning("material_not_uploaded", provider=self.name, reason=error.reason)
            raise ProviderUnavailableError("The provider did not take the audio.") from error
        if not 200 <= answered.status < 300:
            raise ProviderUnavailableError("The provider did not take the audio.")

    async def fetch(self, url: str, deadline: Deadline) -> bytes:
        """The result behind a link, for which the provider has been paid; the key is not sent there. An image that is
        cut off is fetched again, as what could not be fetched is.

        Raises:
            ProviderFailedError: it cannot be had.
        """
        until = Deadline(min(LINK_SECONDS, deadline.left_seconds))
        waiting = Waiting(self.pause, until, FETCH_PAUSE_SECONDS_MAX)
        for left in reversed(range(FETCHES_MAX)):
            seconds = min(FETCH_SECONDS, until.left_seconds)
            try:
                return await self._fetch_whole(url, seconds)
            except (FetchError, RefusedUrlError) as error:
                log.warning("result_not_fetched", provider=self.name, reason=error.reason)
                if isinstance(error, RefusedUrlError | TooLargeError):
                    break
            if not left or not await waiting.again():
                break
        raise ProviderFailedError("The provider's result could not be fetched.")

    async def _fetch_whole(self, url: str, timeout_seconds: float) -> bytes:
        data = await self._web.fetch(url, size_max_bytes=MEDIA_BYTES_MAX, timeout_seconds=timeout_seconds)
        if is_cut_off(data):
            raise FetchError("The image is cut off.")
        return data

    def failed(self, answer: ApiAnswer, reason: str) -> ProviderFailedError:
        """To be raised where an answer that was paid for is of no use."""
        self.note(answer)
        return ProviderFailedError(reason)

    def note(self, answer: ApiAnswer) -> None:
        """Logs why the provider gave no other answer, which is for the operator and not for the caller."""
        keys = [value.rpartition(" ")[2] for value in self._headers.values()]
        log.warning("provider_answered", provider=self.name, status=answer.status, said=loggable(answer, keys))

    async def _send(
        self, call: ApiCall, deadline: Deadline, seconds_max: float | None, size_max_bytes: int
    ) -> ApiAnswer:
        seconds = deadline.left_seconds if seconds_max is None else min(seconds_max, deadline.left_seconds)
        try:
            return await self.ask(call, timeout_seconds=seconds, size_max_bytes=size_max_bytes)
        except NotSentError as error:
            log.warning("provider_not_reached", provider=self.name, reason=str(error))
            raise ProviderUnavailableError("The provider cannot be reached.") from error
        except NoAnswerError as error:
            log.warning("provider_did_not_answer", provider=self.name, reason=str(error))
            raise ProviderFailedError("The provider broke off, or did not answer in time.") from error

    def _judged(self, answer: ApiAnswer) -> ApiAnswer:
        if answer.is_success or (answer.status in (400, 422) and not _wants_money(answer)):
            return answer
        self.note(answer)
        match answer.status:
            case _ if _refuses_key(answer):
                log.error("provider_refuses_our_key", provider=self.name)
                self._shut_until = time.monotonic() + SHUT_SECONDS
                raise ProviderUnavailableError("The provider does not accept this server's key.")
            case _ if _wants_money(answer):
                log.error("provider_wants_money", provider=self.name)
                self._shut_until = time.monotonic() + SHUT_SECONDS
                raise ProviderUnavailableError("The provider's account of this server is empty or locked.")
            case 413:
                raise ProviderLimitError(TOO_LARGE)
            case status if status in IN_DOUBT_STATUSES:
                raise ProviderFailedError("The provider broke off, or did not answer in time.")
            case _:
                raise ProviderUnavailableError(f"The provider answered with an error (status {answer.status}).")


def _refuses_key(answer: ApiAnswer) -> bool:
    """401; of Hugging Face also a 403, where the token has not the right to call its Inference Providers."""
    match answer.status, parsed(answer):
        case 401, _:
            return True
        case 403, {"error": str(error)}:
            return "sufficient permissions" in error
        case _:
            return False


def _wants_money(answer: ApiAnswer) -> bool:
    """402, or what is said in its stead: fal's 403 (fal-ai/fal, issues 1112 and 1168); OpenAI's 429, which to wait for
    is no use, or its 400 where images are asked for."""
    match answer.status, parsed(answer):
        case 402, _:
            return True
        case 403, {"detail": str(detail)}:
            return detail.startswith("User is locked")
        case 429, {"error": {"code": "insufficient_quota"} | {"type": "insufficient_quota"}}:
            return True
        case 400, {"error": {"code": "billing_hard_limit_reached"}}:
            return True
        case _:
            return False


def rejected() -> ProviderRejectedError:
    return ProviderRejectedError(REFUSED)


def _retry_after_seconds(answer: ApiAnswer) -> float | None:
    """RFC 9110, section 10.2.3: seconds or a date; None where there is neither."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return max(RETRY_SECONDS_MIN, float(value))
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # what is no date, and a year of twenty digits
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(RETRY_SECONDS_MIN, (until - datetime.now(UTC)).total_seconds())
