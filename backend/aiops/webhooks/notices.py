"""Events as e-mail: what a person is told, where e-mail is configured."""

from aiops.database.tables import Event

CREDITS_LOW = """Credits left on your account: {credits:,}. The {plan} plan brings {monthly_credits:,} a month.

Get more credits, or a larger plan: {address}/billing

A call that costs more than is left is refused; nothing else happens.
"""


def notice_of(event: Event, address: str) -> tuple[str, str]:
    """Subject and text."""
    data = event.data or {}
    return f"Your credits are low: {data['credits']:,} left", CREDITS_LOW.format(**data, address=address)
