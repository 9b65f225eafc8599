"""Polling triggers: which items are new, in which order they come out, and what is kept."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aiops_connect.platforms.make.runner import AppError
from tests.connectors.platforms.make.runner.apps import Tried, one_module
from tests.connectors.platforms.make.runner.service import Answer, Service

DAY = {number: f"2026-03-{number:02d}T00:00:00.000Z" for number in range(1, 10)}


def items(*numbers: int, **more: Any) -> dict[str, Any]:
    return {"data": [{"id": number, "at": DAY[min(number, 5)]} for number in numbers], **more}


def trigger(tmp_path: Path, service: Service, kind: str, order: str, limit: Any = 10, **directives: Any) -> Tried:
    communication = {
        "url": f"{service.url}/jobs",
        "response": {
            "limit": limit,
            "iterate": "{{body.data}}",
            "output": {"id": "{{item.id}}"},
            "trigger": {"type": kind, "order": order, "id": "{{item.id}}", "date": "{{item.at}}"},
        },
        **directives,
    }
    return one_module(tmp_path, communication, "trigger")


# Type, order, limit, what is kept from the last run, the items, the ids that come out, and what is kept.
RUNS: list[tuple[str, str, Any, dict[str, Any], list[int], list[int], dict[str, Any]]] = [
    ("id", "desc", 10, {}, [3, 2, 1], [1, 2, 3], {"lastId": 3}),
    ("id", "desc", 10, {"lastId": 2}, [3, 2, 1], [3], {"lastId": 3}),
    ("id", "desc", 10, {"lastId": 3}, [3, 2, 1], [], {"lastId": 3}),
    ("id", "unordered", 10, {"lastId": 1}, [2, 4, 1, 3], [2, 3, 4], {"lastId": 4}),
    ("id", "asc", 2, {}, [1, 2, 3], [1, 2], {"lastId": 2}),
    ("id", "asc", None, {}, [1, 2, 3], [1], {"lastId": 1}),
    (
        "date", "desc", 10, {"lastDate": DAY[3], "lastId": 3, "sameDateIds": ["3"]}, [4, 3, 2], [4],
        {"lastId": 4, "lastDate": datetime(2026, 3, 4, tzinfo=UTC), "sameDateIds": ["4"]},
    ),
    (
        "date", "desc", 10, {"lastDate": DAY[5], "lastId": 6, "sameDateIds": ["5", "6"]}, [7, 6, 5], [7],
        {"lastId": 7, "lastDate": datetime(2026, 3, 5, tzinfo=UTC), "sameDateIds": ["5", "6", "7"]},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "order", "limit", "data", "numbers", "ids", "kept"), RUNS)
def test_run(
    tmp_path: Path,
    service: Service,
    *,
    kind: str,
    order: str,
    limit: Any,
    data: dict[str, Any],
    numbers: list[int],
    ids: list[int],
    kept: dict[str, Any],
) -> None:
    service.will_answer(Answer("GET /jobs", items(*numbers)))
    outcome = trigger(tmp_path, service, kind, order, limit).run(data=data)
    assert [bundle["id"] for bundle in outcome.bundles] == ids
    assert outcome.stored == {"data": kept}


def test_pages_end_where_old_items_begin(tmp_path: Path, service: Service) -> None:
    service.will_answer(Answer("GET /jobs", items(5, 4, next=2)), Answer("GET /jobs?page=2", items(3, 2, next=3)))
    pagination = {"qs": {"page": "{{body.next}}"}, "condition": "{{body.next}}"}
    outcome = trigger(tmp_path, service, "id", "desc", pagination=pagination).run(data={"lastId": 3})
    assert [bundle["id"] for bundle in outcome.bundles] == [4, 5]


@pytest.mark.parametrize(
    ("directive", "message"),
    [
        (None, "A trigger needs `response.trigger`."),
        ({"type": "id", "order": "asc"}, "`response.trigger` lacks 'id'."),
        ({"type": "date", "order": "asc", "id": "x"}, "`response.trigger` lacks 'date'."),
        (
            {"type": "name", "order": "asc", "id": "x"},
            "A trigger goes by id or date, in the order asc, desc or unordered.",
        ),
    ],
)
def test_what_a_trigger_lacks(tmp_path: Path, directive: Any, message: str) -> None:
    response = {} if directive is None else {"trigger": directive}
    with pytest.raises(AppError) as raised:
        one_module(tmp_path, {"response": response}, "trigger").run()
    assert raised.value.message == message
