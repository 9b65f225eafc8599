"""Confirms an e-mail address. Opening the link changes nothing, since programs that check mail open links too.

Only who is signed in can confirm: otherwise the owner of an address would confirm what somebody else signed up for.
"""

from starlette.responses import Response

from aiops.accounts import email_links
from aiops.accounts.accounts import confirm
from aiops.ledger import ledger
from aiops.web.visits import PageError, Visit, see


async def ask(visit: Visit) -> Response:
    token = visit.request.query_params.get("token", "")
    async with visit.runtime.database.read() as session:
        _check_owner(visit, await email_links.look(session, token, "confirm", visit.runtime.clock()))
    return visit.render("confirm_email.html", token=token)


async def accept(visit: Visit) -> Response:
    now = visit.runtime.clock()
    async with visit.runtime.database.write() as session:
        token = visit.form.value("token")
        account_id = _check_owner(visit, await email_links.look(session, token, "confirm", now))
        await ledger.lock_account(session, account_id)
        if await email_links.redeem(session, token, "confirm", now) is None:
            raise _no_link()
        await confirm(session, visit.runtime.plans, account_id, now)
    return see("/api-keys")


def _check_owner(visit: Visit, account_id: str | None) -> str:
    """Whose link it is, where that is who is signed in here."""
    if account_id is None:
        raise _no_link()
    if visit.signed_in is None or visit.account.id != account_id:
        raise PageError(403, "Sign in first", "Sign in with the address that you confirm, then open the link again.")
    return account_id


def _no_link() -> PageError:
    return PageError(404, "This link does not work any more", "It was used, or it is too old. Sign in for a new one.")
