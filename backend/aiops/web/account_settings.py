"""The password of the account that is signed in, and its sessions elsewhere."""

from starlette.responses import Response

from aiops.accounts import passwords, sessions
from aiops.accounts.accounts import is_password_kept, set_password
from aiops.accounts.passwords import PasswordError
from aiops.web.throttle import admit
from aiops.web.visits import Visit, see, sign_in


async def show(visit: Visit) -> Response:
    return _page(visit)


async def change_password(visit: Visit) -> Response:
    """Ends every session, and begins a new one here."""
    form, account, runtime = visit.form, visit.account, visit.runtime
    await admit(visit, account.email)
    if account.password and not await passwords.is_right(form.value("current"), account.password):
        return _wrong(visit)
    try:
        passwords.check(form.value("password"), account.email)
    except PasswordError as error:
        form.errors["password"] = str(error)
        return _page(visit, 422)
    hashed = await passwords.hashed(form.value("password"))
    async with runtime.database.write() as session:
        if not await is_password_kept(session, account.id, account.password):  # changed while it was compared
            return _wrong(visit)
        await set_password(session, account.id, hashed)
        token = await sessions.begin(session, account.id, runtime.clock())
    return sign_in(visit, see("/settings?changed=1"), token)


async def end_other_sessions(visit: Visit) -> Response:
    account, runtime = visit.account, visit.runtime
    async with runtime.database.write() as session:
        if not await is_password_kept(session, account.id, account.password):  # so this session has ended too
            return see("/sign-in")
        await sessions.end_all(session, account.id)
        token = await sessions.begin(session, account.id, runtime.clock())
    return sign_in(visit, see("/settings?ended=1"), token)


def _wrong(visit: Visit) -> Response:
    visit.form.errors["current"] = "This is not your password."
    return _page(visit, 422)


def _page(visit: Visit, status: int = 200) -> Response:
    query = visit.request.query_params
    done = (
        "Your password is changed."
        if "changed" in query
        else "You are signed out elsewhere."
        if "ended" in query
        else ""
    )
    return visit.render(
        "settings.html", status=status, form=visit.form, has_password=bool(visit.account.password), done=done
    )
