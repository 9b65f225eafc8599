"""What an account sees of itself."""

import asyncio
import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from aiops.database.engine import Database
from aiops.database.tables import Account, Job
from aiops.jobs.listing import Use, use_since
from aiops.ledger import ledger
from aiops.providers.base import Call, ProviderUnavailableError
from aiops.storage.sweep import sweep
from aiops.web.chart import draw
from tests.fixtures.providers import Held
from tests.fixtures.service import IMAGE, SPEECH, Customer, Service
from tests.fixtures.visitor import Visitor, visitor

SERVICES = {"generate_image": "Generate an image", "generate_speech": "Generate speech"}


async def signed_up(service: Service, email: str = "ada@example.com") -> tuple[Visitor, Customer]:
    """Somebody at the pages, and the same account at the API."""
    person = visitor(service)
    await person.sign_up(email)
    (reveal,) = re.findall(r"/api-keys/key_\w+/reveal", person.text)
    await person.send(reveal)
    (key,) = re.findall(r"aiops_sk_[0-9A-Za-z]{36}", person.text)
    client = service.client(Authorization=f"Bearer {key}")
    return person, Customer((await client.get("/api/account")).json()["id"], key, client)


def refuse_to_connect() -> None:
    raise OperationalError("SELECT 1", {}, Exception("no such host: db.internal"))


def plain(page: str) -> str:
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


async def test_the_dashboard_shows_credits_use_and_jobs(service: Service) -> None:
    person, ada = await signed_up(service)
    await ada.client.post(IMAGE, json={"prompt": "a lighthouse"})
    await ada.client.post(SPEECH, json={"text": "good morning"})

    async def fail(_call: Call) -> None:
        raise ProviderUnavailableError("It is down.")

    service.provider.behave = fail
    await ada.client.post(SPEECH, json={"text": "good night"})
    words = plain((await person.get("/dashboard")).text)
    assert "Credits left 18" in words
    assert "Used in 30 days 7" in words
    assert "Plan free" in words
    assert "a lighthouse succeeded 5" in words
    assert "good morning succeeded 2 Listen" in words
    assert "good night failed 2 back It is down." in words


async def test_the_dashboard_grants_the_credits_of_a_new_month(service: Service) -> None:
    person, _ = await signed_up(service)
    service.clock.advance(days=32)
    await person.sign_in()
    assert "Credits left 50" in plain((await person.get("/dashboard")).text)
    assert "Credits left 50" in plain((await person.get("/dashboard")).text), "once a month"


async def test_a_running_job_keeps_the_page_up_to_date_until_it_ends(service: Service) -> None:
    person, ada = await signed_up(service)
    held = service.provider.behave = Held()
    call = asyncio.create_task(ada.image())
    await held.begun.wait()
    assert 'data-live="/jobs/recent"' in (await person.get("/dashboard")).text
    assert 'data-live="/jobs/recent"' in (await person.get("/jobs/recent")).text
    held.finish.set()
    await call
    part = (await person.get("/jobs/recent")).text
    assert "data-live" not in part
    assert "succeeded" in part


async def test_a_job_is_cancelled_on_its_page(service: Service) -> None:
    person, ada = await signed_up(service)
    begun = asyncio.Event()

    async def wait(_call: Call) -> None:
        begun.set()
        await asyncio.sleep(600)

    service.provider.behave = wait
    call = asyncio.create_task(ada.image())
    await begun.wait()
    (job,) = (await ada.client.get("/api/jobs")).json()["data"]
    await person.get(f"/jobs/{job['id']}")
    await person.send(f"/jobs/{job['id']}/cancel")
    words = plain(person.text)
    assert "cancelled The job was cancelled. Your 5 credits are back." in words
    assert "Cancel job" not in words
    assert (await call).status_code == 409
    assert await ada.credits() == 25


async def test_a_job_shows_its_result_its_cost_and_how_to_ask_for_help(service: Service) -> None:
    person, ada = await signed_up(service)
    answer = await ada.image("a lighthouse")
    page = (await person.get(f"/jobs/{answer.json()['job_id']}")).text
    (link,) = re.findall(r'<img src="([^"]+)"', page)
    assert (await person.client.get(link.replace("&amp;", "&"))).headers["content-type"] == "image/png"
    words = plain(page)
    assert f"Job {answer.json()['job_id']} Request {answer.headers['x-request-id']}" in words
    assert "Done by stub, stub-image" in words


async def test_a_file_that_is_no_longer_kept(service: Service) -> None:
    person, ada = await signed_up(service)
    job_id = (await ada.image()).json()["job_id"]
    service.clock.advance(hours=73)
    runtime = service.runtime
    await sweep(runtime.database, runtime.store, runtime.settings.downloads_dir, service.clock())
    assert "The file is no longer kept." in plain((await person.get(f"/jobs/{job_id}")).text)
    assert "no longer kept" in plain((await person.get("/jobs")).text)


