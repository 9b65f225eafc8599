"""What the API reference says, as plain data: read from the document once, and then only printed.

Descriptions are CommonMark, as they stand in the document; all other texts are plain.
"""

from dataclasses import dataclass

from aiops.contract.document import Choice
from aiops.web.reference.examples import Call


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph that begins with bold words: a tip."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body or an answer, or a parameter; `place` says where it is sent. `of` is the object it holds,
    which is described at `anchor`."""

    name: str
    title: str
    place: str
    kind: str
    description: str
    is_required: bool
    limits: str
    default: str | None
    example: str | None
    choices: tuple[Choice, ...]
    of: str | None
    anchor: str | None


@dataclass(frozen=True, slots=True)
class Object:
    """A schema with a name, described once and linked from wherever it is answered."""

    name: str
    anchor: str
    title: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """JSON that people can read; `status` where it is an answer."""

    title: str
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """A call that can be copied and made."""

    title: str
    call: Call


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as its reader meets it. `cost` is None where it is free; `result` names what a service is for."""

    id: str
    anchor: str
    tag: str
    method: str
    path: str
    title: str
    description: str
    notes: tuple[Note, ...]
    cost: int | None
    is_authenticated: bool
    is_for_operators: bool
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    is_form: bool
    requests: tuple[Request, ...]
    answer: Object | None
    answer_types: tuple[str, ...]
    answers: tuple[Example, ...]

    @property
    def result(self) -> Field | None:
        return self.answer.fields[0] if self.answer and self.answer.fields else None


@dataclass(frozen=True, slots=True)
class Chapter:
    """The operations of a tag; `objects` are what the answers of the free ones consist of."""

    anchor: str
    title: str
    description: str
    services: tuple[Operation, ...]
    operations: tuple[Operation, ...]
    objects: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class ErrorCode:
    code: str
    anchor: str
    statuses: tuple[str, ...]
    title: str
    description: str
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Header:
    """A header of answers, with the statuses it comes with."""

    name: str
    description: str
    example: str | None
    statuses: tuple[str, ...]
    is_everywhere: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A call that the API makes, one of the document's webhooks or callbacks."""

    name: str
    anchor: str
    title: str
    description: str
    headers: tuple[Field, ...]
    fields: tuple[Field, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The limits of a plan, in the order of `Reference.limits`."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """What only the server knows that serves the page."""

    address: str
    is_signup_open: bool
    job_seconds: int
    file_hours: int
    other_requests_per_minute: int


@dataclass(frozen=True, slots=True)
class Reference:
    title: str
    version: str
    summary: str
    description: str
    notes: tuple[Note, ...]
    authentication: str
    authentication_notes: tuple[Note, ...]
    chapters: tuple[Chapter, ...]
    shared_headers: tuple[Field, ...]
    error: Object
    errors: tuple[ErrorCode, ...]
    error_objects: tuple[Object, ...]
    headers: tuple[Header, ...]
    events: tuple[Event, ...]
    event_headers: tuple[Field, ...]
    event_objects: tuple[Object, ...]
    limits: tuple[Field, ...]
    plans: tuple[Plan, ...]
    server: Server

    @property
    def services(self) -> tuple[Operation, ...]:
        return tuple(service for chapter in self.chapters for service in chapter.services)

    @property
    def shared_answer(self) -> tuple[Field, ...]:
        """The fields that each of several services answers."""
        answers = [service.answer.fields for service in self.services if service.answer]
        return tuple(field for field in answers[0] if all(field in one for one in answers)) if len(answers) > 1 else ()

    @property
    def voices(self) -> tuple[tuple[Operation, Field], ...]:
        """The services that speak, with the field that says how."""
        return tuple((service, field) for service in self.services for field in service.body if field.name == "voice")

    @property
    def free_operations(self) -> tuple[Operation, ...]:
        return tuple(operation for chapter in self.chapters for operation in chapter.operations)

    def operation(self, operation_id: str) -> Operation | None:
        found = (one for one in (*self.services, *self.free_operations) if one.id == operation_id)
        return next(found, None)

    def limit(self, plan: str, name: str) -> int:
        """A limit of a plan, by its field in the document."""
        column = [field.name for field in self.limits].index(name)
        return next(one.values[column] for one in self.plans if one.name == plan)
