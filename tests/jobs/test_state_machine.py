"""Customers, workers, the reaper, the clock and the operator act in any order, and after each act the database and the
files are as the model has them, and all invariants of the ledger hold.

The acts are the product's own functions, each of which is one transaction; what happens when two of them meet is
shown in `test_settle_races.py`.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.jobs.machine.customers import Customers
from tests.jobs.machine.endings import Endings

SETTINGS = settings(suppress_health_check=list(HealthCheck))
SHORT = settings(SETTINGS, max_examples=12, stateful_step_count=40)
THOROUGH = settings(SETTINGS, max_examples=120, stateful_step_count=80)

# What a thorough run must have met.
BRANCHES = {
    "a call is accepted",
    "a call joins a queued job",
    "a call joins a running job",
    "a call is answered by a succeeded job",
    "a key is free after a failed job",
    "a key is free after a cancelled job",
    "a key is free after a day",
    "a key is refused for another body",
    "a key is refused and the window is full",
    "a key is used by two accounts",
    "a call is refused: insufficient_credits",
    "a call is refused: model_unavailable",
    "a call is refused: queue_full",
    "a call is refused: rate_limit_exceeded",
    "a call is taken in the next minute",
    "a call comes with a revoked key",
    "a call comes with an expired key",
    "a call comes with a valid key",
    "a month is granted",
    "a grant is refused",
    "a key is revoked twice",
    "a job is settled whose API key was revoked",
    "a job is settled at its old price",
    "a job is claimed",
    "a job is claimed before one that was accepted earlier and must wait",
    "a job is claimed where another server's clock is behind",
    "nothing can be claimed: the plan's jobs are running",
    "a paid call is taken up",
    "a job succeeds",
    "a job fails: failed",
    "a job fails: unprocessable",
    "a worker with a lapsed lease is in time for the reaper",
    "a worker stores its output and vanishes",
    "a job is handed back",
    "a job is cancelled: queued",
    "a job is cancelled: running",
    "an ended job is not cancelled",
    "another's open job is not cancelled",
    "another's ended job is not cancelled",
    "another's job is not shown",
    "a job expires: queued",
    "a job expires: running",
    "a job does not expire",
    "a queued job lapses and is too late",
    "a running job lapses and is too late",
    "a running job lapses and is queued again",
    "a running job lapses and was perhaps paid for",
    "a running job lapses and is given up",
    "a running job outlives its time under a live lease",
    "a late worker: renew",
    "a late worker: note who is not paid",
    "a late worker: note who is paid",
    "a late worker: note the request",
    "a late worker: succeed",
    "a late worker: fail",
    "a late worker: reject",
    "a late worker: hand back",
    "a late worker meets the next one at work",
    "a file is swept",
    "an orphan is swept",
    "a key is swept",
    "an answer whose file has expired",
}


class LedgerMachine(Customers, Endings):
    """All that can happen."""


@pytest.fixture
def ledger_machine(fresh_database: Callable[[], AbstractContextManager[str]]) -> type[LedgerMachine]:
    """The machine over one of the databases, with counts of its own."""

    class LedgerMachineOnDatabase(LedgerMachine):
        pass

    LedgerMachineOnDatabase.fresh_database = staticmethod(fresh_database)
    LedgerMachineOnDatabase.reached = Counter()
    return LedgerMachineOnDatabase


@pytest.mark.timeout(600)  # once it has failed, Hypothesis looks for the shortest way to fail
def test_any_order_of_acts_keeps_the_ledger(ledger_machine: type[LedgerMachine]) -> None:
    run_state_machine_as_test(ledger_machine, settings=SHORT)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_many_orders_of_acts_keep_the_ledger_and_meet_every_case(ledger_machine: type[LedgerMachine]) -> None:
    run_state_machine_as_test(ledger_machine, settings=THOROUGH)
    assert set(ledger_machine.reached) == BRANCHES
