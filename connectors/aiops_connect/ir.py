"""A connector, as every platform needs it told: what it asks for, what it sends and how, what comes back, what waits.

One step nearer to the platforms than OpenAPI, so that no emitter decides for itself what is required, what is a label,
what fills a list or which call tests a connection. Plain frozen data that imports nothing of ours. Texts are as the
document has them: data, to be escaped by whoever prints them. Pointers are JSON pointers (RFC 6901) into a JSON value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal, TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
Scalar: TypeAlias = bool | int | float | str
Pointer: TypeAlias = str


class Missing(Enum):
    """The absence of a value where null would be one."""

    MISSING = "missing"


MISSING = Missing.MISSING


# What a value can be


@dataclass(frozen=True, slots=True)
class Text:
    """`format` is the document's own word, such as `uri`, `email` or `uuid`; lengths are in characters; `pattern` is a
    regular expression of ECMA-262 that is found somewhere in the text."""

    format: str = ""
    length_min: int | None = None
    length_max: int | None = None
    pattern: str | None = None
    is_multiline: bool = False


@dataclass(frozen=True, slots=True)
class Integer:
    """Both bounds are allowed values."""

    minimum: int | None = None
    maximum: int | None = None
    multiple_of: int | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A bound is an allowed value unless it says `excluded`."""

    minimum: float | None = None
    maximum: float | None = None
    is_minimum_excluded: bool = False
    is_maximum_excluded: bool = False
    multiple_of: float | None = None


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""


@dataclass(frozen=True, slots=True)
class DateTime:
    """A text in a form of RFC 3339."""

    precision: Literal["date-time", "date", "time"] = "date-time"


class FileForm(Enum):
    """How a file travels."""

    BYTES = "bytes"  # as the body, or as a part of it
    BASE64 = "base64"  # as text in JSON
    URL = "url"  # as a link to it


@dataclass(frozen=True, slots=True)
class File:
    """The content of a file, or a link that leads to it. `media_types` are those it can have, none where the document
    does not say. `upload` makes a link of a file that the person has and not a link to; only where the form is URL."""

    form: FileForm
    media_types: tuple[str, ...] = ()
    upload: "Upload | None" = None


@dataclass(frozen=True, slots=True)
class Upload:
    """The operation that takes a file in its input `field` and answers the link to it at `url`."""

    operation: str
    field: str
    url: Pointer


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a choice; `label` is never empty."""

    value: Scalar
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values, all of the same kind. `is_open`: others are taken too, these are suggestions."""

    options: tuple[Option, ...]
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """The one value there is: it is sent, nobody is asked."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Array:
    """A list. `items_max` None: no limit is known."""

    item: "FieldType"
    items_min: int | None = None
    items_max: int | None = None
    is_unique: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """An object with known members, and of `additional` ones where other names are taken."""

    fields: "tuple[Field, ...]"
    additional: "FieldType | None" = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One of several shapes. `value` is what the selector holds for it."""

    label: str
    type: "FieldType"
    value: Scalar | None = None


@dataclass(frozen=True, slots=True)
class Union:
    """One of several shapes. `selector` is the name of the member that tells them apart, the same in each variant's
    group, where it is a constant; None where nothing but the value itself tells."""

    variants: tuple[Variant, ...]
    selector: str | None = None


class Untyped(Enum):
    """Why a value is any JSON."""

    ANYTHING = "the document allows anything"
    RECURSIVE = "it contains itself"
    LARGE = "it has too many members to ask for one by one"
    DEEP = "it is nested too deeply to ask for member by member"


@dataclass(frozen=True, slots=True)
class AnyJson:
    """Any JSON value, entered and shown as such."""

    why: Untyped = Untyped.ANYTHING


FieldType: TypeAlias = (
    Text | Integer | Number | Boolean | DateTime | File | Choice | Constant | Array | Group | Union | AnyJson
)


# What is asked for and answered


