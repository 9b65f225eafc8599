"""What administrators see and change; for everybody else it is not there."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from starlette.routing import Route

from aiops.accounts.accounts import AccountError
from aiops.administration import audit, changes
from aiops.database.tables import Account, AuditRecord, Payment
from aiops.ledger import ledger
from aiops.web import administration
from aiops.web.routes import PAGES
from tests.fixtures.command import Run, refused
from tests.fixtures.service import Service, running_service, until
from tests.fixtures.visitor import Visitor, visitor

PARAMETER = re.compile(r"{[^}]+}")
OWNER = "owner@example.com"


async def make_administrator(service: Service, email: str) -> None:
    async with service.runtime.database.write() as session:
        found = await session.execute(select(Account).where(col(Account.email) == email))
        found.scalar_one().is_administrator = True


async def owner(service: Service) -> Visitor:
    person = visitor(service)
    await person.sign_up(OWNER)
    await make_administrator(service, OWNER)
    return person


async def account_id(service: Service, email: str) -> str:
    async with service.runtime.database.read() as session:
        return (await session.execute(select(col(Account.id)).where(col(Account.email) == email))).scalar_one()


async def records(service: Service) -> list[tuple[str, str, str, str]]:
    async with service.runtime.database.read() as session:
        rows = (await session.execute(select(AuditRecord).order_by(col(AuditRecord.id)))).scalars()
        return [(row.actor, row.action, row.detail, row.reason) for row in rows]


def routes_of_administrators(app: Any) -> list[Route]:
    """Those below /admin, and whatever else ends in the module of the administration."""
    found = [one for one in app.routes if isinstance(one, Route) and one.path.partition("/admin")[0] == ""]
    assert len(found) >= 9
    return found


def handlers(route: Route) -> list[Callable[..., Any]]:
    """What a route of a page calls."""
    cells = [cell.cell_contents for cell in getattr(route.endpoint, "__closure__", None) or ()]
    return [cell for cell in cells if callable(cell)]


def test_no_page_of_the_administration_is_anywhere_else() -> None:
    for route in PAGES:
        of_administration = [one for one in handlers(route) if one.__module__ == administration.__name__]
        assert bool(of_administration) == route.path.startswith("/admin"), route.path


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("is_signed_in", [True, False], ids=["a user", "a stranger"])
async def test_who_is_no_administrator_finds_nothing(sqlite_service: Service, accept: str, is_signed_in: bool) -> None:
    await owner(sqlite_service)
    bob = visitor(sqlite_service)
    await bob.sign_up("bob@example.com")
    token = bob.form("/sign-out").fields["csrf_token"]
    bobs = await account_id(sqlite_service, "bob@example.com")
    client = bob.client if is_signed_in else visitor(sqlite_service).client
    headers = {"Accept": accept}
    nothing = await client.get("/nothing/here", headers=headers)
    for route in routes_of_administrators(sqlite_service.app):
        path = PARAMETER.sub(bobs, route.path)
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
            data = {"csrf_token": token, "amount": "1000", "reason": "because", "plan": "pro", "administrator": "yes"}
            sent = {"data": data} if method == "POST" else {}
            answer = await client.request(method, path, headers=headers, **sent)  # type: ignore[arg-type]
            assert answer.status_code == 404, (method, path)
            if method == "GET":
                assert answer.text.count("\n") == nothing.text.count("\n"), "as at any other address"
    assert await records(sqlite_service) == []
    async with sqlite_service.runtime.database.read() as session:
        account = await session.get_one(Account, bobs)
        assert (account.credits, account.plan, account.is_administrator) == (25, "free", False)


async def test_every_page_of_the_administration_is_there_for_an_administrator(service: Service) -> None:
    person = await owner(service)
    its_id = await account_id(service, OWNER)
    for route in routes_of_administrators(service.app):
        answer = await person.get(PARAMETER.sub(its_id, route.path))
        assert answer.status_code == 200, route.path
        assert "Administration" in answer.text


async def test_where_nothing_is_sold_an_administrator_is_led_to_where_credits_are_given(
    sqlite_service: Service,
) -> None:
    person = await owner(sqlite_service)
    answer = await person.get("/billing")
    assert f'href="/admin/users/{await account_id(sqlite_service, OWNER)}"' in answer.text
    assert "Ask whoever runs this server" not in answer.text


async def test_a_form_without_its_token_changes_nothing(sqlite_service: Service) -> None:
    person = await owner(sqlite_service)
    its_id = await account_id(sqlite_service, OWNER)
    sent = await person.client.post(f"/admin/users/{its_id}/credits", data={"amount": "5", "reason": "x"})
    assert sent.status_code == 403
    assert await records(sqlite_service) == []


async def test_changes_are_made_and_noted(service: Service) -> None:
    person = await owner(service)
    bob = visitor(service)
    await bob.sign_up("bob@example.com")
    user = f"/admin/users/{await account_id(service, 'bob@example.com')}"
    await person.get(user)
    await person.send(f"{user}/credits", amount="100", reason="for the outage")
    await person.send(f"{user}/credits", amount="-20", reason="too many")
    await person.send(f"{user}/plan", plan="pro", reason="a friend")
    await person.send(f"{user}/administrator", reason="helps out")
    noted = [
        (OWNER, "credits given", "100 credits", "for the outage"),
        (OWNER, "credits taken", "20 credits", "too many"),
        (OWNER, "plan set", "free to pro", "a friend"),
        (OWNER, "administrator set", "is an administrator now", "helps out"),
    ]
    assert await records(service) == noted
    words = (await person.get("/admin/audit")).text
    assert all(part in words for record in noted for part in record)
    assert "for the outage" in (await bob.get("/transactions")).text
    assert (await bob.get("/admin")).status_code == 200
    assert "105" in (await bob.get("/billing")).text


@pytest.mark.parametrize("seen", ["", "-1", "9" * 19, "x"])
async def test_a_form_that_is_not_of_the_page_changes_nothing(sqlite_service: Service, seen: str) -> None:
    person = await owner(sqlite_service)
    user = f"/admin/users/{await account_id(sqlite_service, OWNER)}"
    await person.get(user)
    assert (await person.send(f"{user}/credits", amount="5", reason="x", seen=seen)).status_code == 400
    assert await records(sqlite_service) == []


@pytest.mark.parametrize(("amount", "credits_"), [("20", 45), ("-20", 5)], ids=["given", "taken"])
async def test_a_form_that_is_sent_twice_changes_credits_once(service: Service, amount: str, credits_: int) -> None:
    """As a double click does it: both are of one page, and arrive together."""
    person, ada = await owner(service), await service.customer(credits=25)
    user = f"/admin/users/{ada.id}"
    await person.get(user)
    fields = {**person.form(f"{user}/credits").fields, "amount": amount, "reason": "for the outage"}
    answers = await asyncio.gather(*(person.client.post(f"{user}/credits", data=fields) for _ in range(3)))
    assert {(answer.status_code, str(answer.url).partition("/admin")[2]) for answer in answers} == {
        (200, f"/users/{ada.id}?changed=1")
    }
    assert len(await records(service)) == 1
    assert await ada.credits() == credits_
    await person.get(user)
    await person.send(f"{user}/credits", amount="20", reason="for the outage")
    assert await ada.credits() == credits_ + 20, "a new page changes them again"


async def test_a_form_of_before_another_change_changes_nothing_and_says_so(service: Service) -> None:
    """By the back button, or of two administrators at once: what it was filled in for may be done."""
    person, ada = await owner(service), await service.customer(credits=25)
    user = f"/admin/users/{ada.id}"
    await person.get(user)
    old = person.form(f"{user}/credits").fields
    await person.send(f"{user}/credits", amount="20", reason="for the outage")
    for fields in ({"amount": "30", "reason": "for the outage"}, {"amount": "20", "reason": "another outage"}):
        answer = await person.client.post(f"{user}/credits", data={**old, **fields})
        assert answer.status_code == 422
        assert "Credits were changed since this page was opened." in answer.text
    assert len(await records(service)) == 1
    person.page = answer
    assert (await person.send(f"{user}/credits", amount="30", reason="for the outage")).status_code == 200
    assert await ada.credits() == 75


@pytest.mark.parametrize(("before", "after", "credits_"), [("free", "pro", 25), ("pro", "free", 500)])
async def test_a_plan_that_is_set_brings_its_credits_with_the_next_month(
    service: Service, before: str, after: str, credits_: int
) -> None:
    """Whether or not its owner has come by this month before."""
    person = await owner(service)
    ada = await service.customer(plan=before, credits=0)
    service.clock.advance(days=31)
    await person.sign_in(OWNER)
    await person.get(f"/admin/users/{ada.id}")
    await person.send(f"/admin/users/{ada.id}/plan", plan=after, reason="a friend")
    assert (await service.account(ada.id)).plan == after
    assert await ada.credits() == credits_, "those of the plan that it had when the month began"
    service.clock.advance(days=31)
    assert await ada.credits() == 525


@pytest.mark.parametrize(
    ("form", "fields", "why"),
    [
        ("credits", {"amount": "many", "reason": "x"}, "Write a whole number"),
        ("credits", {"amount": "0", "reason": "x"}, "Give or take one credit at least."),
        ("credits", {"amount": "-26", "reason": "x"}, "The account has fewer than 26 credits."),
        ("credits", {"amount": "1000000000", "reason": "x"}, "1,000,000,000 credits at most"),
        ("credits", {"amount": "-3000000000", "reason": "x"}, "Give or take 1,000,000,000 credits at most."),
        ("credits", {"amount": "3,000,000,000", "reason": "x"}, "Give or take 1,000,000,000 credits at most."),
        ("credits", {"amount": "-9" + "9" * 5000, "reason": "x"}, "Write a whole number of up to 1,000,000,000"),
        ("credits", {"amount": "5", "reason": " "}, "Give a reason"),
        ("credits", {"amount": "5", "reason": "two\nlines"}, "Give a reason"),
        ("plan", {"plan": "free", "reason": "x"}, "is on the plan free already"),
        ("plan", {"plan": "platinum", "reason": "x"}, "There is no plan platinum"),
        ("administrator", {"administrator": "no", "reason": "x"}, "This is the last administrator."),
        ("administrator", {"administrator": "yes", "reason": "x"}, "The account is that already."),
    ],
)
async def test_what_cannot_be_changed_is_told_and_leaves_no_record(
    service: Service, form: str, fields: dict[str, str], why: str
) -> None:
    person = await owner(service)
    user = f"/admin/users/{await account_id(service, OWNER)}"
    await person.get(user)
    answer = await person.send(f"{user}/{form}", **fields)
    assert answer.status_code == 422
    assert why in answer.text
    assert await records(service) == []


async def test_the_plan_of_a_subscription_is_not_set_by_hand(sqlite_service: Service) -> None:
    person = await owner(sqlite_service)
    its_id = await account_id(sqlite_service, OWNER)
    async with sqlite_service.runtime.database.write() as session:
        (await ledger.lock_account(session, its_id)).is_plan_paid = True
    await person.get(f"/admin/users/{its_id}")
    answer = await person.send(f"/admin/users/{its_id}/plan", plan="pro", reason="x")
    assert "The plan is paid by a subscription." in answer.text
    assert await records(sqlite_service) == []


async def test_users_are_found_by_a_part_of_their_address(service: Service) -> None:
    person = await owner(service)
    for email in ("a_b@example.com", "axb@example.com", "zoe@example.com"):
        await service.customer(email)
    words = (await person.get("/admin/users?search=A_B")).text
    assert "a_b@example.com" in words
    assert "axb@example.com" not in words
    assert (await person.get("/admin/users?cursor=nonsense")).status_code == 404
    assert (await person.get("/admin/users/acc_000000000000000000000000")).status_code == 404


async def test_jobs_of_all_and_the_health_of_providers_are_shown(service: Service) -> None:
    person = await owner(service)
    ada = await service.customer()
    await ada.image()
    words = (await person.get("/admin/jobs?status=succeeded&email=ada@example.com")).text
    assert "ada@example.com" in words
    assert "job_" in words
    assert "No such jobs." in (await person.get("/admin/jobs?status=failed")).text
    assert "job_" in (await person.get("/admin/jobs?status=bogus")).text, "what is no status filters nothing"
    health = " ".join(re.sub(r"<[^>]+>", " ", (await person.get("/admin")).text).split())
    assert "generate_image stub well" in health
    assert re.search(r"generate_speech stub idle \d+ 0 0", health)


async def test_revenue_is_that_of_whole_days(service: Service) -> None:
    """A day of which only the rest is counted would be a number that changes by the hour."""
    person = await owner(service)
    its_id, now = await account_id(service, OWNER), service.clock()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [now, *(today - timedelta(days=29, seconds=seconds) for seconds in (-86_399, 0, 1, 86_400))]
    async with service.runtime.database.write() as session:
        for number, moment in enumerate(moments):
            payment = Payment(
                id=f"pi_{number}",
                account_id=its_id,
                kind="pack",
                description="100 credits",
                credits=100,
                amount=500,
                currency="usd",
                created_at=moment,
            )
            await ledger.receive(session, payment, now)
    words = " ".join(re.sub(r"<[^>]+>", " ", (await person.get("/admin")).text).split())
    listed = re.findall(r"(\d+ \w{3} \d{4}) (\d+) (\$[\d.]+) \$0.00", words)
    assert listed == [
        (f"{today:%-d %b %Y}", "1", "$5.00"),
        (f"{today - timedelta(days=29):%-d %b %Y}", "2", "$10.00"),
    ]


async def test_the_audit_list_takes_no_change(service: Service) -> None:
    person = await owner(service)
    user = f"/admin/users/{await account_id(service, OWNER)}"
    await person.get(user)
    await person.send(f"{user}/credits", amount="1", reason="a test")
    statements = ["UPDATE audit_record SET actor = 'nobody'", "DELETE FROM audit_record"]
    if service.runtime.database.is_sqlite:
        statements.append("INSERT OR REPLACE INTO audit_record SELECT * FROM audit_record")
    else:
        statements.append("TRUNCATE audit_record")
    for statement in statements:
        with pytest.raises(DBAPIError, match="append-only"):
            async with service.runtime.database.write() as session:
                await session.execute(text(statement))
    assert [actor for actor, *_ in await records(service)] == [OWNER]


async def test_two_administrators_cannot_demote_each_other_at_the_same_moment(
    tmp_path: Path, postgresql_database_url: str
) -> None:
    """The second one has to wait for the first; on SQLite there is one writer at a time."""
    async with running_service(tmp_path, postgresql_database_url) as service:
        ada, bob = await service.customer(), await service.customer("bob@example.com")
        database, act = service.runtime.database, audit.Act("a test", "at once", service.clock())
        for one in (ada, bob):
            async with database.write() as session:
                await changes.set_administrator(session, act, one.id, is_administrator=True)

        async def demote(account_id: str) -> None:
            async with database.write() as session:
                await changes.set_administrator(session, act, account_id, is_administrator=False)

        async with database.write() as session:
            await changes.set_administrator(session, act, ada.id, is_administrator=False)
            second = asyncio.create_task(demote(bob.id))
            await until(lambda: is_done_or_waits(service, second))
        with pytest.raises(AccountError, match="the last administrator"):
            await second


async def is_done_or_waits(service: Service, task: asyncio.Task[None]) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with service.runtime.database.read() as session:
        return task.done() or (await session.execute(waiting)).scalar_one() > 0


def test_commands_change_and_list_the_same(run: Run) -> None:
    assert run("users", "create", "ada@example.com").code == 0
    assert run("users", "create", "bob@example.com").code == 0
    assert (
        "bob@example.com is on the plan pro."
        in run("users", "plan", "bob@example.com", "pro", "--reason", "a friend").out
    )
    assert (
        run("credits", "grant", "bob@example.com", "10", "--reason", "a gift").out
        == "bob@example.com has 35 credits.\n"
    )
    assert (
        run("credits", "take", "bob@example.com", "5", "--reason", "too many").out
        == "bob@example.com has 30 credits.\n"
    )
    for change in ("grant", "take"):
        too_many = run("credits", change, "bob@example.com", "3000000000", "--reason", "x")
        assert too_many.code == 2
        assert re.search(r"less than or equal\s+to 1000000000\b", too_many.err)
    assert "has fewer than 31" in refused(run("credits", "take", "bob@example.com", "31", "--reason", "x"))
    assert "an administrator" in run("users", "administrator", "bob@example.com", "--reason", "helps out").out
    assert (
        "no administrator any more"
        in run("users", "administrator", "ada@example.com", "--remove", "--reason", "left").out
    )
    assert "the last administrator" in refused(
        run("users", "administrator", "bob@example.com", "--remove", "--reason", "x")
    )
    listed = run("users", "list", "--search", "bob").out
    assert re.fullmatch(r"bob@example.com +pro +30 credits  administrator\n", listed)
    changes = run("admin", "changes").out
    for part in ("plan set: free to pro", "credits given: 10 credits", "credits taken: 5 credits", "a friend"):
        assert part in changes
    assert "command line" in changes
    assert run("admin", "revenue").out == "No payments.\n"
    assert "generate_image" in run("admin", "providers").out
    assert run("admin", "jobs", "--status", "failed").out == run("admin", "jobs").out == ""
    statuses = "queued, running, succeeded, failed, cancelled"
    assert f"A job is {statuses}, not bogus." in refused(run("admin", "jobs", "--status", "bogus"))
    assert "Stripe is not configured." in refused(run("billing", "catch-up"))
    assert run("ledger", "verify").out == "The ledger is in order.\n"
