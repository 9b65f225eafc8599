"""Buying, subscribing, changing and cancelling, as people do it: in a real Chromium, against a real `aiops serve` and a
strict Stripe on loopback, whose pages take the card."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from aiops.web.stripe_events import PATH
from tests.end_to_end.test_browser import CHROMIUM, DESK, OPTIONS, PHONE, Site, check_page, sign_up, visiting
from tests.end_to_end.test_serve import serving
from tests.fixtures.ports import free_port
from tests.fixtures.stripe.server import StripeServer, stripe_server
from tests.fixtures.stripe.world import DECLINED_CARD, GOOD_CARD, Object

pytestmark = pytest.mark.browser


@dataclass
class Store:
    """A running server that sells; it can be stopped and started again."""

    site: Site
    data: Path
    stripe: StripeServer
    owner_link: str = ""
    running: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        port = int(self.site.url.rpartition(":")[2])
        printed = self.running.enter_context(serving(self.data, port, **self.stripe.environment))
        links = re.findall(r"http\S+/reset-password\S+", "\n".join(printed))
        self.owner_link = links[0] if links else self.owner_link

    def stop(self) -> None:
        self.running.close()

    def send(self, events: list[Object] | None = None) -> list[int]:
        return self.stripe.send(self.site.url + PATH, events)

    def verify(self) -> str:
        """`aiops ledger verify`."""
        environment = {**os.environ, "AIOPS_DATA_DIR": str(self.data), **self.stripe.environment}
        command = [sys.executable, "-m", "aiops", "ledger", "verify"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("store")
    with stripe_server() as stripe:
        site = Site(f"http://127.0.0.1:{free_port()}", folder / "log")
        opened = Store(site, folder / "data", stripe)
        opened.start()
        yield opened
        opened.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, store: Store) -> Iterator[Page]:
    with visiting(browser, store.site, other=store.stripe.world.url) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        yield page
    store.send()
    assert store.verify() == "The ledger is in order.\n"


def pay(page: Page, card: str = GOOD_CARD) -> None:
    """On Stripe's page."""
    expect(page.get_by_role("heading", name="Stripe")).to_be_visible()
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Pay").click()


def check(page: Page, credits_: str, plan: str) -> None:
    """What the page of plan and credits says."""
    page.goto("/billing")
    stats = page.locator(".stat .value")
    expect(stats.nth(0)).to_have_text(credits_)
    expect(stats.nth(2)).to_have_text(plan)


def subscribe(page: Page, email: str, plan: str = "pro") -> None:
    sign_up(page, email)
    page.goto("/billing")
    page.get_by_role("button", name=f"Subscribe to {plan}").click()
    pay(page)
    expect(page.get_by_text("What you have paid for is here.")).to_be_visible()


def test_credits_are_bought(page: Page, store: Store) -> None:
    sign_up(page, "buyer@example.com")
    page.goto("/billing")
    page.get_by_role("button", name="Buy 100 credits").click()
    pay(page, DECLINED_CARD)
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    pay(page)
    expect(page.get_by_text("What you have paid for is here.")).to_be_visible()
    check(page, "125", "free")
    events = store.stripe.unsent()
    assert store.send([*events, *reversed(events), *events]) == [200] * 3 * len(events)
    check(page, "125", "free")
    expect(page.get_by_role("link", name="Receipt")).to_have_attribute("href", re.compile("/receipt/pi_"))


def test_who_turns_back_pays_nothing(page: Page, store: Store) -> None:
    sign_up(page, "hesitant@example.com")
    page.goto("/billing")
    page.get_by_role("button", name="Buy 500 credits").click()
    page.get_by_role("link", name="Back").click()
    expect(page).to_have_url(re.compile("/billing$"))
    check(page, "25", "free")


def test_subscribe_upgrade_downgrade_and_cancel(page: Page, store: Store) -> None:
    subscribe(page, "subscriber@example.com")
    check(page, "525", "pro")
    page.get_by_role("button", name="Upgrade to business").click()
    expect(page.get_by_text("Your plan is changed.")).to_be_visible()
    check(page, "5,525", "business")
    page.get_by_role("button", name="Change to pro").click()
    expect(page.get_by_text("Your plan is changed.")).to_be_visible()
    check(page, "5,525", "business")
    expect(page.get_by_role("row").filter(has_text="pro").get_by_text("from ")).to_be_visible()
    subscription = store.stripe.world.all("sub")[0]
    store.stripe.world.renew(subscription)
    events = store.stripe.unsent()
    assert set(store.send(list(reversed(events)))) == {200}
    check(page, "6,025", "pro")
    page.get_by_role("button", name="Cancel subscription").click()
    expect(page.get_by_text("Your subscription ends with the period that is paid.")).to_be_visible()
    page.get_by_role("button", name="Go on with pro").click()
    expect(page.get_by_text("Your subscription goes on.")).to_be_visible()
    page.get_by_role("button", name="Cancel subscription").click()
    store.stripe.world.renew(subscription)
    store.send()
    check(page, "6,025", "free")
    expect(page.get_by_role("link", name="Invoice for")).to_have_count(3)


