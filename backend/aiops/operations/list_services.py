from aiops.context import Context
from aiops.contract.document import Operation
from aiops.contract.models import Service, ServiceList, ServiceModel, ServiceVoice
from aiops.runtime import Runtime


async def handle(context: Context) -> ServiceList:
    runtime = context.runtime
    services = [operation for operation in runtime.document.operations.values() if operation.is_service]
    return ServiceList(data=[_service(runtime, operation) for operation in services])


def _service(runtime: Runtime, operation: Operation) -> Service:
    return Service(
        id=operation.id,
        name=operation.summary,
        method=operation.method,
        path=operation.path,
        credits=operation.cost or 0,
        models=_models(runtime, operation),
        voices=[
            ServiceVoice(id=one.value, name=one.title, description=one.description, default=one.is_default)
            for one in runtime.document.choices(operation, "voice")
        ],
    )


def _models(runtime: Runtime, operation: Operation) -> list[ServiceModel]:
    models = []
    for one in runtime.document.choices(operation, "model"):
        provider = next((each.name for each in runtime.providers.candidates(operation.id, one.value)), None)
        models.append(
            ServiceModel(
                id=one.value, name=one.title, default=one.is_default, live=provider is not None, provider=provider
            )
        )
    return models
