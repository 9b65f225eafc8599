"""What customers and the operator do: accounts, keys, plans, prices, and calls with and without an Idempotency-Key."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, multiple, precondition, rule
from sqlalchemy import select, update
from sqlmodel import col

from aiops.accounts import keys as api_keys
from aiops.accounts import rate_limits
from aiops.accounts.accounts import AccountError, create_account
from aiops.accounts.authentication import Caller, authenticate, create_key, revoke_key
from aiops.contract import models
from aiops.database import tables
from aiops.database.engine import Session
from aiops.errors import ApiError, ModelUnavailableError, UnauthorizedError
from aiops.jobs import presentation
from aiops.jobs.submission import Submission, submit
from aiops.ledger import ledger
from tests.jobs.machine.market import CREDITS_MAX, JOB_TIME, OPEN, RELEASED, SUCCEEDED, ApiKey, Call, Job
from tests.jobs.machine.stage import AGO, OUTPUTS, PLANS, SECOND, START, URLS, Stage
from tests.jobs.machine.workers import END, Workers

KEYS_MADE_MAX, REVOCATIONS_MAX, OPERATED_MAX = 8, 3, 8  # a run shows little in which nobody can call
KEY_LIFETIME = timedelta(minutes=1)
CUSTOMERS = {"ada@example.com": "free", "bob@example.com": "free", "cleo@example.com": "pro"}
AVAILABLE = [Call("generate_image", "a cat"), Call("generate_image", "a dog"), Call("generate_speech", "a cat")]
UNAVAILABLE = Call("generate_speech", "by a model that nobody runs")
CALLS = st.sampled_from([*AVAILABLE, *AVAILABLE, UNAVAILABLE])
OTHERS = st.sampled_from([None, None, *AVAILABLE])
KEYS = st.sampled_from([None, "k", "k", "l"])
LAG = timedelta(seconds=2.5)  # of one server's clock behind that of the other
LAGS = st.sampled_from([timedelta(), LAG])
AMOUNTS = st.sampled_from([0, 1, 4, 15, CREDITS_MAX])
WORKERS = st.integers(0, 2)  # that are idle when a call comes
LONG_AGO = st.integers(0, 30)
RUSH_PAUSE = timedelta(minutes=1)


class Customers(Workers):
    """Three customers on two plans, with a few API keys each."""

    revocations = operated = 0
    last_rush = START

    @initialize(target=Stage.keys)
    def open_accounts(self) -> Any:
        return multiple(*(self._open_account(email, plan) for email, plan in CUSTOMERS.items()))

    def _open_account(self, email: str, plan: str) -> ApiKey:
        account = self.write(create_account, PLANS, email, self.now, plan=plan)
        self.market.open_account(account.id, plan)
        return self._make_key(account.id, None)

    @precondition(lambda self: len(self.made) < KEYS_MADE_MAX)
    @rule(target=Stage.keys, of=Stage.keys, expires=st.booleans())
    def make_key(self, of: ApiKey, expires: bool) -> ApiKey:
        expires_at = self.now + KEY_LIFETIME if expires else None
        return self._make_key(of.account_id, expires_at)

    def _make_key(self, account_id: str, expires_at: datetime | None) -> ApiKey:
        secret = self.write(create_key, account_id, "a key", self.now, expires_at)
        key = ApiKey(secret, account_id, self.now, expires_at)
        self.made.append(key)
        return key

    @precondition(lambda self: self.revocations < REVOCATIONS_MAX)
    @rule(target=Stage.claims, key=Stage.keys, is_alone=st.booleans(), workers=WORKERS)
    def revoke(self, key: ApiKey, is_alone: bool, workers: int) -> Any:
        """One key, or all of its account. Its jobs are worked on nevertheless."""
        self.revocations += 1
        for one in [key] if is_alone else [one for one in self.made if one.account_id == key.account_id]:
            self._revoke(one)
        return self.claimed(workers)

    def _revoke(self, key: ApiKey) -> None:
        key_id = self.write(_id_of, key.secret)
        if key.is_revoked:
            self.note("a key is revoked twice")
            with pytest.raises(AccountError):
                self.write(revoke_key, key_id, self.now)
        else:
            self.write(revoke_key, key_id, self.now)
        key.is_revoked = True

    @precondition(lambda self: self.operated < OPERATED_MAX)
    @rule(of=Stage.keys, amount=AMOUNTS)
    def grant(self, of: ApiKey, amount: int) -> None:
        self.operated += 1
        if self.market.grant(of.account_id, amount):
            balance = self.write(ledger.grant, of.account_id, amount, self.now, description="by the operator")
            assert balance == self.market.accounts[of.account_id].credits
            return
        self.note("a grant is refused")
        with pytest.raises(ValueError):
            self.write(ledger.grant, of.account_id, amount, self.now, description="by the operator")

    @precondition(lambda self: self.operated < OPERATED_MAX)
    @rule(of=Stage.keys)
    def change_plan(self, of: ApiKey) -> None:
        """Down only while no more jobs run than the smaller plan allows: those that run are not stopped."""
        self.operated += 1
        account = self.market.accounts[of.account_id]
        plan = "free" if account.plan == "pro" else "pro"
        if self.market.count(account.id, "running") <= PLANS[plan].jobs_at_once:
            account.plan = plan
            self.write(_set_plan, account.id, plan)

    @rule(target=Stage.claims, key=Stage.keys, call=CALLS, idempotency_key=KEYS, lag=LAGS, workers=WORKERS)
    def call(self, key: ApiKey, call: Call, *, idempotency_key: str | None, lag: timedelta, workers: int) -> Any:
        self._call(key, call, idempotency_key, lag=lag)
        return self.claimed(workers)

    @rule(key=Stage.keys, call=CALLS, idempotency_key=KEYS, how=END)
    def call_and_wait(self, key: ApiKey, call: Call, *, idempotency_key: str | None, how: str) -> None:
        """A call, and a worker that takes the next job and ends it at once."""
        self._call(key, call, idempotency_key)
        claim = self.claim_one()
        if claim is not None:
            self.work(claim, how)
            self.spent.append(claim)

    @precondition(lambda self: self.now >= self.last_rush + RUSH_PAUSE)
    @rule(target=Stage.claims, key=Stage.keys, call=CALLS, workers=WORKERS)
    def rush(self, key: ApiKey, call: Call, workers: int) -> Any:
        """More calls than a minute or a queue takes, at two servers in turn."""
        self.last_rush, caller = self.now, self._authenticate(key)
        for number in range(caller.limits.requests_per_minute + 1 if caller else 0):
            self._submit(self._caller(key.account_id), call, lag=LAG * (number % 2))
        return self.claimed(workers)

    @precondition(lambda self: self.market.jobs)
    @rule(target=Stage.claims, ago=AGO, other=OTHERS, workers=WORKERS)
    def repeat(self, ago: int, other: Call | None, workers: int) -> Any:
        """The call of a job comes again, or another body under its key. Its API key may have been revoked meanwhile."""
        job = self.job(ago)
        self._submit(self._caller(job.account_id), other or job.call, job.key)
        return self.claimed(workers)

    @precondition(lambda self: any(job.key is not None for job in self.market.jobs.values()))
    @rule(ago=AGO, by=Stage.keys)
    def copy(self, ago: int, by: ApiKey) -> None:
        """Somebody, perhaps somebody else, sends the same body under the same Idempotency-Key."""
        job = self.job(ago)
        if by.is_valid(self.now) and job.key is not None and job.account_id != by.account_id:
            self.note("a key is used by two accounts")
        self._call(by, job.call, job.key)

    def _call(self, key: ApiKey, call: Call, idempotency_key: str | None, *, lag: timedelta = timedelta()) -> None:
        caller = self._authenticate(key)
        if caller is not None:
            self._submit(caller, call, idempotency_key, lag=lag)

    @precondition(lambda self: self.market.jobs)
    @rule(ago=LONG_AGO, by=st.none() | Stage.keys, is_late=st.booleans())
    def ask(self, ago: int, by: ApiKey | None, is_late: bool) -> None:
        """What the account is told of a job, and anybody else is not; perhaps only when its file has expired."""
        job = self.job(ago)
        output = self.market.output(job.id)
        if output is not None and output.expires_at is not None and is_late:
            self.market.now = output.expires_at
        caller = self._caller(job.account_id) if by is None else self._authenticate(by)
        if caller is None:
            return
        shown, ended = self.run(self._answer(caller, job.id))
        assert (shown is not None) == (job.account_id == caller.account_id)
        if shown is None:
            self.note("another's job is not shown")
            return
        numbers = (shown.credits_held, shown.credits_charged, shown.credits_refunded)
        assert numbers == tuple(job.price * (job.status in statuses) for statuses in (OPEN, SUCCEEDED, RELEASED))
        if isinstance(ended, dict):
            assert (ended["credits_charged"], ended["credits_remaining"]) == (job.price, job.balance_at_end)
            self._fetch(job, ended[OUTPUTS[job.call.operation_id][0]])
        elif ended is not None and ended.code == "generation_failed":
            assert (ended.body["credits"], ended.body["reason"]) == (job.balance_at_end, job.reason)

    async def _answer(self, caller: Caller, job_id: str) -> tuple[models.Job | None, dict[str, Any] | ApiError | None]:
        async with self.database.read() as session:
            found = await presentation.find_job(session, caller.account_id, job_id)
            if found is None:
                return None, None
            (result,) = await presentation.results(session, [found], URLS)
            ended = None if found.status in OPEN else await presentation.answer(session, found, URLS)
            return presentation.present(found, result), ended

    def _fetch(self, job: Job, link: str) -> None:
        """What was charged for can be fetched until it expires."""
        file_id, output = URLS.file_of(link, self.now), self.market.output(job.id)
        assert (file_id is not None) == (output is not None)
        if file_id is None or output is None:
            self.note("an answer whose file has expired")
            return
        path = self.store.find(file_id)
        assert path is not None
        assert path.read_bytes() == output.data

    def _authenticate(self, key: ApiKey) -> Caller | None:
        """Whose key it is, by the product and by the model."""
        authenticated = authenticate(self.database, PLANS, f"Bearer {key.secret}", self.now)
        if not key.is_valid(self.now):
            self.note(f"a call comes with {'a revoked' if key.is_revoked else 'an expired'} key")
            with pytest.raises(UnauthorizedError):
                self.run(authenticated)
            return None
        self.note("a call comes with a valid key")
        if self.market.use(key.account_id):
            self.note("a month is granted")
        caller = self.run(authenticated)
        assert caller == self._caller(key.account_id)
        return caller

    def _caller(self, account_id: str) -> Caller:
        return Caller(account_id, PLANS[self.market.accounts[account_id].plan])

    def _submit(self, caller: Caller, call: Call, key: str | None = None, *, lag: timedelta = timedelta()) -> None:
        """Submits a call, a second after the last."""
        self.market.now += SECOND
        refusal = ModelUnavailableError("a model", ["another"]) if call == UNAVAILABLE else None
        at, price, market = self.now - lag, self.prices[call.operation_id], self.market
        account = market.accounts[caller.account_id]
        self._note_key(caller.account_id, call, key, at)
        was_full = account.calls >= caller.limits.requests_per_minute
        verdict = market.judge(account.id, call, key, price=price, at=at, refusal=refusal.code if refusal else None)
        deadline_at = at + JOB_TIME
        submission = Submission(
            caller, call.operation_id, call.body, None, price, deadline_at, idempotency_key=key, refusal=refusal
        )
        outcome = self.run(submit(self.database, submission, at))
        assert outcome.replayed == (verdict in market.jobs)
        if verdict in market.jobs:
            assert (outcome.job_id, outcome.quota.policy) == (verdict, rate_limits.OTHER)
            return
        assert outcome.quota.remaining == market.calls_left(account.id, at)
        if verdict != "new":
            self._check_refusal(outcome.error, verdict, account.credits, price)
            return
        assert outcome.error is None
        assert outcome.job_id is not None
        self.note("a call is accepted")
        if was_full:
            self.note("a call is taken in the next minute")
        market.accept(Job(outcome.job_id, account.id, call, key, price, at, deadline_at))

    def _check_refusal(self, error: ApiError | None, code: str, credits_left: int, cost: int) -> None:
        assert error is not None
        assert error.code == code
        if code == "insufficient_credits":
            assert (error.body["credits"], error.body["cost"]) == (credits_left, cost)
        if code != "idempotency_key_reused":
            self.note(f"a call is refused: {code}")

    def _note_key(self, account_id: str, call: Call, key: str | None, at: datetime) -> None:
        account, earlier = self.market.accounts[account_id], self.market.stands_for(account_id, key, at)
        if earlier is not None and earlier.call == call:
            joined = "is answered by" if earlier.status == "succeeded" else "joins"
            self.note(f"a call {joined} a {earlier.status} job")
        elif earlier is not None:
            is_full = self.market.calls_left(account_id, at) == 0
            self.note(f"a key is refused {'and the window is full' if is_full else 'for another body'}")
        elif key in account.keys:
            status = self.market.jobs[account.keys[key][0]].status
            self.note(f"a key is free after a {'day' if status not in RELEASED else f'{status} job'}")


async def _id_of(session: Session, secret: str) -> str:
    of_key = col(tables.ApiKey.digest) == api_keys.digest(secret)
    return (await session.execute(select(col(tables.ApiKey.id)).where(of_key))).scalar_one()


async def _set_plan(session: Session, account_id: str, plan: str) -> None:
    await session.execute(update(tables.Account).where(col(tables.Account.id) == account_id).values(plan=plan))
