"""The whole service as it comes, with the embedded provider; the limit of calls that no plan sets is lifted."""

from fastapi import FastAPI

from aiops.accounts import rate_limits
from aiops.app import create_app, create_runtime
from aiops.logs import configure_logs
from aiops.settings import Settings
from tests.benchmarks.service import UNLIMITED


def create() -> FastAPI:
    rate_limits.OTHER_REQUESTS_PER_MINUTE = UNLIMITED
    configure_logs("json")
    return create_app(create_runtime(Settings()))
