"""Finds the handler of every operation and holds it against the document, or stops the start with one clear line.

The handler of an operation is `handle` in the module that has the operationId as its name. What it takes and returns
must be what the document says, by the names of the generated models:

* a free operation is an ordinary FastAPI endpoint: path parameters by name, `query`, `body` where there is one of JSON,
  and it returns the schema of its success; a body that is a form is left to it, unread;
* a service (`x-credits`) takes its request and a `JobContext` and returns its result, that is, the 200 schema without
  the `Receipt`, which is added when the job has been captured. It may have a function `check(request, runtime)` that
  returns why a request is refused before credits are held.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from starlette.responses import Response

from aiops.contract.document import ContractError, Document, Operation
from aiops.errors import ApiError
from aiops.jobs.execution import JobContext
from aiops.jobs.service_call import CALLBACK_URL
from aiops.runtime import Runtime
from aiops.webhooks.subscriptions import check_receiver

RECEIPT = "Receipt"


@dataclass(frozen=True, slots=True)
class Binding:
    """An operation and the code that serves it."""

    operation: Operation
    handle: Callable[..., Any]
    request_model: type[BaseModel] | None = None
    response_model: type[BaseModel] | None = None
    check: Callable[[Any, Runtime], ApiError | None] | None = None

    def refusal(self, runtime: Runtime, body: BaseModel) -> ApiError | None:
        """Why this server cannot run a valid call to a service, known before any credits are held."""
        models = [choice.value for choice in runtime.document.choices(self.operation, "model")]
        refusal = runtime.providers.refusal(self.operation.id, body, models)
        callback_url: str | None = getattr(body, CALLBACK_URL, None)
        if refusal is None and callback_url is not None:
            refusal = check_receiver(CALLBACK_URL, callback_url, runtime.settings.private_hosts)
        return refusal or (self.check(body, runtime) if self.check else None)


def bind(document: Document, operations: ModuleType, models: ModuleType) -> Mapping[str, Binding]:
    """The bindings by operationId.

    Raises:
        ContractError: a handler is missing, superfluous, or not what the document says.
    """
    modules = {module.name for module in pkgutil.iter_modules(operations.__path__)}
    for name in sorted(document.operations.keys() - modules):
        raise ContractError(f"operation without handler: {name} ({operations.__name__}/{name}.py does not exist)")
    for name in sorted(modules - document.operations.keys()):
        raise ContractError(
            f"handler without operation: {operations.__name__}/{name}.py is not in {document.path.name}"
        )
    bindings = {
        operation.id: _bind(operation, importlib.import_module(f"{operations.__name__}.{operation.id}"), models)
        for operation in document.operations.values()
    }
    for binding in bindings.values():
        result = get_type_hints(binding.handle)["return"].__name__
        if binding.operation.is_service and result not in document.job_results:
            raise ContractError(f"{document.path.name}: {result} is not among the results of Job, so no job shows it")
    return bindings


def _bind(operation: Operation, module: ModuleType, models: ModuleType) -> Binding:
    handle = getattr(module, "handle", None)
    if not inspect.iscoroutinefunction(handle):
        raise ContractError(f"{module.__name__} has no `async def handle`")
    binding = Binding(
        operation,
        handle,
        _model(models, operation.request_schema),
        _model(models, operation.response_schema),
        getattr(module, "check", None),
    )
    hints = get_type_hints(handle, include_extras=True)
    differences = (
        _service_differences(binding, hints, models) if operation.is_service else _differences(binding, hints, models)
    )
    for difference in differences:
        raise ContractError(f"{module.__name__}.handle {difference}")
    return binding


def _model(models: ModuleType, schema: str | None) -> type[BaseModel] | None:
    if schema is None:
        return None
    model = getattr(models, schema, None)
    if model is None:
        raise ContractError(f"{models.__name__} has no {schema}: run `make generate`")
    return model  # type: ignore[no-any-return]


def _service_differences(binding: Binding, hints: dict[str, Any], models: ModuleType) -> Iterator[str]:
    takes = [hint for name, hint in hints.items() if name != "return"]
    request, response, result = binding.request_model, binding.response_model, hints.get("return")
    if request is None or response is None:
        yield "serves an operation whose body or 200 answer is no component of the document"
    elif takes != [request, JobContext]:
        yield f"must take ({request.__name__}, JobContext)"
    elif not (
        inspect.isclass(result) and issubclass(response, result) and issubclass(response, getattr(models, RECEIPT))
    ):
        yield f"must return the result in {response.__name__}, which is allOf the result and {RECEIPT}"


def _differences(binding: Binding, hints: dict[str, Any], models: ModuleType) -> Iterator[str]:
    operation, result = binding.operation, hints.get("return")
    if binding.response_model is not None and result is not binding.response_model:
        yield f"must return {binding.response_model.__name__}"
    if binding.response_model is None and not (inspect.isclass(result) and issubclass(result, Response)):
        yield "must return a Response"
    for name in operation.path_parameters:
        if hints.get(name) is not str:
            yield f"must take the path parameter {name}: str"
    if binding.request_model is not None and hints.get("body") is not binding.request_model:
        yield f"must take body: {binding.request_model.__name__}"
    if operation.has_query and _unannotated(hints.get("query")) is not _query_model(models, operation):
        yield f"must take query: Annotated[{_query_name(operation)}, Query()]"


def _query_name(operation: Operation) -> str:
    """The name that datamodel-code-generator gives the query of an operation."""
    return "".join(word.capitalize() for word in operation.id.split("_")) + "ParametersQuery"


def _query_model(models: ModuleType, operation: Operation) -> Any:
    return getattr(models, _query_name(operation), None)


def _unannotated(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