async def test_older_jobs_are_on_further_pages(sqlite_service: Service) -> None:
    person, ada = await signed_up(sqlite_service)
    async with sqlite_service.runtime.database.write() as session:
        await ledger.grant(session, ada.id, 1000, sqlite_service.clock(), description="test")
    for number in range(27):
        sqlite_service.clock.advance(minutes=1)
        await ada.image(f"number {number};")
    newest = await person.get("/jobs")
    assert ("number 26;" in newest.text, "number 1;" in newest.text) == (True, False)
    (older,) = re.findall(r'href="(/jobs\?cursor=[^"]+)"', newest.text)
    page = await person.get(older)
    assert ("number 1;" in page.text, "number 2;" in page.text) == (True, False)


@pytest.mark.parametrize(
    "path", ["/jobs?cursor=x", "/jobs?cursor=", "/transactions?cursor=x", f"/jobs?cursor={'x' * 300}"]
)
async def test_there_is_no_such_page(sqlite_service: Service, path: str) -> None:
    person, _ = await signed_up(sqlite_service)
    assert (await person.get(path)).status_code == 404


async def test_transactions_by_type_and_as_csv(service: Service) -> None:
    person, ada = await signed_up(service)
    await ada.image()

    async def fail(_call: Call) -> None:
        raise ProviderUnavailableError("It is down.")

    service.provider.behave = fail
    await ada.client.post(SPEECH, json={"text": "good night"})
    words = plain((await person.get("/transactions")).text)
    assert re.search(r"refund job_\w+ \+2 20", words)
    assert re.search(r"grant Monthly credits of the free plan \+25 25", words)
    words = plain((await person.get("/transactions?type=charge")).text)
    assert ("+25" in words, len(re.findall(r"charge job_", words))) == (False, 2)
    rows = list(csv.DictReader(io.StringIO((await person.client.get("/transactions.csv")).text)))
    assert [(row["type"], int(row["amount"]), int(row["balance_after"])) for row in rows] == [
        ("refund", 2, 20),
        ("charge", -2, 18),
        ("charge", -5, 20),
        ("grant", 25, 25),
    ]
    refunds = list(csv.DictReader(io.StringIO((await person.client.get("/transactions.csv?type=refund")).text)))
    assert [row["type"] for row in refunds] == ["refund"]


async def test_keys_are_made_with_a_name_and_an_expiry_and_revoked(service: Service) -> None:
    person, _ = await signed_up(service)
    await person.get("/api-keys")
    await person.send("/api-keys", name="my workflow", expires="30")
    (key,) = re.findall(r"aiops_sk_[0-9A-Za-z]{36}", person.text)
    client = service.client(Authorization=f"Bearer {key}")
    assert (await client.get("/api/account")).status_code == 200
    (row,) = [row for row in person.text.split("<tr>") if "my workflow" in row]
    assert (key[:13] in row, key[-4:] in row) == (True, True)
    (revoke,) = re.findall(r"/api-keys/key_\w+/revoke", row)
    await person.send(revoke)
    assert (await client.get("/api/account")).status_code == 401
    await person.send("/api-keys", name="   ")
    assert person.page is not None
    assert (person.page.status_code, "A key&#39;s name has" in person.text) == (422, True)


async def test_an_account_has_fifty_keys_at_most(sqlite_service: Service) -> None:
    person, _ = await signed_up(sqlite_service)
    await person.get("/api-keys")
    for number in range(49):
        assert (await person.send("/api-keys", name=f"key {number}")).status_code == 200
    answer = await person.send("/api-keys", name="one more")
    assert (answer.status_code, "50 keys at most" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("service_id", "fields", "credits_left"),
    [
        ("generate_image", {"prompt": "a boat"}, 20),
        ("generate_speech", {"text": "hello", "voice": "en-Emily_woman"}, 23),
    ],
)
async def test_the_playground_calls_a_service(
    service: Service, service_id: str, fields: dict[str, str], credits_left: int
) -> None:
    person, ada = await signed_up(service)
    await person.get(f"/playground/{service_id}")
    answer = await person.send(f"/playground/{service_id}", **fields)
    assert (answer.status_code, answer.url.params["job"][:4]) == (200, "job_")
    job = (await ada.client.get(f"/api/jobs/{answer.url.params['job']}")).json()
    while job["status"] in ("queued", "running"):
        job = (await ada.client.get(f"/api/jobs/{job['id']}")).json()
    assert job["status"] == "succeeded"
    assert await ada.credits() == credits_left
    assert next(iter(fields.values())) in (await person.get(f"/playground/{service_id}?job={job['id']}")).text


