"""The communication of a component as requests, each with what it inherits from the base."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aiops_connect.platforms.make.runner.app import Block

REQUEST_DIRECTIVES = frozenset((
    "url", "endpoint", "input", "encodeUrl", "method", "headers", "qs", "ca", "body", "type", "temp", "condition",
    "gzip", "aws", "followRedirects", "followAllRedirects", "log", "oauth", "pagination", "repeat", "output", "iterate",
    "respond", "verification", "response", "timeout", "baseUrl",
))  # fmt: skip
RESPONSE_DIRECTIVES = frozenset((
    "type", "valid", "limit", "error", "iterate", "temp", "output", "trigger", "data", "metadata", "uid", "oauth",
    "wrapper", "expires",
))  # fmt: skip
PAGINATION_DIRECTIVES = frozenset((
    "mergeWithParent", "url", "method", "headers", "qs", "body", "condition", "endpoint", "input",
))  # fmt: skip
LAYERED = ("headers", "qs", "body")
OVERRIDDEN = ("url", "method", "endpoint", "input")


@dataclass(frozen=True, slots=True)
class Request:
    """The directives of one request.

    `layers` has what is merged when it is evaluated, the base first: headers, query string and body. `sanitize` are the
    paths of `log.sanitize`, `unknown` the directives that Make does not have.
    """

    block: Block
    directives: Mapping[str, Block]
    response: Mapping[str, Block]
    layers: Mapping[str, tuple[Block, ...]]
    sanitize: tuple[str, ...] = ()
    unknown: tuple[Block, ...] = field(default=(), compare=False)

    @property
    def calls(self) -> bool:
        """Whether it asks somebody; a request without a URL only computes."""
        return "url" in self.directives or "endpoint" in self.directives

    def get(self, name: str) -> Block | None:
        return self.directives.get(name)

    def paginated(self) -> "Request":
        """The request for a further page: `pagination` over the first request, or in its place."""
        pagination = self.directives["pagination"].members()
        merged = "mergeWithParent" not in pagination or pagination["mergeWithParent"].value is not False
        layers: dict[str, tuple[Block, ...]] = dict(self.layers) if merged else dict.fromkeys(LAYERED, ())
        for name in ("headers", "qs"):
            if name in pagination:
                layers[name] = (*layers[name], pagination[name])
        if "body" in pagination:
            layers["body"] = (pagination["body"],)
        own: dict[str, Block] = {name: pagination[name] for name in OVERRIDDEN if name in pagination}
        return replace(self, directives={**self.directives, **own}, layers=layers)


def read_requests(block: Block, base: Block | None) -> tuple[Request, ...]:
    """The requests in their order: one, or those of an array.

    :raises AppError: for anything else
    """
    if block.value == []:
        raise block.error("There is no request here.")
    blocks = [block.at(place) for place in range(len(block.value))] if isinstance(block.value, list) else [block]
    return tuple(_read_request(one, base) for one in blocks)


def _read_request(block: Block, base: Block | None) -> Request:
    own, inherited = _said(block), _said(base) if base else {}
    responses = [members["response"].members() for members in (inherited, own) if "response" in members]
    response = {name: directive for members in responses for name, directive in members.items()}
    layers = {
        name: tuple(
            members[name] for members in (inherited, own) if name in members and members[name].value is not None
        )
        for name in LAYERED
    }
    return Request(
        block=block,
        directives={**inherited, **own},
        response=response,
        layers=layers,
        sanitize=tuple(path for members in (inherited, own) if "log" in members for path in _paths(members["log"])),
        unknown=_unknown(own),
    )


def _said(block: Block) -> dict[str, Block]:
    """The directives of a block without those that are null."""
    return {name: member for name, member in block.members().items() if member.value is not None}


def _paths(log: Block) -> list[str]:
    sanitize = log.members().get("sanitize")
    if sanitize is None:
        return []
    if not isinstance(sanitize.value, list) or not all(isinstance(path, str) for path in sanitize.value):
        raise sanitize.error("The paths to sanitize are an array of texts.")
    return list(sanitize.value)


def _unknown(members: Mapping[str, Block]) -> tuple[Block, ...]:
    response = members["response"].members() if "response" in members else {}
    pagination = members["pagination"].members() if "pagination" in members else {}
    tables = ((members, REQUEST_DIRECTIVES), (response, RESPONSE_DIRECTIVES), (pagination, PAGINATION_DIRECTIVES))
    return tuple(found[name] for found, known in tables for name in found if name not in known)
