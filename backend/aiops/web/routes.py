"""Every page and static file, and where it is."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, cast

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from aiops.contract.binding import Binding
from aiops.runtime import Runtime
from aiops.web import (
    account_settings,
    administration,
    api_keys,
    billing,
    confirmation,
    dashboard,
    home,
    jobs,
    password_reset,
    playground,
    sign_in,
    sign_up,
    stripe_events,
    transactions,
    webhooks,
)
from aiops.web.reference import pages as reference
from aiops.web.templating import STATIC
from aiops.web.visits import not_found, page

ExceptionHandler = Callable[[Request, Any], Awaitable[Response]]

KEPT_FOR_EVER = "public, max-age=31536000, immutable"


def _compressed(route: Route) -> Route:
    """Only for a page that repeats nothing of what its visitor sent: a secret beside that could be guessed by size."""
    route.app = GZipMiddleware(route.app)
    return route


admin_page = partial(page, for_administrators=True)

ADMINISTRATION = [
    admin_page("/admin", get=administration.show),
    admin_page("/admin/users", get=administration.show_users),
    admin_page("/admin/users/{account_id}", get=administration.show_user),
    admin_page(
        "/admin/users/{account_id}/credits", post=administration.change_credits, back="/admin/users/{account_id}"
    ),
    admin_page("/admin/users/{account_id}/plan", post=administration.change_plan, back="/admin/users/{account_id}"),
    admin_page(
        "/admin/users/{account_id}/administrator",
        post=administration.change_administrator,
        back="/admin/users/{account_id}",
    ),
    admin_page("/admin/jobs", get=administration.show_jobs),
    admin_page("/admin/ledger", get=administration.show_ledger),
    admin_page("/admin/audit", get=administration.show_audit),
]

PAGES = [
    page("/", get=home.show, is_private=False),
    page("/sign-up", get=sign_up.show, post=sign_up.make, is_private=False),
    page("/sign-in", get=sign_in.show, post=sign_in.check, is_private=False),
    page("/sign-out", post=sign_in.end, is_private=False),
    page("/forgot-password", get=password_reset.ask, post=password_reset.send, is_private=False),
    page("/reset-password", get=password_reset.choose, post=password_reset.change, is_private=False),
    page("/confirm-email", get=confirmation.ask, post=confirmation.accept, is_private=False),
    page("/confirm-email/again", post=sign_up.send_again, back="/dashboard"),
    page("/dashboard", get=dashboard.show),
    page("/playground", get=playground.show_first),
    page("/playground/{operation_id}", get=playground.show, post=playground.run),
    page("/playground/{operation_id}/code", post=playground.show_code, back="/playground/{operation_id}"),
    page("/jobs", get=jobs.show_list),
    page("/jobs/recent", get=jobs.show_recent),
    page("/jobs/{job_id}", get=jobs.show),
    page("/jobs/{job_id}/card", get=jobs.show_card),
    page("/jobs/{job_id}/cancel", post=jobs.cancel, back="/jobs/{job_id}"),
    page("/transactions", get=transactions.show),
    page("/transactions.csv", get=transactions.download),
    page("/billing", get=billing.show),
    page("/billing/buy", post=billing.buy, back="/billing"),
    page("/billing/plan", post=billing.choose, back="/billing"),
    page("/billing/resume", post=billing.resume, back="/billing"),
    page("/billing/portal", post=billing.open_portal, back="/billing"),
    page("/billing/paid", get=billing.come_back),
    page("/api-keys", get=api_keys.show, post=api_keys.make),
    page("/api-keys/{key_id}/reveal", post=api_keys.reveal, back="/api-keys"),
    page("/api-keys/{key_id}/revoke", post=api_keys.revoke, back="/api-keys"),
    page("/webhooks", get=webhooks.show_list, post=webhooks.make),
    page("/webhooks/callback-secret", post=webhooks.rotate_callback_secret, back="/webhooks"),
    page("/webhooks/deliveries", get=webhooks.show_deliveries),
    page("/webhooks/deliveries/{delivery_id}/send-again", post=webhooks.send_again, back="/webhooks/deliveries"),
    page("/webhooks/{webhook_id}", get=webhooks.show),
    page("/webhooks/{webhook_id}/deliveries", get=webhooks.show_recent),
    page("/webhooks/{webhook_id}/test", post=webhooks.try_out, back="/webhooks/{webhook_id}"),
    page("/webhooks/{webhook_id}/rotate", post=webhooks.rotate, back="/webhooks/{webhook_id}"),
    page("/webhooks/{webhook_id}/delete", post=webhooks.remove, back="/webhooks"),
    page("/settings", get=account_settings.show),
    page("/settings/password", post=account_settings.change_password, back="/settings"),
    page("/settings/sessions", post=account_settings.end_other_sessions, back="/settings"),
    *ADMINISTRATION,
    _compressed(page("/docs", get=reference.show, is_private=False)),
    _compressed(page("/docs.md", get=reference.show_markdown, is_private=False)),
    _compressed(page("/llms.txt", get=reference.show_llms, is_private=False)),
]


def add_pages(app: FastAPI, bindings: Mapping[str, Binding]) -> None:
    """Adds the pages; `bindings` are what the playground calls."""
    app.state.bindings = bindings
    app.router.routes.extend(PAGES)
    app.router.routes.append(stripe_events.ROUTE)
    app.mount("/static", GZipMiddleware(_StaticFiles(directory=STATIC)))
    app.add_exception_handler(HTTPException, _or_page(cast(ExceptionHandler, app.exception_handlers[HTTPException])))


def _or_page(answer_program: ExceptionHandler) -> ExceptionHandler:
    """Answers a person who asks for what is not there with a page, and a program as before."""

    async def answer(request: Request, error: Exception) -> Response:
        runtime: Runtime = request.app.state.runtime
        is_call = bool(runtime.document.methods_of(request.url.path))
        is_person = "text/html" in request.headers.get("accept", "") and request.method in ("GET", "HEAD")
        if is_person and not is_call and isinstance(error, HTTPException) and error.status_code == 404:
            return await not_found(request)
        answered: Response = await answer_program(request, error)
        return answered

    return answer


class _StaticFiles(StaticFiles):
    """Files whose paths carry a mark of their content, so that a browser asks for each only once."""

    def file_response(self, *arguments: object, **options: object) -> Response:
        response = super().file_response(*arguments, **options)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = KEPT_FOR_EVER
        return response
