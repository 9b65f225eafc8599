"""A document with every construct: what is rendered of it, file by file.

After a change that is meant: `UPDATE_GOLDEN=1 pytest` this file, then read what git
shows.
"""

import os
import shutil
from pathlib import Path

from aiops_connect.openapi import parse_file
from aiops_connect.platforms.make.review import review
from tests.connectors.platforms.make.rendered import contents, emitted
from tests.connectors.platforms.make.test_emitter import assert_whole

TREES = Path(__file__).parents[3] / "golden"
THINGS = TREES / "things.yaml"
GOLDEN = TREES / "make"
# The document wants a thing's id to test a connection, which no platform can know; and its address is nobody's.
UNTESTED = "get_thing cannot test a connection: it needs id."


def test_what_is_rendered_is_what_was_reviewed() -> None:
    app = parse_file(THINGS).app
    assert app is not None
    made = emitted(app)
    assert [problem.message.startswith(UNTESTED) for problem in made.problems] == [True]
    files = {file.path: file.data for file in made.files}
    if "UPDATE_GOLDEN" in os.environ:
        shutil.rmtree(GOLDEN, ignore_errors=True)
        for name, data in files.items():
            (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / name).write_bytes(data)
    reviewed = {path.relative_to(GOLDEN).as_posix(): path.read_bytes() for path in GOLDEN.rglob("*") if path.is_file()}
    assert files == reviewed
    assert_whole(contents(made))


def test_what_the_review_finds_is_the_documents_own() -> None:
    """A connection that cannot be tested, and a number of any size."""
    app = parse_file(THINGS).app
    assert app is not None
    found = {(finding.rule, finding.message) for finding in review(contents(emitted(app)))}
    own = {message for rule, message in found if rule != "R8"}
    assert own == {"size: A number says what is the least or the most: validate.min, validate.max."}
