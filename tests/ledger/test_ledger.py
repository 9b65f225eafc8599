"""The ledger by itself: any order of moves keeps its sums, and what must not happen is refused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col

from aiops.accounts.accounts import create_account
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database, Session
from aiops.database.tables import Account, Job, Payment
from aiops.identifiers import new_id
from aiops.ledger import ledger
from aiops.ledger.ledger import OverdraftError
from aiops.ledger.verify import verify

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MOVES = st.lists(
    st.tuples(
        st.sampled_from(["grant", "hold", "capture", "release", "buy", "reverse", "take"]),
        st.integers(1, 60),
        st.integers(0, 5),
    ),
    max_size=30,
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def make_account(session: Session, credits_: int) -> str:
    email = f"{new_id('acc')}@example.com"
    return (await create_account(session, load_plans(None), email, NOW, plan="free", credits=credits_)).id


async def make_job(session: Session, account_id: str, cost: int) -> str:
    job = Job(
        id=new_id("job"),
        account_id=account_id,
        operation_id="generate_image",
        request={},
        credits=cost,
        deadline_at=NOW + timedelta(days=1),
        created_at=NOW,
    )
    session.add(job)
    await session.flush()
    return job.id


async def set_status(session: Session, job_id: str, status: str) -> None:
    await session.execute(update(Job).where(col(Job.id) == job_id).values(status=status))


async def buy(session: Session, account_id: str, credits_: int) -> str:
    """A purchase at one unit of money a credit."""
    payment_id = new_id("pi")
    payment = Payment(
        id=payment_id,
        account_id=account_id,
        kind="pack",
        description=f"{credits_} credits",
        credits=credits_,
        amount=credits_,
        currency="usd",
        created_at=NOW,
    )
    assert await ledger.receive(session, payment, NOW)
    return payment_id


@dataclass
class Model:
    """What an account has and owes. What comes in pays the debt first; what cannot be taken back is one."""

    balance: int
    debt: int = 0
    holds: list[tuple[str, int]] = field(default_factory=list)
    payments: dict[str, tuple[int, int]] = field(default_factory=dict)  # credits, and what of them is reversed

    def come_in(self, amount: int) -> None:
        paid = min(self.debt, self.balance + amount)
        self.debt, self.balance = self.debt - paid, self.balance + amount - paid

    def reverse(self, payment_id: str, reversed_: int) -> None:
        credits_, before = self.payments[payment_id]
        self.payments[payment_id] = (credits_, reversed_)
        self.debt += reversed_ - before
        if self.debt < 0:
            self.balance, self.debt = self.balance - self.debt, 0
        self.come_in(0)


async def move_money(session: Session, account_id: str, model: Model, move: tuple[str, int, int]) -> None:
    kind, amount, choice = move
    if kind == "buy":
        model.payments[await buy(session, account_id, amount)] = (amount, 0)
        model.come_in(amount)
    elif kind == "reverse" and model.payments:
        payment_id = list(model.payments)[choice % len(model.payments)]
        reversed_ = min(amount - 1, model.payments[payment_id][0])
        await ledger.reverse(session, payment_id, reversed_, NOW)
        model.reverse(payment_id, reversed_)
    elif kind == "take" and amount <= model.balance:
        model.balance -= amount
        assert await ledger.take(session, account_id, amount, NOW, description="test") == model.balance
    assert await ledger.owed(session, account_id) == model.debt


async def play(database: Database, moves: list[tuple[str, int, int]]) -> None:
    """Plays moves against the ledger and against a model of it."""
    model = Model(50)
    holds = model.holds
    async with database.write() as session:
        account_id = await make_account(session, model.balance)
    for kind, amount, choice in moves:
        async with database.write() as session:
            if kind == "grant":
                model.come_in(amount)
                assert await ledger.grant(session, account_id, amount, NOW, description="test") == model.balance
            elif kind == "hold" and amount <= model.balance:
                job_id = await make_job(session, account_id, amount)
                model.balance -= amount
                holds.append((job_id, amount))
                assert await ledger.hold(session, account_id, job_id, amount, NOW) == model.balance
            elif kind in ("capture", "release") and holds:
                job_id, held = holds.pop(choice % len(holds))
                model.come_in(held if kind == "release" else 0)
                settle = ledger.release if kind == "release" else ledger.capture
                assert await settle(session, account_id, job_id, held, NOW) == model.balance
                await set_status(session, job_id, "failed" if kind == "release" else "succeeded")
            await move_money(session, account_id, model, (kind, amount, choice))
    async with database.read() as session:
        account = (await session.execute(select(Account).where(col(Account.id) == account_id))).scalar_one()
    assert (account.credits, account.held) == (model.balance, sum(amount for _, amount in holds))
    assert await verify(database, NOW, 0) == []


@settings(max_examples=40)
@given(moves=MOVES)
@example(moves=[("buy", 1, 0), ("hold", 51, 0), ("reverse", 2, 0), ("release", 1, 0)])  # what is given back is owed
def test_any_order_of_moves_keeps_the_sums(shared_database_url: str, moves: list[tuple[str, int, int]]) -> None:
    async def run() -> None:
        database = Database(shared_database_url)
        try:
            await play(database, moves)
        finally:
            await database.close()

    asyncio.run(run())


async def test_nothing_is_taken_that_is_not_there(database: Database) -> None:
    async with database.write() as session:
        account_id = await make_account(session, 4)
    async with database.write() as session:
        with pytest.raises(OverdraftError):
            await ledger.hold(session, account_id, "job", 5, NOW)
    assert await verify(database, NOW, 0) == []


@pytest.mark.parametrize("first", ["capture", "release"])
@pytest.mark.parametrize("second", ["capture", "release"])
async def test_a_hold_is_settled_once(database: Database, first: str, second: str) -> None:
    """The database itself refuses, should the guards of the queue ever fail."""
    moves = {"capture": ledger.capture, "release": ledger.release}
    async with database.write() as session:
        account_id = await make_account(session, 100)
        job_id, other = [await make_job(session, account_id, 5) for _ in range(2)]
        await ledger.hold(session, account_id, job_id, 5, NOW)
        await ledger.hold(session, account_id, other, 5, NOW)
        await moves[first](session, account_id, job_id, 5, NOW)
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            await moves[second](session, account_id, job_id, 5, NOW)


async def test_a_month_is_granted_once(database: Database) -> None:
    async with database.write() as session:
        account_id = await make_account(session, 0)
        await ledger.grant(session, account_id, 25, NOW, description="test", period="2026-06")
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            await ledger.grant(session, account_id, 25, NOW, description="test", period="2026-06")


@pytest.mark.parametrize("statement", ["UPDATE entry SET amount = 1000", "DELETE FROM entry"])
async def test_entries_are_never_changed(database: Database, statement: str) -> None:
    async with database.write() as session:
        await make_account(session, 100)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.write() as session:
            await session.execute(text(statement))


TAMPERING = [
    ("UPDATE account SET credits = credits + 1", "credits are 132, its entries sum to 131"),
    ("UPDATE account SET held = 0", "0 are held, its open jobs sum to 5"),
    ("UPDATE job SET credits = 4", "has 0 holds of its price, not one"),
    ("UPDATE job SET status = 'succeeded'", "is succeeded, but its hold was settled by nothing"),
    ("UPDATE job SET deadline_at = '2020-01-01'", "still queued, although its lease or its time ran out"),
    (
        "INSERT INTO entry (account_id, kind, amount, balance_after, created_at)"
        " SELECT id, 'grant', 7, 7, created_at FROM account",
        "balance_after is 7, the entries up to it sum to 138",
    ),
    ("UPDATE payment SET taken = 3", "3 credits are taken back, its entries sum to 4"),
    ("UPDATE payment SET credits = 41", "its credits were given by 0 entries, not one"),
    ("UPDATE payment SET amount_refunded = 0", "do not fit the money that went back"),
    (
        "INSERT INTO entry (account_id, kind, amount, balance_after, payment_id, created_at)"
        " SELECT account_id, 'hold', 0, 131, id, created_at FROM payment",
        "a hold for the payment pi_",
    ),
]


@pytest.mark.parametrize(("statement", "finding"), TAMPERING, ids=[finding for _, finding in TAMPERING])
async def test_verify_finds_what_is_off(database: Database, statement: str, finding: str) -> None:
    async with database.write() as session:
        account_id = await make_account(session, 100)
        job_id = await make_job(session, account_id, 5)
        await ledger.hold(session, account_id, job_id, 5, NOW)
        await ledger.reverse(session, await buy(session, account_id, 40), 4, NOW)
    assert await verify(database, NOW, 0) == []
    async with database.write() as session:
        await session.execute(text(statement))
    assert any(finding in one for one in await verify(database, NOW, 0))


@pytest.mark.parametrize("way", ["id", "job_id, kind", "account_id, period", "payment_id"], ids=lambda way: f"by {way}")
async def test_an_entry_is_not_replaced_on_sqlite(new_database: Callable[[str], str], way: str) -> None:
    """`INSERT OR REPLACE` deletes the row in its way, and no trigger for DELETE sees it."""
    database = Database(new_database("sqlite"))
    async with database.write() as session:
        account_id = await make_account(session, 100)
        job_id = await make_job(session, account_id, 5)
        await ledger.hold(session, account_id, job_id, 5, NOW)
        await buy(session, account_id, 5)
    columns = {"id", "account_id", "kind", "job_id", "period", "payment_id"} & set(
        f"account_id, kind, {way}".split(", ")
    )
    copied = ", ".join(sorted(columns))
    target = f"INSERT OR REPLACE INTO entry ({copied}, amount, balance_after, created_at)"
    statement = f"{target} SELECT {copied}, 0, 0, '' FROM entry"
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.write() as session:
            await session.execute(text(statement))
    await database.close()


async def test_an_account_has_no_more_than_the_contract_says(database: Database) -> None:
    async with database.write() as session:
        account_id = await make_account(session, 100)
        with pytest.raises(ValueError, match="1,000,000,000 credits at most"):
            await ledger.grant(session, account_id, ledger.CREDITS_MAX, NOW, description="test")
        for move in (ledger.grant, ledger.take):  # a number that no column of the database has room for
            with pytest.raises(ValueError, match="Give or take 1,000,000,000 credits at most"):
                await move(session, account_id, 3_000_000_000, NOW, description="test")


async def test_a_payment_is_received_once(database: Database) -> None:
    async with database.write() as session:
        account_id = await make_account(session, 0)
        payment_id = await buy(session, account_id, 40)
    for _ in range(2):
        async with database.write() as session:
            again = Payment(
                id=payment_id,
                account_id=account_id,
                kind="pack",
                description="again",
                credits=40,
                amount=40,
                currency="usd",
                created_at=NOW,
            )
            assert not await ledger.receive(session, again, NOW)
    copied = "account_id, kind, amount, balance_after, payment_id, created_at"
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            await session.execute(text(f"INSERT INTO entry ({copied}) SELECT {copied} FROM entry"))
