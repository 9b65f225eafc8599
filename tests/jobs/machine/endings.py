"""What ends jobs and files without a worker: cancelling, the reaper, the sweep, and time itself."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import consumes, multiple, precondition, rule

from aiops.database import tables
from aiops.jobs import queue
from aiops.storage.sweep import sweep
from tests.jobs.machine.market import FILE_AGE, GIVEN_UP, KEY_AGE, OPEN, PAID_IN_VAIN, TOO_LATE, ApiKey
from tests.jobs.machine.stage import AGO, SECOND, Stage
from tests.jobs.machine.workers import BEGINNINGS, Workers

WHY = {TOO_LATE: "is too late", PAID_IN_VAIN: "was perhaps paid for", GIVEN_UP: "is given up"}
MOMENTS = st.sampled_from(
    [
        "a second",
        "a lease ends",
        "a lease is over",
        "the next minute",
        "a job's time is over",
        "a day has passed",
        "files expire",
        "the next month",
    ]
)


class Endings(Workers):
    """Time passes only here, and by a second with each call."""

    @precondition(lambda self: self.market.jobs)
    @rule(ago=AGO, by=st.none() | Stage.keys)
    def cancel(self, ago: int, by: ApiKey | None) -> None:
        job = self.job(ago)
        account_id = by.account_id if by else job.account_id
        if job.account_id != account_id:
            self.note(f"another's {'open' if job.status in OPEN else 'ended'} job is not cancelled")
        else:
            self.note(f"a job is cancelled: {job.status}" if job.status in OPEN else "an ended job is not cancelled")
        expected = self.market.cancel(account_id, job.id)
        cancelled = self.run(queue.cancel(self.database, account_id, job.id, self.now))
        assert (cancelled is not None) == expected

    @precondition(lambda self: self.market.jobs)
    @rule(ago=AGO, seconds_left=st.sampled_from([0, 0, 1]))
    def expire(self, ago: int, seconds_left: int) -> None:
        """A call has waited for its job as long as it may, or as it thinks."""
        job = self.job(ago)
        status = job.status
        if status in OPEN:
            self.market.now = max(self.now, job.deadline_at - seconds_left * SECOND)
        expected = self.market.expire(job.id)
        expired = self.run(queue.expire(self.database, job.id, self.now))
        assert (expired is not None) == expected
        self.note(f"a job expires: {status}" if expected else "a job does not expire")

    @precondition(lambda self: any(job.status in OPEN for job in self.market.jobs.values()))
    @rule()
    def reap(self) -> None:
        self._reap()

    def _reap(self) -> None:
        lapsed = [(job, job.status) for job in self.market.lapsed()]
        ended = [job.id for job in self.run(queue.reap(self.database, self.now))]
        assert set(ended) == self.market.reap(ended)
        for job, status in lapsed:
            became = WHY[job.reason] if job.id in ended else "is queued again"
            self.note(f"a {status} job lapses and {became}")
        if any(job.status == "running" and job.deadline_at <= self.now for job in self.market.jobs.values()):
            self.note("a running job outlives its time under a live lease")
        assert self.market.lapsed() == [], "no hold outlives its lease once the reaper has been there"

    @rule(target=Stage.claims, claim=consumes(Stage.claims), works=BEGINNINGS, times=st.integers(1, 3))
    def lapse(self, claim: tables.Job, works: tuple[str, ...], times: int) -> Any:
        """A worker begins, then is silent for longer than its lease, and another takes the next job, to do the same."""
        for _ in range(times):
            for work in works:
                self.work(claim, work)
            lease_until = self.market.jobs[claim.id].lease_until or self.now
            self.market.now = max(self.now, lease_until + SECOND)
            self._reap()
            self.spent.append(claim)
            another = self.claim_one()
            if another is None:
                return multiple()
            claim = another
        return claim

    @precondition(lambda self: self.market.contents or any(one.keys for one in self.market.accounts.values()))
    @rule(is_next_day=st.booleans())
    def sweep(self, is_next_day: bool) -> None:
        """At once, or when what nobody owns has lain there for a day."""
        if is_next_day:
            self.market.now = self.now + KEY_AGE
        keys_before = sum(len(account.keys) for account in self.market.accounts.values())
        before = dict(self.market.contents)
        due = self.market.sweep()
        assert self.run(sweep(self.database, self.store, self.folder / "downloads", self.now)) == len(due)
        for file_id in due:
            self.note("a file is swept" if before[file_id].job_id else "an orphan is swept")
        if sum(len(account.keys) for account in self.market.accounts.values()) < keys_before:
            self.note("a key is swept")

    @rule(until=MOMENTS)
    def wait(self, until: str) -> None:
        open_jobs = [job for job in self.market.jobs.values() if job.status in OPEN]
        leases = [job.lease_until for job in open_jobs if job.lease_until is not None]
        first = self.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        then = {
            "a second": self.now,
            "a lease ends": min(leases, default=self.now),
            "a lease is over": min(leases, default=self.now) + SECOND,
            "the next minute": self.now + timedelta(seconds=60 - self.now.timestamp() % 60),
            "a job's time is over": min((job.deadline_at for job in open_jobs), default=self.now),
            "a day has passed": self.now + KEY_AGE,
            "files expire": self.now + FILE_AGE,
            "the next month": (first + timedelta(days=31)).replace(day=1),
        }
        self.market.now = max(then[until], self.now + SECOND)