class Location(Enum):
    """Where a value travels."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    BODY = "body"


class Style(Enum):
    """How a value that is not JSON is written (OpenAPI 3.1, section 4.8.12.3)."""

    SIMPLE = "simple"
    LABEL = "label"
    MATRIX = "matrix"
    FORM = "form"
    SPACE_DELIMITED = "spaceDelimited"
    PIPE_DELIMITED = "pipeDelimited"
    DEEP_OBJECT = "deepObject"


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one value is written outside JSON. With a `content_type` the value is a document of its own, such as JSON in
    a query or a part of a multipart body, and `style` does not apply."""

    style: Style
    explode: bool
    allow_reserved: bool = False
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One value that is asked for, or answered.

    `name` is its name on the wire; `id` is in snake_case, safe in every language and unique among its siblings. `label`
    is never empty. `encoding` is set where it does not travel as JSON. `options` fill a list at run time.
    `is_advanced`: of no interest to most people. `is_credits_left`: it says what the account can still spend. What
    only the other side may set is not among the fields at all.
    """

    id: str
    name: str
    label: str
    type: FieldType
    help: str = ""
    location: Location = Location.BODY
    required: bool = False
    nullable: bool = False
    default: Json | Missing = MISSING
    example: Json | Missing = MISSING
    encoding: Encoding | None = None
    options: "OptionsSource | None" = None
    is_secret: bool = False
    is_advanced: bool = False
    is_credits_left: bool = False
    deprecated: bool = False


class BodyFormat(Enum):
    """How the inputs whose location is the body become one."""

    JSON = "json"
    FORM = "form"  # application/x-www-form-urlencoded
    MULTIPART = "multipart"  # multipart/form-data
    BYTES = "bytes"  # the one input is a file, and it is the body
    TEXT = "text"  # the one input is a text, and it is the body


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent as the body. `is_whole`: there is one input in the body, and it is the body, not a member of it.
    `required`: it is sent even where no input in it is set. `additional`: members of other names are taken too."""

    media_type: str
    format: BodyFormat
    required: bool = False
    is_whole: bool = False
    additional: FieldType | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a success looks like. `status` is a status, or a class of them such as `2XX`. `type` is None where there is
    no content. `sample` is an example of the document, or made of the examples of its fields."""

    status: str
    media_type: str | None = None
    type: FieldType | None = None
    sample: Json | Missing = MISSING
    help: str = ""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The members of what is answered, or of each item where that is a list."""
        match self.type:
            case Group(fields) | Array(item=Group(fields)):
                return fields
            case _:
                return ()


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A stable word by which programs tell one error from another."""

    value: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What is wrong one by one: `items` points at a list, `message` at the sentence in each of its items, `field` at
    the name of the input, or where `is_path` at a list of names that leads to it."""

    items: Pointer
    message: Pointer
    field: Pointer | None = None
    is_path: bool = False


@dataclass(frozen=True, slots=True)
class ApiError:
    """What a failure looks like. `status` is a status, a class such as `4XX`, or `default`. `message` and `code` point
    at the sentence and the word in its body. `is_retryable`: the same call can succeed later. `has_retry_after`: the
    header Retry-After says when."""

    status: str
    help: str = ""
    message: Pointer | None = None
    code: Pointer | None = None
    codes: tuple[ErrorCode, ...] = ()
    is_retryable: bool = False
    has_retry_after: bool = False
    details: ErrorDetails | None = None


# How calls lead to one another


@dataclass(frozen=True, slots=True)
class FromAnswer:
    """A value out of the body that came before: the answer to a call, or what a subscription was answered."""

    pointer: Pointer


@dataclass(frozen=True, slots=True)
class Literally:
    """A value that is always the same."""

    value: Json


class FromPlatform(Enum):
    """A value that the platform has."""

    URL = "url"  # where it wants to be called
    EVENTS = "events"  # the names of the events that were chosen


Source: TypeAlias = FromAnswer | Literally | FromPlatform


@dataclass(frozen=True, slots=True)
class Binding:
    """An input of an operation, by its id, and what fills it."""

    field: str
    source: Source


