"""`pagination`, as Make's documentation describes it."""

from pathlib import Path
from typing import Any

import pytest

from aiops_connect.platforms.make.runner import Limits, MakeError
from tests.connectors.platforms.make.runner.apps import Tried, one_module
from tests.connectors.platforms.make.runner.service import Answer, Service

PARAMETERS = [{"name": "limit", "type": "uinteger"}]


def page(line: str, *ids: int, **more: Any) -> Answer:
    return Answer(f"GET {line}", {"data": [{"id": number} for number in ids], **more})


def search(tmp_path: Path, service: Service, pagination: Any, **directives: Any) -> Tried:
    response = {"iterate": "{{body.data}}", "limit": "{{parameters.limit}}", "output": "{{item.id}}"}
    communication = {"url": "/a", "response": {**response, "output": {"id": "{{item.id}}"}}, **directives}
    base = {"baseUrl": service.url, "headers": {"x-key": "k"}}
    module = {**communication, "pagination": pagination}
    return one_module(tmp_path, module, "search", base, mappableParams=PARAMETERS)


def ids(tried: Tried, **parameters: Any) -> list[int]:
    return [bundle["id"] for bundle in tried.run(parameters=parameters).bundles]


CURSOR = {"qs": {"cursor": "{{body.next}}"}, "condition": "{{body.next}}"}


def test_three_pages_by_a_cursor_merged_with_the_request(tmp_path: Path, service: Service) -> None:
    service.will_answer(
        page("/a?size=2", 1, 2, next="x"), page("/a?size=2&cursor=x", 3, 4, next="y"), page("/a?size=2&cursor=y", 5)
    )
    assert ids(search(tmp_path, service, CURSOR, qs={"size": 2})) == [1, 2, 3, 4, 5]
    assert [request.headers["x-key"] for request in service.received] == ["k", "k", "k"]


def test_no_page_is_fetched_that_the_limit_does_not_need(tmp_path: Path, service: Service) -> None:
    service.will_answer(page("/a", 1, 2, next="x"), page("/a?cursor=x", 3, 4, next="y"))
    assert ids(search(tmp_path, service, CURSOR), limit=3) == [1, 2, 3]


def test_an_empty_page_is_the_last(tmp_path: Path, service: Service) -> None:
    service.will_answer(page("/a", 1, next="x"), page("/a?cursor=x", next="y"))
    assert ids(search(tmp_path, service, CURSOR)) == [1]


def test_a_limit_of_zero_is_a_wrong_configuration(tmp_path: Path, service: Service) -> None:
    service.will_answer(page("/a", 1))
    with pytest.raises(MakeError, match=r"^InvalidConfigurationError: The limit of bundles is 0\.$"):
        search(tmp_path, service, CURSOR).run(parameters={"limit": 0})


def test_the_condition_is_evaluated_before_the_next_page_too(tmp_path: Path, service: Service) -> None:
    """With `<` the second page is never fetched: at its turn the page is already 2."""
    service.will_answer(page("/a", 1))
    pagination = {"qs": {"page": "{{pagination.page}}"}, "condition": "{{pagination.page < 2}}"}
    assert ids(search(tmp_path, service, pagination)) == [1]


def test_pages_are_counted_from_one(tmp_path: Path, service: Service) -> None:
    service.will_answer(page("/a", 1), page("/a?page=2", 2))
    pagination = {"qs": {"page": "{{pagination.page}}"}, "condition": "{{pagination.page <= 2}}"}
    assert ids(search(tmp_path, service, pagination)) == [1, 2]


def test_the_next_url_is_called_as_it_is(tmp_path: Path, service: Service) -> None:
    service.will_answer(page("/a", 1, next=f"{service.url}/b?from=1"), page("/b?from=1", 2))
    pagination = {"url": "{{body.next}}", "condition": "{{body.next}}"}
    assert ids(search(tmp_path, service, pagination)) == [1, 2]


def test_without_merging_only_what_it_says_is_sent(tmp_path: Path, service: Service) -> None:
    service.will_answer(page("/a?size=2", 1, next="x"), page("/a?cursor=x", 2))
    pagination = {**CURSOR, "mergeWithParent": False}
    assert ids(search(tmp_path, service, pagination, qs={"size": 2})) == [1, 2]
    assert "x-key" not in service.received[1].headers


def test_method_and_body_of_a_further_page(tmp_path: Path, service: Service) -> None:
    service.will_answer(page("/a", 1, next="x"), Answer("POST /a", {"data": [{"id": 2}]}))
    pagination = {"method": "POST", "body": {"cursor": "{{body.next}}"}, "condition": "{{body.next}}"}
    assert ids(search(tmp_path, service, pagination)) == [1, 2]
    assert service.received[1].json == {"cursor": "x"}


def test_it_stops_after_fifty_further_pages_with_a_warning(tmp_path: Path, service: Service) -> None:
    service.will_answer(page("/a", 1, next="x"), *(page("/a?cursor=x", 2, next="x") for _ in range(50)))
    tried = search(tmp_path, service, CURSOR)
    assert len(ids(tried)) == 51
    assert tried.trace.warnings == [
        "modules/try/try.communication.iml.json: pagination ends after 51 pages, as in Make."
    ]


def test_the_common_data_may_set_how_many(tmp_path: Path, service: Service) -> None:
    service.will_answer(page("/a", 1, next="x"), page("/a?cursor=x", 2, next="x"))
    response = {"iterate": "{{body.data}}"}
    communication = {"url": "/a", "response": response, "pagination": CURSOR}
    common = {"maxPaginationRequestCount": 1}
    tried = one_module(tmp_path, communication, "search", {"baseUrl": service.url}, common)
    assert len(tried.run().bundles) == 2


def test_bundles_are_bounded(tmp_path: Path, service: Service) -> None:
    service.will_answer(page("/a", 1, 2, 3))
    with pytest.raises(MakeError, match=r"^MaxResultsExceededError: The module outputs more than 2 bundles\.$"):
        search(tmp_path, service, CURSOR).run(limits=Limits(bundles=2))


def test_requests_are_bounded(tmp_path: Path, service: Service) -> None:
    service.will_answer(*(page("/a", 1) for _ in range(3)))
    tried = search(tmp_path, service, CURSOR, repeat={"condition": "{{true}}"})
    with pytest.raises(MakeError, match=r"^RuntimeError: The run sends more than 3 requests\.$"):
        tried.run(limits=Limits(calls=3))
