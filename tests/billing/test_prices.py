from pathlib import Path

import pytest

from aiops.accounts.plans import load_plans
from aiops.billing.gateway import connect
from aiops.billing.prices import Prices, load_prices, money
from aiops.settings import Settings
from tests.fixtures.command import Run, refused

FREE = "{monthly_credits: 25, requests_per_minute: 10, jobs_at_once: 2, jobs_queued: 100, audio_minutes: 10}"
PLANS = f"free: {FREE}\npro: {FREE}\n"


def test_the_prices_that_come_with_aiops() -> None:
    prices = load_prices(None, load_plans(None))
    assert prices.plans == {"pro": 1900, "business": 9900}
    assert [(pack.credits, pack.amount) for pack in prices.packs] == [(100, 500), (500, 2000), (2000, 7000)]
    assert prices.pack("500") == prices.packs[1]
    assert prices.pack("501") is None


def test_a_plans_file_without_prices_sells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plans.yaml"
    path.write_text(PLANS)
    assert load_prices(path, load_plans(path)) == Prices()


@pytest.mark.parametrize(
    ("prices", "problem"),
    [
        ("{currency: USD}", "prices.currency"),
        ("{plans: {pro: 19.5}}", "prices.plans.pro"),
        ("{plans: {pro: 0}}", "prices.plans.pro"),
        ("{plans: {platinum: 100}}", "a price for platinum"),
        ("{plans: {free: 100}}", "a price for free"),
        ("{packs: [{credits: 0, amount: 5}]}", "prices.packs.0.credits"),
        ("{packs: [{credits: 5, amount: 5}, {credits: 5, amount: 6}]}", "two packs of as many credits"),
        ("{discounts: 5}", "prices.discounts"),
        ("{currency: kwd, plans: {pro: 5124}}", "5,124, where Stripe takes a multiple of 10 for KWD"),
        ("{currency: isk, packs: [{credits: 5, amount: 550}]}", "550, where Stripe takes a multiple of 100 for ISK"),
        ("{currency: ugx, plans: {pro: 5000}, packs: [{credits: 5, amount: 1}]}", "a multiple of 100 for UGX"),
        ("[]", None),
        ("5", "Input should be a valid dictionary"),
    ],
)
def test_prices_that_cannot_be(tmp_path: Path, prices: str, problem: str | None) -> None:
    path = tmp_path / "plans.yaml"
    path.write_text(f"{PLANS}prices: {prices}\n")
    plans = load_plans(path)
    if problem is None:
        assert load_prices(path, plans) == Prices()
        return
    with pytest.raises(ValueError, match=r"cannot be used|has a price|has an amount|has two packs") as refusal:
        load_prices(path, plans)
    assert problem in str(refusal.value)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("currency", ["jod", "omr", "tnd", "isk", "ugx", "huf", "jpy"])
def test_amounts_that_stripe_takes_are_taken(tmp_path: Path, currency: str) -> None:
    path = tmp_path / "plans.yaml"
    path.write_text(f"{PLANS}prices: {{currency: {currency}, plans: {{pro: 5100}}}}\n")
    assert load_prices(path, load_plans(path)).plans == {"pro": 5100}


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1900, "usd", "$19.00"),
        (0, "usd", "$0.00"),
        (123_456_789, "eur", "€1,234,567.89"),
        (1900, "jpy", "1,900 JPY"),
        (1_900_000, "vnd", "1,900,000 VND"),
        (5, "chf", "0.05 CHF"),
        (5000, "kwd", "5.000 KWD"),
        (12_345_670, "bhd", "12,345.670 BHD"),
        (1000, "ugx", "10.00 UGX"),
        (500, "isk", "5.00 ISK"),
    ],
)
def test_money_as_people_write_it(amount: int, currency: str, shown: str) -> None:
    assert money(amount, currency) == shown


def test_one_secret_without_the_other_stops_the_start() -> None:
    assert connect(Settings()) is None
    for one in ({"stripe_secret_key": "sk_test_x"}, {"stripe_webhook_secret": "whsec_x"}):
        with pytest.raises(ValueError, match="together"):
            connect(Settings(**one))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("stripe_secret_key", "pk_live_x", "begins with sk_ or rk_"),
        ("stripe_webhook_secret", "sk_test_x", "begins with whsec_"),
        ("stripe_api_base", "api.stripe.com", "Write it as https://host"),
        ("stripe_api_base", "https://api.stripe.com?x=1", "Write it as https://host"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_without_telling_it(run: Run, name: str, value: str, why: str) -> None:
    told = refused(run("ledger", "verify", **{name: value}))
    assert why in told
    assert f"AIOPS_{name.upper()}" in told
    assert value not in told
