"""Make's own JSON schemas, in the folder that AIOPS_MAKE_SCHEMAS names, over ours and the documents of other people.

Of Make's review, what holds for any document: nothing secret is logged, dates are dates, expressions are valid."""

import json
import os
from pathlib import Path

import pytest

from aiops_connect.openapi import parse_file
from aiops_connect.platforms.make.review import review
from tests.connectors.openapi.test_specs import documents
from tests.connectors.platforms.make.rendered import contents, emitted, ours
from tests.connectors.platforms.make.schemas import all_schemas, schema_of, validator, violations
from tests.connectors.platforms.make.test_connections import CODE, KEY, things
from tests.connectors.platforms.make.test_emitter import assert_whole

pytestmark = pytest.mark.specs


@pytest.fixture(autouse=True)
def _schemas() -> None:
    """The absence of the folder is a failure: nothing would have been tested."""
    if not Path(os.environ.get("AIOPS_MAKE_SCHEMAS", "-")).is_dir():
        pytest.fail("Set AIOPS_MAKE_SCHEMAS to the folder of Make's JSON schemas.", pytrace=False)


def test_all_fifteen_can_be_used() -> None:
    assert len(all_schemas()) == 15
    for name in all_schemas():
        validator(name)


def test_ours_violates_none() -> None:
    assert [path for path in ours() if schema_of(path) is None] == []
    assert violations(ours()) == []


def test_a_connection_by_oauth_violates_none() -> None:
    files = contents(emitted(things({"key": KEY, "oauth": CODE}, [{"key": []}], [{"oauth": ["read"]}])))
    assert {schema_of(path) for path in files} >= {"api-oauth.json", "scopes.json"}
    assert violations(files) == []


def test_they_are_applied() -> None:
    broken = ours()
    broken["modules/get-job/get-job.communication.iml.json"]["timeout"] = 1
    broken["modules/get-job/get-job.mappable-params.iml.json"][0]["type"] = "string"
    broken["makecomapp.json"]["components"].pop("endpoint")
    assert len({one.partition(":")[0] for one in violations(broken)}) == 3


def test_documents_of_other_people_violate_none() -> None:
    found = {}
    for path in documents():
        app = parse_file(path).app
        assert app is not None
        made = emitted(app)
        files = contents(made)
        assert_whole(files)
        found[path.name] = [
            *violations(files),
            *map(str, made.problems),
            *map(str, review(files, ["R5", "R15", "R25"])),
        ]
    assert json.dumps({name: some[:5] for name, some in found.items() if some}, indent=1) == "{}"
