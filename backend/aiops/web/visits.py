"""One call of a page: who is signed in, what the form says, and the answer with its headers and cookies.

`page` makes a route of functions that take a `Visit`. What is common to all pages is done there, in this order: the
session is looked up, a page of an account sends a stranger to sign in, and a form is read and its token checked.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from aiops.accounts import sessions
from aiops.accounts.accounts import grant_month, is_month_due
from aiops.accounts.sessions import SESSION_AGE, SignedIn
from aiops.database.tables import Account
from aiops.error_handlers import DATABASE_AWAY
from aiops.mail import Mailer
from aiops.runtime import Runtime
from aiops.web import csrf, templating
from aiops.web.forms import Form, FormTooLargeError, MalformedFormError, read_form
from aiops.web.navigation import navigation

log = structlog.get_logger()

VISITOR_BYTES = 24
COOKIE_LENGTH_MAX = 200
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class PageError(Exception):
    """Ends a call with a page that says why."""

    def __init__(self, status: int, title: str, sentence: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.title, self.sentence = status, title, sentence
        self.headers = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}


NOTHING_HERE = "The address may be mistyped, or what was here is gone."
AWAY = PageError(503, "Back in a moment", "The service cannot reach its database. Nothing is lost; try again soon.")
UNFORESEEN = PageError(
    500, "Something went wrong", "It is our fault, and it is in our log. Try again, or ask for help."
)


@dataclass
class Visit:
    """`visitor` is the cookie of a browser in which nobody is signed in; it is given one where a page has a form."""

    runtime: Runtime
    request: Request
    signed_in: SignedIn | None
    visitor: str
    form: Form = field(default_factory=Form)
    has_form: bool = False

    @property
    def account(self) -> Account:
        """Whose page it is; only of pages that ask to sign in."""
        if self.signed_in is None:
            raise TypeError("this page does not ask to sign in")
        return self.signed_in.account

    @property
    def is_administrator(self) -> bool:
        return self.signed_in is not None and self.signed_in.account.is_administrator

    async def grant_month(self) -> None:
        """Grants the credits of a month at the first use in it, as a call of the API does."""
        now = self.runtime.clock()
        if is_month_due(self.account, now):
            async with self.runtime.database.write() as session:
                await grant_month(session, self.runtime.plans, self.account, now)

    @property
    def mailer(self) -> Mailer:
        return Mailer(self.runtime.settings)

    def csrf_token(self) -> str:
        """What a form of this page has to send along."""
        self.has_form = True
        return csrf.token_for(self.runtime.settings.signing_key, self._cookie)

    @property
    def _cookie(self) -> str:
        return self.signed_in.token if self.signed_in else self.visitor

    def has_valid_token(self) -> bool:
        sent = self.form.value(csrf.FIELD)
        return csrf.is_valid(self.runtime.settings.signing_key, self._cookie, sent)

    def render_part(self, template: str, **values: Any) -> Response:
        """A part of a page, for a script that puts it into its place."""
        return HTMLResponse(templating.render(template, csrf_token=self.csrf_token, **values))

    def render(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page of the frame that all share."""
        content = templating.render(
            template,
            account=self.signed_in.account if self.signed_in else None,
            navigation=navigation(
                self.request.url.path,
                is_signed_in=self.signed_in is not None,
                is_administrator=self.is_administrator,
            ),
            is_signup_open=self.runtime.settings.signup == "open",
            csrf_token=self.csrf_token,
            **values,
        )
        return HTMLResponse(content, status)


Page = Callable[[Visit], Awaitable[Response]]


def page(
    path: str,
    *,
    get: Page | None = None,
    post: Page | None = None,
    back: str = "/",
    is_private: bool = True,
    for_administrators: bool = False,
) -> Route:
    """A route; `is_private` where somebody has to be signed in. What only takes a form leads `back` to its page, which
    is where a browser goes that is asked for the address again. What is `for_administrators` is, for everybody else,
    not there."""

    async def lead_back(visit: Visit) -> Response:
        return see(back.format(**visit.request.path_params))

    async def endpoint(request: Request) -> Response:
        runtime: Runtime = request.app.state.runtime
        request.state.operation_id = "page"
        handle = post if request.method == "POST" and post else get or lead_back
        visit = Visit(runtime, request, None, _visitor(request))
        try:
            visit.signed_in = await _signed_in(runtime, request)
            if for_administrators:
                _check_administrator(visit)
            response = await _answer(visit, handle, is_private=is_private)
        except HTTPException:  # as of an address where nothing is
            raise
        except Exception as error:  # noqa: BLE001 - whatever it ends in, a person gets a page
            response = _error_page(visit, path, error)
        return _finish(visit, response, is_private=is_private)

    return Route(path, endpoint, methods=["GET", "POST"] if post else ["GET"])


