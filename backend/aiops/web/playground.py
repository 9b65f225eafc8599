"""Tries a service in the browser, as the account that is signed in: by the same way as a call of the API.

The forms are made from the document: a field that has choices is a list, a long text has room, and so a service that is
added to the document has its form.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from aiops.accounts.authentication import Caller
from aiops.accounts.plans import limits_of
from aiops.contract.binding import Binding
from aiops.contract.document import Choice
from aiops.error_handlers import message
from aiops.errors import ApiError, InsufficientCreditsError, InvalidInputError
from aiops.jobs import service_call
from aiops.jobs.service_call import ServiceCall
from aiops.web import jobs
from aiops.web.reference import examples, workflow
from aiops.web.reference.examples import Call
from aiops.web.reference.model import Operation
from aiops.web.reference.pages import reference_of
from aiops.web.visits import PageError, Visit, see

LONG_TEXT_LENGTH = 200
MARK_BYTES = 16
MARK = re.compile(r"[0-9A-Za-z_-]{1,50}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Input:
    """A field of a service as a form shows it; `length_max` is None where the document sets none."""

    name: str
    title: str
    description: str
    is_required: bool
    choices: tuple[Choice, ...]
    default: str
    example: str
    length_max: int | None

    @property
    def is_long(self) -> bool:
        return self.length_max is not None and self.length_max > LONG_TEXT_LENGTH and "://" not in self.example


@dataclass(frozen=True, slots=True)
class Code:
    """The same call in another form; `id` names the element that is copied from."""

    id: str
    title: str
    text: str


async def show_first(visit: Visit) -> Response:
    return see(f"/playground/{reference_of(visit.runtime).services[0].id}")


async def show(visit: Visit) -> Response:
    """The form, as it was when the job was made that is named, which is shown as well."""
    job_id = visit.request.query_params.get("job")
    shown = await jobs.find(visit, job_id) if job_id else None
    if shown is not None:
        visit.form.values = {name: str(value) for name, value in shown.request.items()}
    return _page(visit, _service(visit), shown=shown)


async def run(visit: Visit) -> Response:
    """Submits a job; the page that follows shows it, and how it goes on."""
    service, binding = _service(visit), _binding(visit)
    assert binding.request_model is not None
    try:
        body = binding.request_model.model_validate(_body(visit, service))
    except ValidationError as error:
        visit.form.errors.update({str(one["loc"][0]): message(dict(one)) for one in error.errors() if one["loc"]})
        return _page(visit, service, status=422)
    await visit.grant_month()
    outcome = await service_call.accept(visit.runtime, _call(visit, binding, body))
    if outcome.job_id is not None:
        return see(f"/playground/{service.id}?job={outcome.job_id}")
    assert outcome.error is not None
    return _refused(visit, service, outcome.error)


async def show_code(visit: Visit) -> Response:
    """The code by itself, for what is typed at the moment."""
    service = _service(visit)
    return visit.render_part("playground_code.html", codes=_codes(service, _body(visit, service)))


def _call(visit: Visit, binding: Binding, body: BaseModel) -> ServiceCall:
    account, runtime = visit.account, visit.runtime
    return ServiceCall(
        operation=binding.operation,
        caller=Caller(account.id, limits_of(runtime.plans, account.plan)),
        body=body,
        idempotency_key=_idempotency_key(visit),
        request_id=visit.request.state.request_id,
        refusal=binding.refusal(runtime, body),
    )


def _idempotency_key(visit: Visit) -> str | None:
    """The mark of the form: one that is sent twice, by a double click or after a lost answer, is charged once."""
    mark = visit.form.value("mark")
    return f"playground-{mark}" if MARK.fullmatch(mark) else None


def _refused(visit: Visit, service: Operation, error: ApiError) -> Response:
    if isinstance(error, InvalidInputError):
        visit.form.errors.update({one["field"]: one["message"] for one in error.body["details"]})
    else:
        visit.form.errors[""] = f"{error.body['error']}. Nothing was charged."
    response = _page(visit, service, status=error.status, is_short=isinstance(error, InsufficientCreditsError))
    response.headers.update({name: value for name, value in error.headers.items() if name == "Retry-After"})
    return response


def _page(
    visit: Visit,
    service: Operation,
    *,
    status: int = 200,
    shown: jobs.ShownJob | None = None,
    is_short: bool = False,
) -> Response:
    inputs = _inputs(visit, service)
    filled = _body(visit, service) or {one.name: one.example for one in inputs if one.is_required}
    return visit.render(
        "playground.html",
        status=status,
        form=visit.form,
        services=reference_of(visit.runtime).services,
        service=service,
        inputs=inputs,
        codes=_codes(service, filled),
        shown=shown,
        is_short=is_short,
        mark=secrets.token_urlsafe(MARK_BYTES),
    )


def _codes(service: Operation, body: Mapping[str, Any]) -> list[Code]:
    call: Call = replace(service.requests[0].call, body=body)
    is_link = service.result is not None and service.result.kind == "URL"
    n8n = workflow.n8n_workflow(service.title, call, key_name=service.id, is_link=is_link)
    return [
        Code("code-curl", "curl", examples.curl(call)),
        Code("code-python", "Python", examples.python(call)),
        Code("code-n8n", "n8n", n8n),
    ]


def _body(visit: Visit, service: Operation) -> dict[str, str]:
    """What was typed; an optional field that was left empty is not sent."""
    return {one.name: visit.form.value(one.name) for one in service.body if visit.form.value(one.name)}


def _inputs(visit: Visit, service: Operation) -> list[Input]:
    schema = visit.runtime.document.operations[service.id].request_schema
    properties = visit.runtime.document.tree["components"]["schemas"][schema]["properties"]
    return [
        Input(
            name=one.name,
            title=one.title,
            description=one.description,
            is_required=one.is_required,
            choices=one.choices,
            default=one.default or "",
            example=one.example or "",
            length_max=properties[one.name].get("maxLength"),
        )
        for one in service.body
    ]


def _service(visit: Visit) -> Operation:
    operation_id = visit.request.path_params["operation_id"]
    services = {one.id: one for one in reference_of(visit.runtime).services}
    if operation_id not in services:
        raise PageError(404, "There is no such service", "Choose one of those in the playground.")
    return services[operation_id]


def _binding(visit: Visit) -> Binding:
    bindings: Mapping[str, Binding] = visit.request.app.state.bindings
    return bindings[visit.request.path_params["operation_id"]]