@dataclass(frozen=True, slots=True)
class Call:
    """An operation that is called on the way, by its id; inputs that are not bound stay unset."""

    operation: str
    bindings: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class OptionsSource:
    """A call whose answer lists what a field can be: for each of `items`, its `value` and its `label`."""

    call: Call
    items: Pointer
    value: Pointer
    label: Pointer


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next page is asked for by setting input `field` to what stands at `next` of the answer; where `is_of_item`,
    of the last of its items. The last page has nothing there, or false at `more`."""

    field: str
    next: Pointer
    is_of_item: bool = False
    more: Pointer | None = None
    limit: str | None = None
    items: Pointer = ""


@dataclass(frozen=True, slots=True)
class Offset:
    """Input `field` counts the items to pass over, from 0; input `limit` is how many a page has."""

    field: str
    limit: str | None = None
    items: Pointer = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Input `field` counts the pages, from `first`."""

    field: str
    first: int = 1
    limit: str | None = None
    items: Pointer = ""


@dataclass(frozen=True, slots=True)
class Link:
    """The address of the next page stands at `next` of the answer, null on the last; where that is None, in the header
    Link as `rel="next"` (RFC 8288). It may lead to the API's own host only."""

    next: Pointer | None = None
    limit: str | None = None
    items: Pointer = ""


Pagination: TypeAlias = Cursor | Offset | Page | Link


@dataclass(frozen=True, slots=True)
class Immediate:
    """The answer is the result."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A call answers when the job has ended, after `seconds_max` at the latest, where input `field` holds `text` with
    the seconds in place of `{seconds}`."""

    field: str
    text: str
    seconds_max: int


@dataclass(frozen=True, slots=True)
class JobOutput:
    """Where a field of the operation's answer, by its name, stands in the job once that has succeeded."""

    name: str
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class Job:
    """The work may outlast the call.

    With the bindings of `start` set, the call answers at once with status `accepted_status` and the job; where there is
    none, it always does. `status` looks the job up and `cancel` ends it; their bindings point into that first answer.
    The other pointers are into the job: `state` holds one of the words of `succeeded`, `failed` or `cancelled` once it
    has ended, any other while it is open; `result` what it made, `reason` why there is none, `charged` the credits
    that it has cost, `refunded` those that came back. `outputs` says how the job becomes what the operation answers.
    `callback` is the callback of the operation that tells of the end.
    """

    accepted_status: str
    status: Call
    state: Pointer
    succeeded: tuple[str, ...]
    failed: tuple[str, ...]
    cancelled: tuple[str, ...] = ()
    start: tuple[Binding, ...] = ()
    cancel: Call | None = None
    wait: Wait | None = None
    result: Pointer | None = None
    reason: Pointer | None = None
    refunded: Pointer | None = None
    charged: Pointer | None = None
    outputs: tuple[JobOutput, ...] = ()
    callback: str | None = None


Execution: TypeAlias = Immediate | Job


@dataclass(frozen=True, slots=True)
class Callback:
    """A call that the API makes to the address in input `field` of the operation; None where the address is not one of
    its inputs. `payload` is None where the call has no body."""

    id: str
    label: str
    payload: FieldType | None
    sample: Json | Missing = MISSING
    field: str | None = None
    signature: "Signature | None" = None
    help: str = ""


class SignatureScheme(Enum):
    """How it is proved that a call came from the API."""

    STANDARD_WEBHOOKS = "standard-webhooks"  # webhook-id, webhook-timestamp, webhook-signature; standardwebhooks.com


@dataclass(frozen=True, slots=True)
class Signature:
    """`secret` points into what the subscription was answered; None where the person has it from elsewhere."""

    scheme: SignatureScheme
    secret: Pointer | None = None


# How one gets in


