"""What is sold: plans by the month and packs of credits, from `prices` in the plans file."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aiops.accounts.plans import PRICES, SMALLEST, Plans, read_plans_file

# https://docs.stripe.com/currencies#minor-units
WITHOUT_DECIMALS = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf")
)
WITH_THREE_DECIMALS = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))  # of which Stripe takes two
WITHOUT_FRACTIONS = frozenset(("isk", "ugx"))  # counted in hundredths at Stripe, though there are none
SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}
PACKS_MAX = 20

Amount = Annotated[int, Field(ge=1, le=99_999_999)]  # as Stripe has them, in the smallest unit of the currency


class Pack(BaseModel):
    """Credits that are bought once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    credits: int = Field(ge=1, le=10_000_000)
    amount: Amount

    @property
    def name(self) -> str:
        return f"{self.credits:,} credits"


class Prices(BaseModel):
    """`plans` are amounts a month, by the name of the plan. A currency is an ISO code in lower case, such as `usd`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = Field(default="usd", pattern="^[a-z]{3}$")
    plans: dict[str, Amount] = Field(default_factory=dict)
    packs: list[Pack] = Field(default_factory=list, max_length=PACKS_MAX)

    def shown(self, amount: int) -> str:
        return money(amount, self.currency)

    def pack(self, credits_: str) -> Pack | None:
        """The pack of so many credits, as a form names it."""
        return next((pack for pack in self.packs if str(pack.credits) == credits_), None)


def load_prices(path: Path | None, plans: Plans) -> Prices:
    """The prices; none where the plans file has none.

    Raises:
        ValueError: the file cannot be read, or its prices are not of the form that `plans.yaml` shows.
    """
    tree = read_plans_file(path)
    try:
        prices = Prices.model_validate((tree.get(PRICES) or {}) if isinstance(tree, dict) else {})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, (PRICES, *one['loc'])))}: {one['msg']}" for one in error.errors())
        raise ValueError(f"The plans file {path} cannot be used: {problems}") from error
    for name in prices.plans:
        if name not in plans or name == SMALLEST:
            raise ValueError(f"The plans file {path} has a price for {name}, which is no plan that can be bought.")
    step = 10 if prices.currency in WITH_THREE_DECIMALS else 100 if prices.currency in WITHOUT_FRACTIONS else 1
    for amount in (*prices.plans.values(), *(pack.amount for pack in prices.packs)):
        if amount % step:
            needed = f"Stripe takes a multiple of {step} for {prices.currency.upper()}"
            raise ValueError(f"The plans file {path} has an amount of {amount:,}, where {needed}.")
    if len({pack.credits for pack in prices.packs}) < len(prices.packs):
        raise ValueError(f"The plans file {path} has two packs of as many credits.")
    return prices


def money(amount: int, currency: str) -> str:
    """An amount as people write it: `$19.00`, `1,900 JPY`, `5.000 KWD`."""
    decimals = 0 if currency in WITHOUT_DECIMALS else 3 if currency in WITH_THREE_DECIMALS else 2
    number = f"{Decimal(amount).scaleb(-decimals):,f}"
    return f"{SIGNS[currency]}{number}" if currency in SIGNS else f"{number} {currency.upper()}"
