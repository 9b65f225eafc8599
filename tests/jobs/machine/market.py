"""What must be, as plain data: accounts, jobs and files, and what each act does to them.

It knows no database, and it is written from the promises of the README and the contract, not from the code.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from aiops.accounts.plans import Plans

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
OPEN = ("queued", "running")
SUCCEEDED = ("succeeded",)
RELEASED = ("failed", "cancelled")
CREDITS_MAX = 1_000_000_000
ATTEMPTS_MAX = 3
KEY_AGE = ORPHAN_AGE = timedelta(hours=24)
FILE_AGE = timedelta(hours=72)
JOB_TIME = timedelta(seconds=240)
LEASE = timedelta(seconds=30)
REAPER_PERIOD = timedelta(seconds=5)
WINDOW_SECONDS = 60

TOO_LATE = "The job did not finish in time."
CANCELLED = "The job was cancelled."
PAID_IN_VAIN = "The server stopped during a call to the provider that cannot safely be repeated."
GIVEN_UP = "The server stopped during the work 3 times."


@dataclass(frozen=True)
class Call:
    """A valid body for a service."""

    operation_id: str
    text: str

    @property
    def body(self) -> dict[str, str]:
        return {"prompt": self.text}


@dataclass(frozen=True)
class Move:
    """A line of the ledger."""

    kind: str
    amount: int
    balance_after: int
    job_id: str | None = None


@dataclass
class ApiKey:
    secret: str
    account_id: str
    made_at: datetime
    expires_at: datetime | None = None
    is_revoked: bool = False

    def is_valid(self, now: datetime) -> bool:
        return not self.is_revoked and (self.expires_at is None or self.expires_at > now)


@dataclass
class Job:
    id: str
    account_id: str
    call: Call
    key: str | None
    price: int
    created_at: datetime
    deadline_at: datetime
    status: Status = "queued"
    turn: int = 0
    attempt: int = 0
    lease_until: datetime | None = None
    is_paid: bool = False
    request_id: str | None = None
    failure: str | None = None
    reason: str = ""
    balance_at_end: int | None = None


@dataclass
class Account:
    id: str
    plan: str
    month: str
    credits: int = 0
    held: int = 0
    moves: list[Move] = field(default_factory=list)
    window: int = 0
    calls: int = 0
    keys: dict[str, tuple[str, datetime]] = field(default_factory=dict)  # which job each stands for, and since when


@dataclass
class Content:
    """What lies in the folder. It has an owner and an end once its job is captured."""

    data: bytes
    written_at: datetime
    job_id: str | None = None
    expires_at: datetime | None = None


@dataclass
class Market:
    plans: Plans
    now: datetime
    accounts: dict[str, Account] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)

    # Customers

    def open_account(self, account_id: str, plan: str) -> None:
        self.accounts[account_id] = account = Account(account_id, plan, f"{self.now:%Y-%m}")
        self._move(account, "grant", self.plans[plan].monthly_credits)

    def use(self, account_id: str) -> bool:
        """A call with a valid key; whether it was the first of a month."""
        account, month = self.accounts[account_id], f"{self.now:%Y-%m}"
        if account.month >= month:
            return False
        account.month = month
        monthly = min(self.plans[account.plan].monthly_credits, CREDITS_MAX - account.credits)
        if monthly:
            self._move(account, "grant", monthly)
        return True

    def grant(self, account_id: str, amount: int) -> bool:
        account = self.accounts[account_id]
        if amount <= 0 or account.credits + amount > CREDITS_MAX:
            return False
        self._move(account, "grant", amount)
        return True

    def judge(
        self, account_id: str, call: Call, key: str | None, *, price: int, at: datetime, refusal: str | None
    ) -> str:
        """The job that a call joins, "new", or the code of its refusal. Counts the call where it is to be counted."""
        account, limits = self.accounts[account_id], self.plans[self.accounts[account_id].plan]
        earlier = self.stands_for(account_id, key, at)
        if earlier is not None and earlier.call == call:
            return earlier.id
        if self.count(account_id, "queued") >= limits.jobs_queued:
            return "queue_full"
        if self.calls_left(account_id, at) == 0:
            return "rate_limit_exceeded"
        self._count_call(account, at)
        if earlier is not None:
            return "idempotency_key_reused"
        if refusal is not None:
            return refusal
        return "new" if account.credits >= price else "insufficient_credits"

    def accept(self, job: Job) -> None:
        account = self.accounts[job.account_id]
        job.turn = self._next_turn(job.account_id)
        self.jobs[job.id] = job
        self._move(account, "hold", -job.price, job)
        if job.key is not None:
            account.keys[job.key] = (job.id, job.created_at)

    def _next_turn(self, account_id: str) -> int:
        """After the account's own that wait; else level with what was claimed last, as far as what is open tells that,
        or after the account's last job where that stood there, or one further, already."""
        turns = {status: [job.turn for job in self.jobs.values() if job.status == status] for status in OPEN}
        level = max(max(turns["running"], default=0), min(turns["queued"], default=1) - 1)
        mine = [job for job in self.jobs.values() if job.account_id == account_id]
        last = sorted(mine, key=lambda job: (job.created_at, job.id))[-1:]
        has_had = [job.turn + 1 for job in last if job.turn in (level, level + 1)]
        waiting = [job.turn + 1 for job in mine if job.status == "queued"]
        return max([*(has_had or [level]), *waiting])

    def stands_for(self, account_id: str, key: str | None, at: datetime) -> Job | None:
        """The job whose answer a call under this key gets, or is refused for."""
        job_id, since = self.accounts[account_id].keys.get(key or "", (None, at))
        if job_id is None or since <= at - KEY_AGE or self.jobs[job_id].status in RELEASED:
            return None
        return self.jobs[job_id]

    def calls_left(self, account_id: str, at: datetime) -> int:
        account = self.accounts[account_id]
        made = account.calls if account.window >= _window(at) else 0
        return max(self.plans[account.plan].requests_per_minute - made, 0)

    def count(self, account_id: str, status: Status) -> int:
        return sum(job.status == status for job in self.jobs.values() if job.account_id == account_id)

    def output(self, job_id: str) -> Content | None:
        """What can be fetched of a job."""
        mine = (one for one in self.contents.values() if one.job_id == job_id)
        return next((one for one in mine if one.expires_at is not None and one.expires_at > self.now), None)

    def cancel(self, account_id: str, job_id: str) -> bool:
        job = self.jobs[job_id]
        if job.account_id != account_id or job.status not in OPEN:
            return False
        self._end(job, "cancelled", CANCELLED)
        return True

    # Workers

    def next_job(self) -> Job | None:
        """The queued job whose turn it is, of those whose account may run one more."""
        waiting = [job for job in self.jobs.values() if job.status == "queued" and self._may_run(job.account_id)]
        return min(waiting, key=lambda job: (job.turn, job.created_at, job.id), default=None)

    def claim(self, job: Job) -> None:
        job.status, job.lease_until = "running", self.now + LEASE
        job.attempt += 1

    def is_ours(self, job_id: str, attempt: int) -> bool:
        job = self.jobs[job_id]
        return job.status == "running" and job.attempt == attempt

    def renew(self, job_id: str) -> None:
        self.jobs[job_id].lease_until = self.now + LEASE

    def ask_provider(self, job_id: str, *, is_paid: bool) -> None:
        self.jobs[job_id].is_paid, self.jobs[job_id].request_id = is_paid, None

    def store(self, file_id: str, data: bytes) -> None:
        self.contents[file_id] = Content(data, self.now)

    def succeed(self, job_id: str, file_id: str) -> None:
        content = self.contents[file_id]
        content.job_id, content.expires_at = job_id, self.now + FILE_AGE
        self._end(self.jobs[job_id], "succeeded", "")

    def fail(self, job_id: str, kind: str, reason: str) -> None:
        self._end(self.jobs[job_id], "failed", reason, kind)

    def pass_on(self, job_id: str) -> bool:
        """The job is no longer worked on: it is queued again, or it ends. Whether it ended."""
        job = self.jobs[job_id]
        if job.deadline_at <= self.now:
            self._end(job, "failed", TOO_LATE, "failed")
        elif job.is_paid and job.request_id is None:
            self._end(job, "failed", PAID_IN_VAIN, "failed")
        elif job.attempt >= ATTEMPTS_MAX:
            self._end(job, "failed", GIVEN_UP, "failed")
        else:
            job.status, job.lease_until = "queued", None
        return job.status == "failed"

    # Time

    def expire(self, job_id: str) -> bool:
        job = self.jobs[job_id]
        if job.status not in OPEN or job.deadline_at > self.now:
            return False
        self._end(job, "failed", TOO_LATE, "failed")
        return True

    def lapsed(self) -> list[Job]:
        """What a reaper has to see to: silent workers, and jobs that have waited too long to be begun."""
        return [
            job
            for job in self.jobs.values()
            if (job.status == "running" and job.lease_until is not None and job.lease_until < self.now)
            or (job.status == "queued" and job.deadline_at <= self.now)
        ]

    def reap(self, order: list[str]) -> set[str]:
        """The jobs that end by it. In which order they do is not promised, so it is taken from what happened."""
        ranks = {job_id: rank for rank, job_id in enumerate(order)}
        lapsed = sorted(self.lapsed(), key=lambda job: ranks.get(job.id, len(order)))
        return {job.id for job in lapsed if self.pass_on(job.id)}

    def sweep(self) -> set[str]:
        """The files that are gone by it. Keys are forgotten, too."""
        due = {file_id for file_id, content in self.contents.items() if self._is_due(content)}
        for file_id in due:
            del self.contents[file_id]
        for account in self.accounts.values():
            account.keys = {key: of for key, of in account.keys.items() if of[1] > self.now - KEY_AGE}
        return due

    def overdue(self) -> list[Job]:
        """The open jobs whose lease or time has been over for longer than a reaper leaves them alone."""
        before = self.now - REAPER_PERIOD
        return [
            job
            for job in self.jobs.values()
            if (job.status == "running" and job.lease_until is not None and job.lease_until < before)
            or (job.status in OPEN and job.deadline_at < before)
        ]

    def _is_due(self, content: Content) -> bool:
        if content.expires_at is not None:
            return content.expires_at <= self.now
        return content.written_at < self.now - ORPHAN_AGE

    def _may_run(self, account_id: str) -> bool:
        return self.count(account_id, "running") < self.plans[self.accounts[account_id].plan].jobs_at_once

    def _count_call(self, account: Account, at: datetime) -> None:
        if _window(at) > account.window:
            account.window, account.calls = _window(at), 0
        account.calls += 1

    def _end(self, job: Job, status: Status, reason: str, failure: str | None = None) -> None:
        account = self.accounts[job.account_id]
        if status == "succeeded":
            self._move(account, "capture", 0, job)
        else:
            self._move(account, "release", job.price, job)
        job.status, job.reason, job.failure, job.lease_until = status, reason, failure, None
        job.balance_at_end = account.credits

    def _move(self, account: Account, kind: str, amount: int, job: Job | None = None) -> None:
        account.credits += amount
        if job is not None:
            account.held += job.price if kind == "hold" else -job.price
        account.moves.append(Move(kind, amount, account.credits, job.id if job else None))


def _window(at: datetime) -> int:
    return int(at.timestamp()) // WINDOW_SECONDS
