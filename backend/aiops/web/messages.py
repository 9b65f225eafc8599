"""The e-mails that people get."""

from urllib.parse import urlencode

from aiops.web.visits import Visit

CONFIRM = """Welcome to aiops.

Sign in, confirm under this link that the address is yours, and your free credits are there:

{link}

If you have not signed up, ignore this message.
"""
TAKEN = """Somebody, perhaps you, has signed up with this address, which has an account already.

Sign in: {sign_in}
Set a new password: {forgot}
"""
RESET = """Set a new password for your account under this link, within an hour:

{link}

If you have not asked for it, ignore this message: nothing has changed.
"""


async def send_confirmation(visit: Visit, email: str, token: str) -> None:
    await visit.mailer.send(
        email, "Confirm your e-mail address", CONFIRM.format(link=_link(visit, "confirm-email", token))
    )


async def send_taken(visit: Visit, email: str) -> None:
    address = visit.runtime.settings.address
    text = TAKEN.format(sign_in=f"{address}/sign-in", forgot=f"{address}/forgot-password")
    await visit.mailer.send(email, "You have an account already", text)


async def send_reset(visit: Visit, email: str, token: str) -> None:
    await visit.mailer.send(email, "Set a new password", RESET.format(link=_link(visit, "reset-password", token)))


def _link(visit: Visit, page: str, token: str) -> str:
    return f"{visit.runtime.settings.address}/{page}?{urlencode({'token': token})}"
