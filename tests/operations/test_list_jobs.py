from collections.abc import Awaitable, Callable, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import pytest
import pytest_asyncio
from sqlalchemy import update

from aiops.database.tables import Job
from aiops.pagination import encode_cursor
from aiops.providers.base import Call, ProviderRejectedError
from tests.fixtures.service import SPEECH, Customer, Service

Page = dict[str, Any]


async def pages(
    customer: Customer,
    limit: int,
    between: Callable[[], Awaitable[object]] | None = None,
    filters: Mapping[str, str] = MappingProxyType({}),
) -> list[list[str]]:
    """The ids of each page, read to the end; `between` is done before each page but the first."""
    found: list[list[str]] = []
    cursor = None
    while True:
        parameters: dict[str, str | int] = {"limit": limit, **filters}
        if cursor:
            parameters["cursor"] = cursor
        answer = await customer.client.get("/api/jobs", params=parameters)
        assert answer.status_code == 200, answer.json()
        page: Page = answer.json()
        found.append([job["id"] for job in page["data"]])
        cursor = page["next_cursor"]
        if cursor is None:
            return found
        if between is not None:
            await between()


async def make(customer: Customer, number: int) -> list[str]:
    """The ids of new jobs, the newest first."""
    return [(await customer.image()).json()["job_id"] for _ in range(number)][::-1]


async def test_jobs_are_listed_newest_first(service: Service) -> None:
    ada = await service.customer()
    ids = await make(ada, 3)
    answer = (await ada.client.get("/api/jobs")).json()
    assert [job["id"] for job in answer["data"]] == ids
    assert answer["next_cursor"] is None
    assert answer["data"][0] == (await ada.client.get(f"/api/jobs/{ids[0]}")).json()


async def test_an_account_without_jobs_has_an_empty_page(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    assert (await ada.client.get("/api/jobs")).json() == {"data": [], "next_cursor": None}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def four(shared_service: Service) -> tuple[Customer, list[str]]:
    """An account with four jobs, and their ids."""
    bob = await shared_service.customer("bob@example.com")
    return bob, await make(bob, 4)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("limit", "sizes"), [(1, [1, 1, 1, 1]), (2, [2, 2]), (3, [3, 1]), (4, [4]), (100, [4])])
async def test_pages_are_complete_and_the_last_one_says_so(
    four: tuple[Customer, list[str]], limit: int, sizes: list[int]
) -> None:
    bob, ids = four
    found = await pages(bob, limit)
    assert [len(page) for page in found] == sizes
    assert list(chain.from_iterable(found)) == ids


async def test_pages_are_complete_while_new_jobs_arrive(service: Service) -> None:
    ada = await service.customer()
    ids = await make(ada, 5)
    found = await pages(ada, 2, between=ada.image)
    assert list(chain.from_iterable(found)) == ids


async def test_jobs_of_the_same_moment_are_neither_lost_nor_repeated(service: Service) -> None:
    ada = await service.customer()
    ids = await make(ada, 5)
    async with service.runtime.database.write() as session:
        await session.execute(update(Job).values(created_at=service.clock()))
    found = list(chain.from_iterable(await pages(ada, 2)))
    assert sorted(found) == sorted(ids)
    assert found == sorted(ids, reverse=True)


async def of_two_services(ada: Customer) -> dict[str, str]:
    """The ids of an image, a speech and an image that failed."""
    made = {"image": (await ada.image()).json()["job_id"]}
    made["speech"] = (await ada.client.post(SPEECH, json={"text": "hello"})).json()["job_id"]
    made["failed"] = (await ada.image("fail")).json()["job_id"]
    return made


FILTERS: dict[str, set[str]] = {
    "": {"image", "speech", "failed"},
    "status=succeeded": {"image", "speech"},
    "status=failed": {"failed"},
    "status=queued": set(),
    "service=generate_image": {"image", "failed"},
    "service=generate_image&status=succeeded": {"image"},
    "created_from={speech}": {"speech", "failed"},
    "created_before={speech}": {"image"},
    "created_from={speech}&created_before={failed}": {"speech"},
    "created_from={failed}&created_before={image}": set(),
    "created_from=0001-01-01T00:00:00Z&created_before=9999-12-31T23:59:59Z": {"image", "speech", "failed"},
}


