"""Has pytest explain the asserts of the ledger's machine, whose modules are no test modules."""

import pytest

pytest.register_assert_rewrite("tests.jobs.machine")
