"""The account's API keys: the first one waits here until it has been looked at once; others are shown when made."""

from datetime import datetime, timedelta

from starlette.responses import Response

from aiops.accounts.accounts import AccountError
from aiops.accounts.authentication import create_key, list_keys, reveal_key, revoke_key
from aiops.database.tables import ApiKey
from aiops.identifiers import is_id
from aiops.web.forms import Form
from aiops.web.visits import PageError, Visit, see

EXPIRIES_DAYS = {"": "Never", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def make(visit: Visit) -> Response:
    form, now = visit.form, visit.runtime.clock()
    days = form.value("expires") if form.value("expires") in EXPIRIES_DAYS else ""
    try:
        async with visit.runtime.database.write() as session:
            expires_at = now + timedelta(days=int(days)) if days else None
            key = await create_key(session, visit.account.id, form.value("name"), now, expires_at)
    except AccountError as error:
        form.errors["name"] = str(error)
        return await _page(visit, status=422)
    visit.form = Form()
    return await _page(visit, shown_key=key)


async def reveal(visit: Visit) -> Response:
    async with visit.runtime.database.write() as session:
        key = await reveal_key(session, visit.account.id, _key_id(visit), visit.runtime.settings.sealer)
    return see("/api-keys") if key is None else await _page(visit, shown_key=key)


async def revoke(visit: Visit) -> Response:
    try:
        async with visit.runtime.database.write() as session:
            await revoke_key(session, _key_id(visit), visit.runtime.clock(), visit.account.id)
    except AccountError:
        raise _no_such_key() from None
    return see("/api-keys")


def _key_id(visit: Visit) -> str:
    key_id: str = visit.request.path_params["key_id"]
    if not is_id(key_id, "key"):
        raise _no_such_key()
    return key_id


def _no_such_key() -> PageError:
    return PageError(404, "There is no such key", "It may be revoked already.")


async def _page(visit: Visit, *, status: int = 200, shown_key: str | None = None) -> Response:
    async with visit.runtime.database.read() as session:
        keys = await list_keys(session, visit.account.id)
    now = visit.runtime.clock()
    return visit.render(
        "api_keys.html",
        status=status,
        form=visit.form,
        keys=[(key, _state(key, now)) for key in reversed(keys)],
        shown_key=shown_key,
        expiries=EXPIRIES_DAYS,
        address=visit.runtime.settings.address,
    )


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "active"
