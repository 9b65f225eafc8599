"""Puts a server together: settings in, an ASGI application out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from fastapi import FastAPI
from pydantic import BaseModel

from aiops import operations
from aiops.accounts.plans import load_plans
from aiops.billing.gateway import connect
from aiops.billing.prices import load_prices
from aiops.contract import models
from aiops.contract.binding import Binding, bind
from aiops.contract.document import api_document
from aiops.contract.router import add_routes
from aiops.database.engine import Database
from aiops.database.signals import Signals
from aiops.draining import draining
from aiops.error_handlers import add_error_handlers
from aiops.http import ApiClient, GuardedClient
from aiops.jobs.worker import Handler
from aiops.logs import configure_logs
from aiops.middleware import CallMiddleware
from aiops.process import Process
from aiops.providers.base import Provider, Tools
from aiops.providers.embedded.encoder import Mp3Encoder
from aiops.providers.embedded.provider import EmbeddedProvider
from aiops.providers.loading import load_providers
from aiops.providers.registry import ProviderRegistry
from aiops.runtime import Runtime, utc_now
from aiops.settings import Settings
from aiops.storage.location import open_store
from aiops.storage.signed_urls import SignedUrls
from aiops.web.routes import add_pages

DRAIN_SECONDS = 10
STOP_SECONDS = 15  # uvicorn cuts off what has not been answered by then


def create_runtime(
    settings: Settings,
    *,
    providers: Sequence[Provider] | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Runtime:
    """What the parts of a server share. `providers` instead of those that the settings name.

    Raises:
        ValueError: a setting cannot be used; the message says which and why.
        StorageError: the same of where files are kept.
        ContractError: the document cannot be used.
    """
    if providers is None:
        providers = load_providers(settings.providers, provider_tools(settings))
    plans = load_plans(settings.plans_file)
    database = Database(settings.database)
    return Runtime(
        settings=settings,
        document=api_document(),
        plans=plans,
        prices=load_prices(settings.plans_file, plans),
        payments=connect(settings),
        database=database,
        signals=Signals(database, settings.listen_url),
        store=open_store(settings.storage_url, settings.files_dir),
        urls=SignedUrls(settings.address, settings.signing_key),
        providers=ProviderRegistry(providers, stand_in=EmbeddedProvider()),
        guarded_client=GuardedClient(settings.private_hosts),
        clock=clock,
    )


def provider_tools(settings: Settings) -> Tools:
    """What providers are made with."""
    return Tools(ApiClient(), Mp3Encoder(), settings.private_hosts)


def create_app(runtime: Runtime) -> FastAPI:
    """The application of a runtime; its worker starts and stops with it.

    Raises:
        ContractError: document, handlers and models do not belong together.
        ValueError: a service is to be worked on that there is not.
    """
    bindings = bind(runtime.document, operations, models)
    _handlers(runtime.settings, bindings)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=_lifespan(bindings))
    app.state.runtime = runtime
    app.add_middleware(CallMiddleware)
    add_error_handlers(app)
    add_routes(app, bindings)
    add_pages(app, bindings)
    return app


def serve_app() -> FastAPI:
    """What uvicorn loads in each process of `aiops serve`; settings come from the environment."""
    settings = Settings()
    configure_logs(settings.log_format)
    return create_app(create_runtime(settings))


def create_process(runtime: Runtime) -> Process:
    """What a process that takes no calls is made of: `aiops worker`.

    Raises:
        ContractError: document, handlers and models do not belong together.
        ValueError: a service is to be worked on that there is not.
    """
    return _process(runtime, bind(runtime.document, operations, models))


def _lifespan(bindings: Mapping[str, Binding]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime: Runtime = app.state.runtime
        process = _process(runtime, bindings)
        async with process.running():
            with draining(lambda: _drain(runtime, process)):
                yield

    return lifespan


def _drain(runtime: Runtime, process: Process) -> None:
    """Claims nothing more; calls that still wait after a while are told where to find their job."""
    process.drain()
    asyncio.get_running_loop().call_later(DRAIN_SECONDS, runtime.waiters.give_up)


def _process(runtime: Runtime, bindings: Mapping[str, Binding]) -> Process:
    return Process(runtime, _handlers(runtime.settings, bindings))


def _handlers(settings: Settings, bindings: Mapping[str, Binding]) -> dict[str, tuple[type[BaseModel], Handler]]:
    """Raises ValueError where a service is to be worked on that there is not."""
    handlers = {
        operation_id: (binding.request_model, binding.handle)
        for operation_id, binding in bindings.items()
        if binding.operation.is_service and binding.request_model is not None
    }
    unknown = [name for name in settings.job_services if name not in handlers]
    if unknown:
        raise ValueError(f"AIOPS_JOB_SERVICES: there is no service {unknown[0]}, but {', '.join(sorted(handlers))}.")
    return handlers
