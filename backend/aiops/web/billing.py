"""Plan and credits: what an account has, and what it can buy, change and cancel. Payments happen on Stripe's pages."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from aiops.accounts.accounts import get_account
from aiops.accounts.plans import SMALLEST, limits_of
from aiops.billing.gateway import PaymentsAwayError, PaymentsError, PaymentsInDoubtError
from aiops.billing.prices import Prices
from aiops.billing.shop import UNPAID_STATUSES, Shop, ShopError, costs_more, latest_payments, list_subscriptions
from aiops.contract.models import Limits
from aiops.database.tables import Account, Subscription
from aiops.jobs.listing import use_since
from aiops.ledger import ledger
from aiops.web.throttle import admit_to_payments
from aiops.web.visits import PageError, Visit, see

T = TypeVar("T")

PAID = "Thank you. What you have paid for is here."
NOTHING_CHARGED = "Nothing was charged this time."  # a try before, whose answer was lost, may have been
IN_DOUBT = "Look at your plan again in a minute. If it has not changed, ask once more: you are not charged twice."
WAITING = "Your payment is being confirmed. This page looks again by itself."
NOT_YET = "Your payment is not confirmed yet. What you have paid for comes as soon as it is; you need not wait here."
UNPAID = "Nothing was paid on that page, and nothing was charged."
LOOKS = re.compile("[0-9]{1,3}")
LOOKS_MAX = 24  # every five seconds, for two minutes

DONE = {
    "changed": "Your plan is changed.",
    "cancelled": "Your subscription ends with the period that is paid.",
    "resumed": "Your subscription goes on.",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan, and what choosing it would do; `action` is empty where there is nothing to be done."""

    name: str
    limits: Limits
    price: str
    action: str
    question: str = ""


async def show(visit: Visit) -> Response:
    return await _page(visit, DONE.get(visit.request.query_params.get("done", ""), ""))


async def buy(visit: Visit) -> Response:
    pack = visit.runtime.prices.pack(visit.form.value("credits"))
    if pack is None:
        raise PageError(422, "There is no such pack", "Go back, reload the page, and choose another.")
    return _leave(visit, await _shopping(visit, lambda shop: shop.buy(pack)))


async def choose(visit: Visit) -> Response:
    """A plan; the smallest one is no subscription."""
    plan = visit.form.value("plan")
    if plan == SMALLEST:
        await _shopping(visit, lambda shop: shop.cancel())
        return see("/billing?done=cancelled")
    page = await _shopping(visit, lambda shop: shop.choose(plan))
    return see("/billing?done=changed") if page is None else _leave(visit, page)


async def resume(visit: Visit) -> Response:
    await _shopping(visit, lambda shop: shop.go_on())
    return see("/billing?done=resumed")


async def open_portal(visit: Visit) -> Response:
    return _leave(visit, await _shopping(visit, lambda shop: shop.portal()))


async def come_back(visit: Visit) -> Response:
    """From Stripe's page. The event that tells of the payment may be on its way still, or come while Stripe cannot be
    asked: then the page says so, and looks again, some times."""
    query = visit.request.query_params
    session_id, looks = query.get("session_id", ""), query.get("looks", "0")
    shop = await _shop(visit)
    try:
        state = await shop.came_back(session_id)
    except PaymentsError:
        state = "waits"
    if state == "waits":
        number = int(looks) if LOOKS.fullmatch(looks) else LOOKS_MAX
        if number >= LOOKS_MAX:
            return await _page(visit, NOT_YET)
        again = {"session_id": session_id, "looks": number + 1}
        return await _page(visit, WAITING, look_again_at=f"/billing/paid?{urlencode(again)}")
    if state is None:
        raise PageError(404, "There is no such payment", "What you have paid for is listed under Billing.")
    return await _page(visit, PAID if state == "paid" else UNPAID)


async def _shop(visit: Visit) -> Shop:
    if visit.runtime.payments is None:
        raise PageError(404, "Nothing is sold here", "Ask whoever runs this server for credits or another plan.")
    await admit_to_payments(visit)
    return Shop(visit.runtime, visit.runtime.payments, visit.account)


