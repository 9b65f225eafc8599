"""Makes an account. Where e-mail is configured, whether one exists already is told by e-mail only: what is done for
either is done after the answer, so that its time tells nothing."""

from starlette.background import BackgroundTask
from starlette.responses import Response

from aiops.accounts import email_links, passwords, sessions
from aiops.accounts.accounts import AccountError, EmailTakenError, check_email, create_account
from aiops.accounts.authentication import FIRST_KEY, create_key
from aiops.accounts.passwords import PasswordError
from aiops.accounts.plans import SMALLEST
from aiops.database.engine import Session
from aiops.web import messages
from aiops.web.throttle import admit
from aiops.web.visits import PageError, Visit, see, sign_in


async def show(visit: Visit) -> Response:
    _check_open(visit)
    return see("/dashboard") if visit.signed_in else _page(visit)


async def make(visit: Visit) -> Response:
    _check_open(visit)
    form = visit.form
    email, password = form.value("email").strip().lower(), form.value("password")
    if not _is_fit(visit, email, password):
        return _page(visit, 422)
    await admit(visit, email)
    hashed = await passwords.hashed(password)
    if visit.mailer.is_configured:
        return _sent(visit, BackgroundTask(_make_unconfirmed, visit, email, hashed))
    now = visit.runtime.clock()
    try:
        async with visit.runtime.database.write() as session:
            account_id = await _make(visit, session, email, hashed, is_confirmed=True)
            return sign_in(visit, see("/api-keys"), await sessions.begin(session, account_id, now))
    except EmailTakenError:
        form.errors["email"] = "There is an account of this address already. Sign in, or set a new password."
        return _page(visit, 422)


async def send_again(visit: Visit) -> Response:
    """The link to confirm the address of the account that is signed in, once more."""
    account, runtime = visit.account, visit.runtime
    if account.is_confirmed:
        return see("/dashboard")
    await admit(visit, account.email)
    async with runtime.database.write() as session:
        token = await email_links.make(session, account.id, "confirm", runtime.clock())
    return _sent(visit, BackgroundTask(messages.send_confirmation, visit, account.email, token))


def _is_fit(visit: Visit, email: str, password: str) -> bool:
    """Whether there can be such an account; the form is told what is wrong."""
    try:
        check_email(email)
        passwords.check(password, email)
    except AccountError:
        visit.form.errors["email"] = "This is not an e-mail address."
    except PasswordError as error:
        visit.form.errors["password"] = str(error)
    return not visit.form.errors


async def _make(visit: Visit, session: Session, email: str, hashed: str, *, is_confirmed: bool) -> str:
    runtime, now = visit.runtime, visit.runtime.clock()
    account = await create_account(
        session, runtime.plans, email, now, plan=SMALLEST, password=hashed, is_confirmed=is_confirmed
    )
    await create_key(session, account.id, FIRST_KEY, now, sealer=runtime.settings.sealer)
    return account.id


async def _make_unconfirmed(visit: Visit, email: str, hashed: str) -> None:
    try:
        async with visit.runtime.database.write() as session:
            account_id = await _make(visit, session, email, hashed, is_confirmed=False)
            token = await email_links.make(session, account_id, "confirm", visit.runtime.clock())
    except EmailTakenError:
        await messages.send_taken(visit, email)
    else:
        await messages.send_confirmation(visit, email, token)


def _check_open(visit: Visit) -> None:
    if visit.runtime.settings.signup != "open":
        raise PageError(403, "Sign-up is closed", "Ask whoever runs this server for an account.")


def _sent(visit: Visit, task: BackgroundTask) -> Response:
    response = visit.render(
        "message.html",
        title="Check your e-mail",
        sentence="We have sent you a message with what to do next. It can take a minute.",
    )
    response.background = task
    return response


def _page(visit: Visit, status: int = 200) -> Response:
    limits = visit.runtime.plans[SMALLEST]
    return visit.render("sign_up.html", status=status, form=visit.form, monthly_credits=limits.monthly_credits)
