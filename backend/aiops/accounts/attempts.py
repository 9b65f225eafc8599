"""How often somebody may try a password or have e-mail sent.

The network that attempts come from is counted first, so that one that has spent its share cannot spend that of anybody
else. An account is tried ten times from one network, and a hundred times from all: enough to stop a guesser, and too
much for one stranger to lock its owner out.
"""

import hashlib
from datetime import datetime
from ipaddress import IPv6Address, IPv6Network, ip_address

from sqlalchemy import delete
from sqlmodel import col

from aiops.accounts import rate_limits
from aiops.database.engine import Session
from aiops.database.tables import RateWindow

WINDOW_SECONDS = 900
LIMITS = {
    "attempts of a network": 60,  # an office or a school comes from one address
    "attempts of a network on an email": 10,
    "attempts on an email": 100,
}
IPV6_PREFIX = 64  # what one household or machine is given


async def admit(session: Session, email: str, host: str, now: datetime) -> int | None:
    """Counts an attempt on an e-mail address by whoever is at `host`; the seconds to wait where there were too many."""
    network = network_of(host)
    tried = zip(LIMITS.items(), (network, f"{email} {network}", email), strict=True)
    for (policy, limit), what in tried:
        subject = hashlib.sha256(what.encode(errors="replace")).hexdigest()
        quota, refusal = await rate_limits.admit(session, subject, policy, limit, now, window_seconds=WINDOW_SECONDS)
        if refusal is not None:
            return quota.retry_after_seconds
    return None


def network_of(host: str) -> str:
    """Whom an address belongs to: itself, or the IPv6 network that one subscriber has."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or IPv6Network((address, IPV6_PREFIX), strict=False))


async def sweep(session: Session, now: datetime) -> None:
    """Deletes the windows that are over: whatever anybody tries is a row."""
    over = col(RateWindow.window) < int(now.timestamp()) // WINDOW_SECONDS - 1
    await session.execute(
        delete(RateWindow).where(col(RateWindow.policy).in_(LIMITS), over).execution_options(synchronize_session=False)
    )