async def test_jobs_are_listed_by_status_service_and_time(service: Service) -> None:
    async def fail(_call: Call) -> None:
        if service.provider.calls[-1] == "fail":
            raise ProviderRejectedError("Not that.")

    service.provider.behave = fail
    ada = await service.customer()
    made = await of_two_services(ada)
    moments = {name: (await service.job(job_id)).created_at.isoformat() for name, job_id in made.items()}
    for filters, names in FILTERS.items():
        asked = dict(parse_qsl(filters.format(**moments).replace("+", "%2B")))
        found = list(chain.from_iterable(await pages(ada, 1, filters=asked)))
        assert found == [made[name] for name in ("failed", "speech", "image") if name in names], filters


async def test_the_filter_knows_every_service(sqlite_service: Service) -> None:
    document = sqlite_service.runtime.document
    (parameter,) = (
        one for one in document.tree["paths"]["/api/jobs"]["get"]["parameters"] if one.get("name") == "service"
    )
    known = {choice["const"] for choice in parameter["schema"]["oneOf"]}
    assert known == {operation.id for operation in document.operations.values() if operation.is_service}


async def test_every_account_lists_its_own_jobs(service: Service) -> None:
    ada = await service.customer("ada@example.com")
    bob = await service.customer("bob@example.com")
    ids = {one: await make(one_of, 2) for one, one_of in (("ada", ada), ("bob", bob))}
    assert await pages(ada, 1) == [[one] for one in ids["ada"]]
    assert await pages(bob, 1) == [[one] for one in ids["bob"]]
    cursor = (await ada.client.get("/api/jobs", params={"limit": 1})).json()["next_cursor"]
    with_the_cursor_of_another = (await bob.client.get("/api/jobs", params={"cursor": cursor})).json()
    assert {job["id"] for job in with_the_cursor_of_another["data"]} <= set(ids["bob"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ada(shared_service: Service) -> Customer:
    return await shared_service.customer()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("!", id="not base 64"),
        pytest.param("x" * 200, id="noise"),
        pytest.param("%00", id="NUL"),
        pytest.param("é", id="not ASCII"),
        pytest.param("job_5f0c2b9e7d1a4c3b8e6f9a02", id="an id"),
        pytest.param(encode_cursor(17), id="of another list"),
        pytest.param(encode_cursor([]), id="no position"),
        pytest.param(encode_cursor(["2026-01-01T00:00:00", "job_x"]), id="no time zone"),
        pytest.param(encode_cursor(["2026-01-01T00:00:00Z", "job_\0"]), id="NUL in the id"),
        pytest.param(encode_cursor(["2026-01-01T00:00:00Z", "job_é"]), id="id not ASCII"),
        pytest.param(encode_cursor(["2026-01-01T00:00:00Z", 5]), id="id no text"),
        pytest.param(encode_cursor(["0001-01-01T00:00:00+14:00", "job_x"]), id="before all time"),
        pytest.param(encode_cursor(["9999-12-31T23:59:59-14:00", "job_x"]), id="after all time"),
        pytest.param(encode_cursor([10**40, "job_x"]), id="no moment"),
    ],
)
async def test_a_cursor_that_is_not_ours_is_422(ada: Customer, cursor: str) -> None:
    answer = await ada.client.get(f"/api/jobs?cursor={cursor}")
    assert answer.status_code == 422
    assert answer.json() == {
        "error": "Invalid input",
        "code": "invalid_input",
        "details": [{"field": "cursor", "message": "Input should be the next_cursor of the page before"}],
    }


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("status=", "status"),
        ("service=dream", "service"),
        ("created_from=yesterday", "created_from"),
        ("created_from=0.5", "created_from"),
        ("created_before=1767225600", "created_before"),
        ("created_before=2026-01-01", "created_before"),
        ("created_from=2026-01-01T00:00:00", "created_from"),
        ("created_from=0001-01-01T00:00:00%2B14:00", "created_from"),
        ("created_before=9999-12-31T23:59:59-14:00", "created_before"),
    ],
)
async def test_filters_that_are_not_valid_are_422(ada: Customer, query: str, field: str) -> None:
    answer = await ada.client.get(f"/api/jobs?{query}")
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["details"]] == [field]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", ["/api/jobs", "/api/credits/transactions"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("cursor=", "cursor"),
        ("cursor=" + "x" * 201, "cursor"),
    ],
)
async def test_limits_of_the_parameters_are_held(ada: Customer, path: str, query: str, field: str) -> None:
    answer = await ada.client.get(f"{path}?{query}")
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["details"]] == [field]