async def not_found(request: Request) -> Response:
    """The page for an address where nothing is."""
    visit = Visit(request.app.state.runtime, request, None, _visitor(request))
    response = visit.render("error.html", status=404, title="There is nothing here", sentence=NOTHING_HERE)
    return _finish(visit, response, is_private=False)


def see(path: str) -> Response:
    """Sends the browser to another of our pages, after a form too."""
    return RedirectResponse(path, 303)


def sign_in(visit: Visit, response: Response, token: str) -> Response:
    """Gives the browser its session, under a cookie that no script reads and no foreign page sends with a form."""
    response.set_cookie(
        _name(visit.runtime, "session"),
        token,
        max_age=int(SESSION_AGE.total_seconds()),
        secure=_is_secure(visit.runtime),
        httponly=True,
        samesite="lax",
    )
    return response


def sign_out(visit: Visit, response: Response) -> Response:
    name, secure = _name(visit.runtime, "session"), _is_secure(visit.runtime)
    response.delete_cookie(name, secure=secure, httponly=True, samesite="lax")
    return response


def _check_administrator(visit: Visit) -> None:
    if not visit.is_administrator:
        raise HTTPException(404)


def _error_page(visit: Visit, path: str, error: Exception) -> Response:
    if not isinstance(error, PageError):
        log.error("page_failed", page=path, exc_info=error)
        is_away = isinstance(error, DATABASE_AWAY)
        error = AWAY if is_away else UNFORESEEN
    response = visit.render("error.html", status=error.status, title=error.title, sentence=error.sentence)
    response.headers.update(error.headers)
    return response


async def _answer(visit: Visit, handle: Page, *, is_private: bool) -> Response:
    if is_private and visit.signed_in is None:
        back = visit.request.url.path if visit.request.method == "GET" else "/dashboard"
        return see(f"/sign-in?{urlencode({'next': back})}")
    if visit.request.method == "POST":
        try:
            visit.form = await read_form(visit.request)
        except FormTooLargeError:
            raise PageError(413, "Too large", "What was sent is larger than this form.") from None
        except MalformedFormError:
            raise PageError(400, "The form cannot be read", "Go back, reload the page, and send it again.") from None
        if not visit.has_valid_token():
            raise PageError(403, "The form has expired", "Go back, reload the page, and send the form again.")
    return await handle(visit)


def _finish(visit: Visit, response: Response, *, is_private: bool) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers.setdefault(
        "Cache-Control", "no-store" if is_private or visit.signed_in or visit.has_form else "no-cache"
    )
    is_new = visit.visitor != visit.request.cookies.get(_name(visit.runtime, "visitor"))
    if visit.signed_in is None and visit.has_form and is_new:
        response.set_cookie(
            _name(visit.runtime, "visitor"),
            visit.visitor,
            secure=_is_secure(visit.runtime),
            httponly=True,
            samesite="lax",
        )
    return response


async def _signed_in(runtime: Runtime, request: Request) -> SignedIn | None:
    token = request.cookies.get(_name(runtime, "session"), "")
    if not 0 < len(token) <= COOKIE_LENGTH_MAX:
        return None
    return await sessions.find(runtime.database, token, runtime.clock())


def _visitor(request: Request) -> str:
    runtime: Runtime = request.app.state.runtime
    kept = request.cookies.get(_name(runtime, "visitor"), "")
    return kept if 0 < len(kept) <= COOKIE_LENGTH_MAX else secrets.token_urlsafe(VISITOR_BYTES)


def _is_secure(runtime: Runtime) -> bool:
    return urlsplit(runtime.settings.address).scheme == "https"


def _name(runtime: Runtime, name: str) -> str:
    """The name of a cookie; its prefix binds it to this very host where the address is https."""
    return f"__Host-aiops_{name}" if _is_secure(runtime) else f"aiops_{name}"