def test_a_payment_that_fails_is_told_and_made_good(page: Page, store: Store) -> None:
    subscribe(page, "broke@example.com")
    world = store.stripe.world
    subscription = world.all("sub")[0]
    world.cards[subscription["customer"]] = DECLINED_CARD
    invoice = world.renew(subscription)
    assert invoice is not None
    store.send()
    check(page, "525", "pro")
    expect(page.get_by_role("alert")).to_contain_text("Your last payment has failed.")
    page.get_by_role("button", name="Invoices and payment method").click()
    expect(page.get_by_role("heading", name="Stripe portal")).to_be_visible()
    page.goto(invoice["hosted_invoice_url"])
    pay(page)
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    store.send()
    check(page, "1,025", "pro")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_upgrade_whose_payment_fails_waits_for_another_card(page: Page, store: Store) -> None:
    subscribe(page, "upgrader@example.com")
    world = store.stripe.world
    world.cards[world.all("sub")[0]["customer"]] = DECLINED_CARD
    page.goto("/billing")
    page.get_by_role("button", name="Upgrade to business").click()
    expect(page.get_by_role("heading", name="Stripe invoice")).to_be_visible()
    store.send()
    pay(page)
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    store.send()
    check(page, "5,525", "business")


def test_money_that_goes_back_takes_its_credits(page: Page, store: Store) -> None:
    subscribe(page, "refunded@example.com")
    payment = store.stripe.world.all("pi")[0]
    store.stripe.world.refund(payment, 1900)
    events = store.stripe.unsent()
    assert set(store.send([events[-1], *events, events[-1]])) == {200}
    check(page, "25", "pro")
    expect(page.get_by_role("row").filter(has_text="pro plan,").get_by_text("$19.00")).to_have_count(2)


def test_a_forged_event_gives_nothing(page: Page, store: Store) -> None:
    sign_up(page, "forger@example.com")
    page.goto("/billing")
    page.get_by_role("button", name="Buy 2,000 credits").click()
    expect(page.get_by_role("heading", name="Stripe pay")).to_be_visible()
    session = store.stripe.world.all("cs")[0]
    forged = {"id": "evt_forged", "object": "event", "type": "checkout.session.completed", "data": {"object": session}}
    assert store.stripe.post(store.site.url + PATH, forged, "whsec_guessed").status_code == 400
    assert store.stripe.post(store.site.url + PATH, forged).status_code == 200, "signed, but Stripe knows of no payment"
    check(page, "25", "free")


def test_a_restart_between_the_payment_and_its_events_loses_nothing(page: Page, store: Store) -> None:
    sign_up(page, "patient@example.com")
    page.goto("/billing")
    page.get_by_role("button", name="Subscribe to pro").click()
    expect(page.get_by_role("heading", name="Stripe pay")).to_be_visible()
    store.stop()
    assert store.stripe.world.pay(store.stripe.world.all("cs")[0])
    store.start()
    check(page, "25", "free")
    first, *others = store.stripe.unsent()
    assert store.send([first]) == [200]
    store.stop()
    store.start()
    assert set(store.send([*others, first])) == {200}
    check(page, "525", "pro")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_sound(browser: Browser, store: Store, viewport: ViewportSize, scheme: str) -> None:
    """Of billing for somebody who has bought, of administration for the owner."""
    options: dict[str, Any] = {"viewport": viewport, "color_scheme": scheme}
    email = f"looker-{scheme}-{viewport['width']}@example.com"
    with visiting(browser, store.site, other=store.stripe.world.url, **options) as page:
        sign_up(page, email)
        page.goto("/billing")
        check_page(page)
        shoot(page, f"billing-new-{scheme}-{viewport['width']}")
    with visiting(browser, store.site, other=store.stripe.world.url, **options) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        subscribe(page, f"paid-{email}", "business")
        page.get_by_role("button", name="Change to pro").click()
        expect(page.get_by_text("Your plan is changed.")).to_be_visible()
        check_page(page)
        shoot(page, f"billing-{scheme}-{viewport['width']}")
    store.send()


def test_the_owner_administers(browser: Browser, store: Store) -> None:
    with visiting(browser, store.site, other=store.stripe.world.url) as page:
        subscribe(page, "somebody@example.com")
    store.send()
    with visiting(browser, store.site, refused=422) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(store.owner_link)
        page.get_by_label("New password").fill("correct horse battery")
        page.get_by_role("button", name="Set password").click()
        page.get_by_role("link", name="Administration").click()
        page.get_by_role("link", name="All users").click()
        page.get_by_label("E-mail").fill("somebody")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="somebody@example.com").click()
        page.get_by_label("Give, or with a minus take").fill("75")
        page.get_by_label("Reason").first.fill("for their patience")
        page.get_by_role("button", name="Change credits").click()
        expect(page.get_by_text("Changed, and noted in the list of changes.")).to_be_visible()
        expect(page.get_by_text("credits given: 75 credits")).to_be_visible()
        page.get_by_label("Give, or with a minus take").fill("-100000")
        page.get_by_role("button", name="Change credits").click()
        expect(page.get_by_role("alert")).to_be_visible()
        user_page = page.url.removesuffix("/credits")
        page.set_viewport_size(DESK)
        for viewport in (DESK, PHONE):
            page.set_viewport_size(viewport)
            for path in ("/admin", "/admin/users", user_page, "/admin/jobs", "/admin/ledger", "/admin/audit"):
                page.goto(path)
                expect(page.get_by_role("heading", level=1)).to_be_visible()
                check_page(page)
                shoot(page, f"admin-{path.rpartition('/')[2][:8]}-{viewport['width']}")
        page.goto("/admin/ledger")
        expect(page.get_by_text("The ledger is in order.")).to_be_visible()


def shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, where a folder is named."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
