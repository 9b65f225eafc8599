"""One call: built, sent, traced, and its response put where expressions find it."""

import time
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from aiops_connect.platforms.make.runner.app import Block
from aiops_connect.platforms.make.runner.blocks import Request
from aiops_connect.platforms.make.runner.bodies import RESPONSE_TYPES, parse_body
from aiops_connect.platforms.make.runner.errors import MakeError
from aiops_connect.platforms.make.runner.http import Incoming
from aiops_connect.platforms.make.runner.iml.paths import Headers
from aiops_connect.platforms.make.runner.iml.values import Value, to_text
from aiops_connect.platforms.make.runner.outgoing import Built, build, timeout_of
from aiops_connect.platforms.make.runner.run import Run
from aiops_connect.platforms.make.runner.trace import Exchange

BOUNDS = 1, 999


@dataclass(frozen=True, slots=True)
class Step:
    """Where in the chain a call is made, for the trace."""

    label: str
    page: int = 1


def call(run: Run, request: Request, base_url: Block | None, step: Step) -> None:
    """Sends the request; afterwards `body`, `headers` and `statusCode` are those of the response.

    :raises MakeError: where there is no response, or none that can be read
    :raises AppError: for directives that cannot be followed
    """
    run.check_time()
    if run.requests_sent >= run.limits.calls:
        raise MakeError("RuntimeError", f"The run sends more than {run.limits.calls} requests.")
    run.requests_sent += 1
    built = build(run, request, base_url, timeout_of(run, request))
    began = time.monotonic()
    recorder = _Recorder(run, request, built, step)
    try:
        response = run.client.send(built.outgoing)
    except MakeError as error:
        recorder.failed(time.monotonic() - began, error)
        raise
    seconds = time.monotonic() - began
    headers = response_headers(response)
    kind = _response_type(run, request, response.status)
    failure: MakeError | None = None
    try:
        body = parse_body(response.content, to_text(headers.get("content-type", "")), kind, response.status)
    except MakeError as error:
        body, failure = response.content.decode("utf-8", "replace"), error
    recorder.answered(seconds, response, body, failure)
    run.variables.update(body=body, headers=headers, statusCode=response.status)
    if failure:
        raise failure


def response_headers(response: Incoming) -> Headers:
    """As Node gives them: values of one name joined with commas, cookies as an array."""
    headers = Headers()
    for name, value in response.headers:
        key = name.lower()
        if key == "set-cookie":
            headers[key] = [*headers.get(key, []), value]
        else:
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _response_type(run: Run, request: Request, status: int) -> str:
    """By the smallest range of statuses; `*` is the largest."""
    block = request.response.get("type")
    if block is None:
        return "automatic"
    value = run.evaluate(block)
    if isinstance(value, dict):
        ranges = {key: _range(block, key) for key in value}
        fitting = [(last - first, key) for key, (first, last) in ranges.items() if first <= status <= last]
        value = value[min(fitting)[1]] if fitting else "automatic"
    if value not in RESPONSE_TYPES:
        raise block.error(f"Unknown type {to_text(value)!r}. Make has {', '.join(RESPONSE_TYPES)}.")
    return str(value)


def _range(block: Block, key: str) -> tuple[int, int]:
    if key == "*":
        return BOUNDS
    first, _, last = key.partition("-")
    if not fnmatch(first, "[0-9][0-9][0-9]") or not fnmatch(last or first, "[0-9][0-9][0-9]"):
        raise block.error(f"{key!r} is neither a status, nor a range like 400-499, nor *.")
    return int(first), int(last or first)


@dataclass(frozen=True, slots=True)
class _Recorder:
    """Puts one exchange into the trace."""

    run: Run
    request: Request
    built: Built
    step: Step

    def failed(self, seconds: float, error: MakeError) -> None:
        self._record(dict(self.built.outgoing.headers), None, seconds, error)

    def answered(self, seconds: float, response: Incoming, body: Value, failure: MakeError | None) -> None:
        received: dict[str, Any] = {"status": response.status, "headers": response_headers(response), "body": body}
        if response.redirects:
            received["redirects"] = [{"status": status, "url": url} for status, url in response.redirects]
        self._record(dict(response.sent_headers), received, seconds, failure)

    def _record(
        self, headers: dict[str, str], received: dict[str, Any] | None, seconds: float, failure: MakeError | None
    ) -> None:
        outgoing = self.built.outgoing
        sent: dict[str, Any] = {"method": outgoing.method, "url": outgoing.url, "qs": self.built.qs, "headers": headers}
        if outgoing.content is not None or outgoing.parts:
            sent["body"] = self.built.body
        said = str(failure) if failure else None
        exchange = Exchange(sent, received, seconds, self.step.label, self.step.page, said)
        self.run.trace.record(exchange, self.request.sanitize)