class KeyLocation(Enum):
    """Where an API key travels."""

    HEADER = "header"
    QUERY = "query"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, sent after `prefix` under `name`."""

    id: str
    label: str
    location: KeyLocation
    name: str
    prefix: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Basic:
    """User name and password (RFC 7617)."""

    id: str
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token (RFC 6750), sent as `Authorization: Bearer …`. `format` is a hint for people, such as JWT."""

    id: str
    label: str
    format: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class OtherHttp:
    """Credentials that are sent as they are after another scheme of HTTP authentication."""

    id: str
    label: str
    scheme: str
    help: str = ""


class Grant(Enum):
    """The way to a token (RFC 6749; OpenAPI 3.1, section 4.8.29)."""

    AUTHORIZATION_CODE = "authorizationCode"
    CLIENT_CREDENTIALS = "clientCredentials"
    PASSWORD = "password"  # noqa: S105 - the name of a grant
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token may be used for."""

    name: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to a token."""

    grant: Grant
    scopes: tuple[Scope, ...]
    authorization_url: str | None = None
    token_url: str | None = None
    refresh_url: str | None = None


@dataclass(frozen=True, slots=True)
class OAuth2:
    """OAuth 2.0, by one of its flows; the first is the one to take."""

    id: str
    label: str
    flows: tuple[Flow, ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class OpenIdConnect:
    """OpenID Connect, discovered at `url`."""

    id: str
    label: str
    url: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class MutualTls:
    """A certificate of the client."""

    id: str
    label: str
    help: str = ""


SecurityScheme: TypeAlias = ApiKey | Basic | Bearer | OtherHttp | OAuth2 | OpenIdConnect | MutualTls


@dataclass(frozen=True, slots=True)
class SchemeUse:
    """A scheme, by its id, and the scopes that are needed of it."""

    scheme: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must be presented, all of it together; nothing where a call without credentials is taken too."""

    uses: tuple[SchemeUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """What people connect with. `alternatives` are sets of schemes, by their ids, of which one is enough; the first
    opens the most operations. `check` is the operation that tests a connection, and `account_label` points at the
    account's name in its answer."""

    schemes: tuple[SecurityScheme, ...]
    alternatives: tuple[tuple[str, ...], ...]
    check: str | None = None
    account_label: Pointer | None = None


@dataclass(frozen=True, slots=True)
class ServerVariable:
    """A part of a server's address that people choose; `options` none where any text is taken."""

    name: str
    default: str
    options: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the API is. `url` holds variables as `{name}` and ends without a slash. Where it is relative, the address
    of whoever runs the API, which the publisher's settings name, comes before it."""

    url: str
    label: str = ""
    variables: tuple[ServerVariable, ...] = ()

    @property
    def address(self) -> str:
        """The URL with its variables at their defaults."""
        url = self.url
        for one in self.variables:
            url = url.replace(f"{{{one.name}}}", one.default or (one.options[0] if one.options else ""))
        return url

    @property
    def is_relative(self) -> bool:
        return "://" not in self.url and not self.url.startswith("{")


# What a connector does


class Effect(Enum):
    """What a call does to the other side, by the method of HTTP."""

    LIST = "list"  # reads many
    READ = "read"  # reads one
    CREATE = "create"  # does something new, not to be repeated lightly
    UPDATE = "update"  # changes what is there; repeating it changes nothing more
    DELETE = "delete"  # removes


@dataclass(frozen=True, slots=True)
class Operation:
    """One API call. `id` is unique in the app, in snake_case. `path` has the names of its inputs as `{name}`. `inputs`
    are in the order to ask for them: required ones first, advanced ones last. `answers` has the usual success first.
    `credits` is what a call costs, None where it is free. `idempotency` is the id of the input by which a repeat is
    told from new work. `security` are alternatives, none where nothing is needed. `servers` are those of the app unless
    the operation has its own. `source` is where the document describes it, for problems."""

    id: str
    label: str
    method: str
    path: str
    effect: Effect
    help: str = ""
    inputs: tuple[Field, ...] = ()
    body: Body | None = None
    answers: tuple[Answer, ...] = ()
    errors: tuple[ApiError, ...] = ()
    execution: Execution = Immediate()
    pagination: Pagination | None = None
    idempotency: str | None = None
    credits: int | None = None
    callbacks: tuple[Callback, ...] = ()
    security: tuple[Requirement, ...] = ()
    servers: tuple[Server, ...] = ()
    deprecated: bool = False
    source: str = field(default="", compare=False)

    @property
    def answer(self) -> Answer | None:
        return self.answers[0] if self.answers else None

    def input(self, id: str) -> Field:  # noqa: A002 - its name
        """Raises KeyError where there is none."""
        for one in self.inputs:
            if one.id == id:
                return one
        raise KeyError(id)


@dataclass(frozen=True, slots=True)
class Subscription:
    """How a platform is told of events by itself: `subscribe` gives the address, `unsubscribe` takes it back with what
    subscribing answered, `list` shows what there is."""

    subscribe: Call
    unsubscribe: Call | None = None
    list: Call | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """A call whose answer has what the payload of an event would hold: each of `items`, wrapped at `pointer`. `events`
    has which event an item is of, by the value that stands at `state` in it; items of other values are of none. Without
    a `state` nothing tells."""

    call: Call
    items: Pointer
    pointer: Pointer = ""
    state: Pointer | None = None
    events: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that happens on the other side. `events` are its kinds, by the names the API gives them; `event` points
    at that name in the payload. Without a `subscription` people enter the address themselves. `delivery` is the name of
    the header by which a repeated delivery is known."""

    id: str
    label: str
    events: tuple[Option, ...]
    payload: FieldType | None
    help: str = ""
    event: Pointer | None = None
    sample: Json | Missing = MISSING
    subscription: Subscription | None = None
    samples: Samples | None = None
    signature: Signature | None = None
    delivery: str | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.payload.fields if isinstance(self.payload, Group) else ()


@dataclass(frozen=True, slots=True)
class Resource:
    """Operations that belong together."""

    id: str
    label: str
    operations: tuple[Operation, ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class App:
    """A connector. `version` is that of the API's document. `internal` are operations that are no steps to choose, but
    that the connector calls by itself: for a trigger, a job, a list or a file."""

    id: str
    title: str
    version: str
    help: str
    servers: tuple[Server, ...]
    connection: Connection | None
    resources: tuple[Resource, ...]
    triggers: tuple[Trigger, ...] = ()
    internal: tuple[Operation, ...] = ()

    @property
    def operations(self) -> Iterator[Operation]:
        """The steps to choose from."""
        return (operation for resource in self.resources for operation in resource.operations)

    def own_server(self, operation: Operation) -> Server | None:
        """The server of an operation that is not called where the others are. A relative one begins with a slash, and
        stands for a place on their host."""
        own = operation.servers[0] if operation.servers else None
        if own is None or (self.servers and own.url == self.servers[0].url):
            return None
        return own if own.url else replace(own, url="/")

    def asked(self, operation: Operation) -> tuple[Field, ...]:
        """The inputs that people are asked for: not what a connector sets by itself to start or await a job, to go from
        page to page, or because it is always the same."""
        own: set[str] = set()
        if isinstance(operation.execution, Job):
            own |= {binding.field for binding in operation.execution.start}
        for other in self.operations:
            if (
                isinstance(job := other.execution, Job)
                and job.wait
                and operation.id in (other.id, job.status.operation)
            ):
                own.add(job.wait.field)
        match operation.pagination:
            case Cursor(field=name, limit=limit) | Offset(field=name, limit=limit) | Page(field=name, limit=limit):
                own |= {name, *([limit] if limit is not None else [])}
            case Link(limit=str(limit)):
                own.add(limit)
        return tuple(one for one in operation.inputs if one.id not in own and not isinstance(one.type, Constant))

    def operation(self, id: str) -> Operation:  # noqa: A002 - its name
        """One of either kind. Raises KeyError where there is none."""
        for operation in (*self.operations, *self.internal):
            if operation.id == id:
                return operation
        raise KeyError(id)
