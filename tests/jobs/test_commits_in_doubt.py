"""A connection that is lost during a commit: what the caller is told is true, whether it was done or not."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from aiops.jobs import service_call
from aiops.providers.base import Call
from tests.fixtures.proxy import Proxy, proxied
from tests.fixtures.service import Service, running_service, until

SUBMISSION = b"INSERT INTO job "
CAPTURE = b"capture"
SETTLED = r'^aiops_jobs_settled_total{service="generate_image",status="succeeded"} (\d+)'


@pytest.fixture
async def proxied_service(tmp_path: Path, new_database: Callable[[str], str]) -> AsyncIterator[tuple[Service, Proxy]]:
    async with proxied(new_database("postgresql")) as (url, proxy), running_service(tmp_path, url) as service:
        yield service, proxy


async def test_a_submission_that_was_committed_is_answered(proxied_service: tuple[Service, Proxy]) -> None:
    service, proxy = proxied_service
    ada = await service.customer()
    proxy.cut_at, proxy.reaches_server = SUBMISSION, True
    answer = await ada.image()
    assert proxy.cut_at is None
    assert (answer.status_code, answer.json()["credits_remaining"]) == (200, 4995)
    assert len(service.provider.calls) == 1


async def test_a_submission_that_was_not_committed_was_not_charged(proxied_service: tuple[Service, Proxy]) -> None:
    service, proxy = proxied_service
    ada = await service.customer()
    proxy.cut_at, proxy.reaches_server = SUBMISSION, False
    answer = await ada.image(**{"Idempotency-Key": "order-1"})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert await ada.credits() == 5000
    assert (await ada.client.get("/api/jobs")).json()["data"] == []
    again = await ada.image(**{"Idempotency-Key": "order-1"})
    assert (again.status_code, again.json()["credits_remaining"]) == (200, 4995)


@pytest.mark.parametrize("is_committed", [False, True])
async def test_a_submission_that_cannot_be_looked_up_in_time_is_named(
    proxied_service: tuple[Service, Proxy], monkeypatch: pytest.MonkeyPatch, is_committed: bool
) -> None:
    """It may be there and be charged, so that must not be denied."""
    monkeypatch.setattr(service_call, "DOUBT_SECONDS", 1)
    service, proxy = proxied_service
    ada = await service.customer()
    proxy.cut_at, proxy.reaches_server, proxy.then_away = SUBMISSION, is_committed, True
    answer = await ada.image(**{"Idempotency-Key": "order-1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "job_running")
    proxy.come_back()
    job = await ada.client.get(answer.headers["location"])
    assert job.status_code == (200 if is_committed else 404)
    again = await ada.image(**{"Idempotency-Key": "order-1"})
    assert (again.status_code, again.json()["credits_remaining"]) == (200, 4995)
    assert (again.json()["job_id"] == answer.json()["job_id"]) is is_committed
    assert len(service.provider.calls) == 1


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("is_away_for_a_while", [False, True])
async def test_a_capture_is_made_once_and_its_output_is_kept(
    proxied_service: tuple[Service, Proxy], is_committed: bool, is_away_for_a_while: bool
) -> None:
    service, proxy = proxied_service
    ada = await service.customer()
    settled = await _settled(service)
    proxy.cut_at, proxy.reaches_server, proxy.then_away = CAPTURE, is_committed, is_away_for_a_while
    call = asyncio.create_task(ada.image())
    await until(lambda: _is_cut(proxy))
    proxy.come_back()
    answer = await call
    assert (answer.status_code, answer.json()["credits_remaining"]) == (200, 4995)
    await until(lambda: _is_settled(service, settled + 1), seconds=10)
    assert (await ada.client.get(answer.json()["image_url"])).status_code == 200
    assert len(service.provider.calls) == 1


async def test_a_failure_is_refunded_once(proxied_service: tuple[Service, Proxy]) -> None:
    async def break_down(_call: Call) -> Any:
        raise RuntimeError

    service, proxy = proxied_service
    ada = await service.customer()
    service.provider.behave = break_down
    proxy.cut_at, proxy.reaches_server = b"release", True
    answer = await ada.image()
    assert (answer.status_code, answer.json()["credits"]) == (500, 5000)
    assert proxy.cut_at is None
    assert await ada.credits() == 5000


async def _is_settled(service: Service, jobs: int) -> bool:
    return await _settled(service) == jobs


async def _settled(service: Service) -> int:
    """How many jobs were captured, as the worker counts them once it is done."""
    text = (await service.client().get("/metrics")).text
    counted = re.search(
        r'^aiops_jobs_settled_total{service="generate_image",status="succeeded"} (\d+)', text, re.MULTILINE
    )
    return int(counted[1]) if counted else 0


async def _is_cut(proxy: Proxy) -> bool:
    return proxy.cut_at is None
