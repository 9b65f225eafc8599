"""Signs people in and out. A wrong address and a wrong password are one answer, and take as long."""

from starlette.responses import Response

from aiops.accounts import passwords, sessions
from aiops.accounts.accounts import AccountError, find_account, is_password_kept
from aiops.database.tables import Account
from aiops.web.navigation import is_page_of_accounts
from aiops.web.throttle import admit
from aiops.web.visits import Visit, see, sign_in, sign_out

WRONG = "The e-mail address or the password is not right."


async def show(visit: Visit) -> Response:
    return see("/dashboard") if visit.signed_in else _page(visit)


async def check(visit: Visit) -> Response:
    form, runtime = visit.form, visit.runtime
    email = form.value("email").strip().lower()
    await admit(visit, email)
    account = await _account_of(visit, email)
    if not await passwords.is_right(form.value("password"), account.password if account else None) or account is None:
        return _wrong(visit)
    async with runtime.database.write() as session:
        if not await is_password_kept(session, account.id, account.password):  # changed while it was compared
            return _wrong(visit)
        if visit.signed_in:
            await sessions.end(session, visit.signed_in.token)
        token = await sessions.begin(session, account.id, runtime.clock())
    back = form.value("next")
    return sign_in(visit, see(back if is_page_of_accounts(back) else "/dashboard"), token)


async def end(visit: Visit) -> Response:
    if visit.signed_in:
        async with visit.runtime.database.write() as session:
            await sessions.end(session, visit.signed_in.token)
    return sign_out(visit, see("/"))


def _wrong(visit: Visit) -> Response:
    visit.form.errors[""] = WRONG
    return _page(visit, 401)


async def _account_of(visit: Visit, email: str) -> Account | None:
    try:
        async with visit.runtime.database.read() as session:
            return await find_account(session, email)
    except AccountError:
        return None


def _page(visit: Visit, status: int = 200) -> Response:
    back = visit.form.value("next") or visit.request.query_params.get("next", "")
    return visit.render("sign_in.html", status=status, form=visit.form, next=back if is_page_of_accounts(back) else "")
