"""The README says what is true of the code."""

import re
from pathlib import Path

from aiops.contract.document import api_document
from aiops.settings import Settings

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_described_and_no_other() -> None:
    described = set(re.findall(r"^\| `(AIOPS_[A-Z_]+)` \|", README, re.MULTILINE))
    assert described == {f"AIOPS_{name.upper()}" for name in Settings.model_fields}


def test_every_error_is_described() -> None:
    schemas = api_document().tree["components"]["schemas"]
    codes = {
        schema["allOf"][1]["properties"]["code"]["const"]
        for name, schema in schemas.items()
        if name.endswith("Error") and "allOf" in schema
    }
    assert {code for code in codes if f"`{code}`" not in README} == set()


def test_every_service_is_described_with_its_price() -> None:
    for operation in api_document().operations.values():
        if operation.is_service:
            assert f"`POST {operation.path}` | {operation.cost} |" in README