async def _shopping(visit: Visit, act: Callable[[Shop], Awaitable[T]]) -> T:
    try:
        return await act(await _shop(visit))
    except ShopError as error:
        raise PageError(409, "This cannot be done", str(error)) from None
    except PaymentsInDoubtError as error:
        raise PageError(503, "It is not known yet whether this worked", f"{error} {IN_DOUBT}") from None
    except PaymentsAwayError as error:
        raise PageError(503, "Payments are away for a moment", f"{error} {NOTHING_CHARGED}") from None
    except PaymentsError as error:
        raise PageError(502, "This did not work", f"{error} {NOTHING_CHARGED}") from None


def _leave(visit: Visit, url: str) -> Response:
    """Leads on to a page of Stripe's. Not by a redirect: a form of ours may lead to no other site."""
    return visit.render("leave.html", url=url)


async def _page(visit: Visit, done: str, *, look_again_at: str = "") -> Response:
    runtime, now = visit.runtime, visit.runtime.clock()
    await visit.grant_month()
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    async with runtime.database.read() as session:
        account = await get_account(session, visit.account.id)
        use = await use_since(session, account.id, month)
        subscriptions = await list_subscriptions(session, account.id)
        payments = await latest_payments(session, account.id)
        owed = await ledger.owed(session, account.id)
    subscription = subscriptions[0] if subscriptions else None
    services = {one.id: one.summary for one in runtime.document.operations.values() if one.is_service}
    return visit.render(
        "billing.html",
        done=done,
        look_again_at=look_again_at,
        now=account,
        limits=limits_of(runtime.plans, account.plan),
        used={title: sum(one.credits for one in use if one.service == id_) for id_, title in services.items()},
        subscription=subscription,
        going_on=sum(not one.ends_with_period for one in subscriptions),
        is_unpaid=any(one.status in UNPAID_STATUSES for one in subscriptions),
        next_plan=_next_plan(subscription),
        offers=_offers(runtime.plans, runtime.prices, account, subscriptions) if runtime.payments else [],
        prices=runtime.prices if runtime.payments else Prices(),
        payments=payments,
        owed=owed,
        is_sold=runtime.payments is not None,
    )


def _next_plan(subscription: Subscription | None) -> str | None:
    """The plan of the next period, where that is another one."""
    if subscription is None or subscription.ends_with_period or subscription.plan == subscription.paid_plan:
        return None
    return subscription.plan


def _offers(
    plans: dict[str, Limits], prices: Prices, account: Account, subscriptions: list[Subscription]
) -> list[Offer]:
    sold = [name for name in plans if name in prices.plans or name == SMALLEST]
    return [_offer(name, plans, prices, account, subscriptions) for name in sold]


def _offer(
    name: str, plans: dict[str, Limits], prices: Prices, account: Account, subscriptions: list[Subscription]
) -> Offer:
    limits = plans[name]
    price = prices.shown(prices.plans[name]) if name in prices.plans else prices.shown(0)
    if not subscriptions:
        is_open = name not in (account.plan, SMALLEST)
        return Offer(name, limits, price, f"Subscribe to {name}" if is_open else "")
    subscription = subscriptions[0]
    end = _day(subscription.period_end)
    if name == SMALLEST:
        question = f"Cancel? You keep the {account.plan} plan until {end}, and your credits for good."
        return Offer(
            name,
            limits,
            price,
            "" if all(one.ends_with_period for one in subscriptions) else "Cancel subscription",
            question,
        )
    if name == subscription.plan:
        return Offer(name, limits, price, "")
    if costs_more(prices, plans, subscription, name):
        goes_on = ", and your subscription goes on" if subscription.ends_with_period else ""
        question = f"Change to {name}? A new month begins now, for {price}{goes_on}. Your credits stay."
        return Offer(name, limits, price, f"Upgrade to {name}", question)
    if name == subscription.paid_plan:
        return Offer(name, limits, price, f"Stay on {name}")
    return Offer(name, limits, price, f"Change to {name}", f"Change to {name} on {end}? Nothing is charged before.")


def _day(moment: datetime | None) -> str:
    return f"{moment:%-d %B %Y}" if moment else "the end of the period"
