"""What a webhook does with a payload: answer a verification, filter it, cut it into bundles, answer the service.

Source: "Webhook" in Make's documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiops_connect.platforms.make.runner import bodies
from aiops_connect.platforms.make.runner.app import Block
from aiops_connect.platforms.make.runner.blocks import Request
from aiops_connect.platforms.make.runner.chain import execute
from aiops_connect.platforms.make.runner.iml.paths import Headers
from aiops_connect.platforms.make.runner.iml.values import UNDEFINED, Value, to_json, to_text
from aiops_connect.platforms.make.runner.pages import Paging
from aiops_connect.platforms.make.runner.run import Run

RESPOND_TYPES = ("json", "urlencoded", "text")


@dataclass(frozen=True, slots=True)
class Payload:
    """A request that a service sends to the webhook."""

    body: Value = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Value] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service is answered; Make says 200 `Accepted` where the app says nothing."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "Accepted"


def receive(run: Run, block: Block | None, payload: Payload) -> tuple[list[Value], Reply]:
    """The bundles of a payload and the reply to it; a webhook without communication passes the body on."""
    headers = Headers({name.lower(): value for name, value in payload.headers.items()})
    run.variables |= {
        "body": payload.body,
        "headers": headers,
        "query": dict(payload.query),
        "method": payload.method,
        "payload": payload.body,
        "statusCode": 0,
    }
    members = block.members() if block else {}
    verification = members["verification"].members() if "verification" in members else {}
    if "condition" in verification and run.holds(verification["condition"]):
        return [], reply(run, verification.get("respond"))
    if block is None:
        return ([payload.body] if isinstance(payload.body, dict) else []), Reply()
    condition = members.get("condition")
    if condition is not None:
        inner = condition.members() if isinstance(condition.value, dict) else {"condition": condition}
        if "condition" in inner and not run.holds(inner["condition"]):
            default = run.evaluate_optional(inner.get("default"))
            return [default] if isinstance(default, dict) else [], reply(run, members.get("respond"))
    return _bundles(run, block, payload), reply(run, members.get("respond"))


def _bundles(run: Run, block: Block, payload: Payload) -> list[Value]:
    """`iterate` and `output` stand at the top here, and work as those of a response."""
    members = {name: member for name, member in block.members().items() if name in ("iterate", "output")}
    if not members:
        return [payload.body] if isinstance(payload.body, dict) else []
    request = Request(block=block, directives={}, response=members, layers={})
    result = execute(run, (request,), Paging())
    values = [result.value] if result.bundles is None else [bundle.output for bundle in result.bundles]
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return [value for value in flat if isinstance(value, dict)]


def reply(run: Run, block: Block | None) -> Reply:
    """The answer that a directive describes: its type, status, headers and body.

    :raises AppError: for a type that Make does not have
    """
    if block is None:
        return Reply()
    members = block.members()
    kind = to_text(run.evaluate_optional(members.get("type"))) or "json"
    if kind not in RESPOND_TYPES:
        raise block.error(f"Unknown type {kind!r}. Make has {', '.join(RESPOND_TYPES)}.")
    status = int(run.number(members.get("status"), 200))
    given = run.evaluate(members["headers"]) if "headers" in members else {}
    headers = {name.lower(): to_text(value) for name, value in given.items()}
    body = run.evaluate_optional(members.get("body"))
    if body is UNDEFINED:
        return Reply(status, headers, "")
    if kind in bodies.CONTENT_TYPES:
        headers.setdefault("content-type", bodies.CONTENT_TYPES[kind])
    match kind:
        case "urlencoded" if isinstance(body, dict):
            return Reply(status, headers, bodies.urlencode(body))
        case "json" if not isinstance(body, str):
            return Reply(status, headers, to_json(body))
    return Reply(status, headers, to_text(body))
