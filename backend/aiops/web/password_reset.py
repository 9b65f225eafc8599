"""A new password by an e-mailed link. Whether there is such an account is told to its owner only, by e-mail."""

from starlette.background import BackgroundTask
from starlette.responses import Response

from aiops.accounts import email_links, passwords, sessions
from aiops.accounts.accounts import AccountError, confirm, find_account, get_account, set_password
from aiops.accounts.authentication import renew_keys
from aiops.accounts.passwords import PasswordError
from aiops.ledger import ledger
from aiops.web import messages
from aiops.web.throttle import admit
from aiops.web.visits import PageError, Visit, see, sign_in
from aiops.webhooks import subscriptions


async def ask(visit: Visit) -> Response:
    return visit.render("forgot_password.html", form=visit.form)


async def send(visit: Visit) -> Response:
    email = visit.form.value("email").strip().lower()
    await admit(visit, email)
    response = visit.render(
        "message.html",
        title="Check your e-mail",
        sentence="If there is an account of this address, a link to set a new password is on its way.",
    )
    response.background = BackgroundTask(_send, visit, email)
    return response


async def _send(visit: Visit, email: str) -> None:
    try:
        async with visit.runtime.database.write() as session:
            account = await find_account(session, email)
            token = await email_links.make(session, account.id, "reset", visit.runtime.clock())
    except AccountError:
        return
    await messages.send_reset(visit, email, token)


async def choose(visit: Visit) -> Response:
    token = visit.request.query_params.get("token", "")
    async with visit.runtime.database.read() as session:
        if await email_links.look(session, token, "reset", visit.runtime.clock()) is None:
            raise _no_link()
    return visit.render("reset_password.html", form=visit.form, token=token)


async def change(visit: Visit) -> Response:
    """Sets the password, ends every session, and begins one here. The link shows that the address is its owner's:
    whoever signed up with it before may have been somebody else, so what they hold of the account ends."""
    form, runtime = visit.form, visit.runtime
    token, password, now = form.value("token"), form.value("password"), runtime.clock()
    async with runtime.database.read() as session:
        account_id = await email_links.look(session, token, "reset", now)
        if account_id is None:
            raise _no_link()
        email = (await get_account(session, account_id)).email
    try:
        passwords.check(password, email)
    except PasswordError as error:
        form.errors["password"] = str(error)
        return visit.render("reset_password.html", status=422, form=form, token=token)
    hashed = await passwords.hashed(password)
    async with runtime.database.write() as session:
        account = await ledger.lock_account(session, account_id)
        if await email_links.redeem(session, token, "reset", now) is None:
            raise _no_link()
        if not account.is_confirmed:
            await renew_keys(session, account_id, now, runtime.settings.sealer)
            await subscriptions.end_all(session, account_id, now)
        await set_password(session, account_id, hashed)
        await confirm(session, runtime.plans, account_id, now)
        return sign_in(visit, see("/dashboard"), await sessions.begin(session, account_id, now))


def _no_link() -> PageError:
    return PageError(404, "This link does not work any more", "It was used, or it is too old. Ask for a new one.")