async def test_the_playground_says_what_is_wrong_and_charges_nothing(sqlite_service: Service) -> None:
    person, ada = await signed_up(sqlite_service)
    await person.get("/playground/generate_image")
    answer = await person.send("/playground/generate_image", prompt="")
    assert (answer.status_code, "Field required" in answer.text) == (422, True)
    answer = await person.send("/playground/generate_image", prompt="   ")
    assert (answer.status_code, "at least one visible character" in answer.text) == (422, True)
    answer = await person.send("/playground/generate_image", prompt="x" * 2001)
    assert (answer.status_code, "at most 2000 characters" in answer.text) == (422, True)
    for _ in range(5):
        await ada.image()
    sqlite_service.clock.advance(minutes=1)
    answer = await person.send("/playground/generate_image", prompt="one too many")
    assert (answer.status_code, "Insufficient credits. Nothing was charged." in answer.text) == (402, True)
    assert (await person.get("/playground/delete_everything")).status_code == 404


async def test_the_playground_charges_once_for_a_form_that_is_sent_twice(service: Service) -> None:
    person, ada = await signed_up(service)
    await person.get("/playground/generate_image")
    fields = {**person.form("/playground/generate_image").fields, "prompt": "a\r\nboat"}
    first, again = [await person.client.post("/playground/generate_image", data=fields) for _ in range(2)]
    assert first.url == again.url
    await person.get("/playground/generate_image")
    await person.send("/playground/generate_image", prompt="a\r\nboat")
    jobs = (await ada.client.get("/api/jobs")).json()["data"]
    assert len(jobs) == 2
    assert (await service.job(jobs[0]["id"])).request["prompt"] == "a\nboat"


async def test_the_playground_is_a_use_of_the_month(service: Service) -> None:
    person, ada = await signed_up(service)
    for _ in range(5):
        await ada.image()
    service.clock.advance(days=32)
    await person.sign_in()
    await person.get("/playground/generate_image")
    assert (await person.send("/playground/generate_image", prompt="a boat")).status_code == 200
    assert await ada.credits() == 20


async def test_the_days_are_those_of_utc(new_database: Callable[[str], str]) -> None:
    """Whatever zone PostgreSQL is set to."""
    url = new_database("postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET timezone = 'America/New_York'")
    database = Database(url)
    at = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)
    async with database.write() as session:
        session.add(Account(id="acc_1", email="ada@example.com", plan="free", created_at=at))
        await session.flush()
        session.add(
            Job(
                id="job_1",
                account_id="acc_1",
                operation_id="generate_image",
                request={},
                credits=5,
                status="succeeded",
                deadline_at=at,
                created_at=at,
            )
        )
    async with database.read() as session:
        assert await use_since(session, "acc_1", at) == [Use(at.date(), "generate_image", 5)]
    await database.close()


async def test_the_code_of_the_playground_is_that_of_the_call(sqlite_service: Service) -> None:
    person, _ = await signed_up(sqlite_service)
    await person.get("/playground/generate_image")
    token = person.form("/sign-out").fields
    part = await person.client.post("/playground/generate_image/code", data={**token, "prompt": "a <boat>"})
    assert "a &lt;boat&gt;" in part.text
    assert "YOUR_API_KEY" in part.text
    assert (await person.client.get("/playground")).url.path == "/playground/generate_image"


async def test_a_page_says_so_where_the_database_is_away(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, _ = await signed_up(sqlite_service)
    monkeypatch.setattr(sqlite_service.runtime.database.engine.sync_engine.pool, "connect", refuse_to_connect)
    answer = await person.get("/dashboard")
    assert (answer.status_code, "Back in a moment" in answer.text) == (503, True)


def test_the_chart_stacks_the_services_of_a_day() -> None:
    first = date(2026, 11, 1)
    use = [Use(date(2026, 11, 3), "generate_image", 30), Use(date(2026, 11, 3), "generate_speech", 10)]
    chart = draw(use, SERVICES, first, 30)
    image, speech = chart.bars
    assert (image.x, image.series, speech.series) == (speech.x, 1, 2)
    assert image.y + image.height == pytest.approx(chart.base)
    assert speech.y + speech.height == pytest.approx(image.y)
    assert image.height == pytest.approx(3 * speech.height, rel=0.01)
    assert [label.text for label in chart.values] == ["0", "20", "40"]
    assert chart.rows == [(date(2026, 11, 3), [30, 10])]


@pytest.mark.parametrize("most", [0, 1, 10, 11, 99, 100, 101, 12_345, 1_000_000_000])
def test_no_bar_leaves_the_chart(most: int) -> None:
    day = datetime(2026, 11, 3, tzinfo=UTC).date()
    chart = draw([Use(day, "generate_image", most)], SERVICES, day, 30)
    assert all(bar.y >= 0 and bar.y + bar.height <= chart.height for bar in chart.bars)
    top = int(chart.values[-1].text.replace(",", ""))
    assert top >= most
    assert top % 2 == 0
