"""The trace of a run for people, and as JSON."""

from collections.abc import Iterator
from typing import Any

from aiops_connect.platforms.make.runner.iml.values import to_json
from aiops_connect.platforms.make.runner.trace import Exchange, Trace

BODY_CHARS = 4000


def exchange_lines(exchange: Exchange, *, verbose: bool) -> Iterator[str]:
    """One line; headers and bodies too if `verbose`."""
    yield _summary(exchange)
    if verbose:
        yield from _details(exchange)


def _summary(exchange: Exchange) -> str:
    page = f", page {exchange.page}" if exchange.page > 1 else ""
    ending = exchange.response["status"] if exchange.response else exchange.failure
    return f"{exchange.request['method']} {exchange.request['url']} -> {ending} ({exchange.seconds:.2f} s{page})"


def _details(exchange: Exchange) -> Iterator[str]:
    for mark, message in ((">", exchange.request), ("<", exchange.response)):
        for name, value in (message or {}).get("headers", {}).items():
            yield f"  {mark} {name}: {value if isinstance(value, str) else ', '.join(value)}"
        if message and "body" in message:
            yield from (f"  {mark} {line}" for line in _body(message["body"]).splitlines())
    if exchange.failure and exchange.response:
        yield f"  ! {exchange.failure}"


def _body(body: Any) -> str:
    text = body if isinstance(body, str) else to_json(body, indent=2)
    return text if len(text) <= BODY_CHARS else f"{text[:BODY_CHARS]} ... ({len(text)} characters; --trace has all)"


def as_json(trace: Trace) -> dict[str, Any]:
    """Everything, for programs."""
    exchanges = [
        {
            "step": exchange.step,
            "page": exchange.page,
            "seconds": round(exchange.seconds, 3),
            "request": exchange.request,
            "response": exchange.response,
            "failure": exchange.failure,
        }
        for exchange in trace.exchanges
    ]
    return {"exchanges": exchanges, "warnings": trace.warnings}
