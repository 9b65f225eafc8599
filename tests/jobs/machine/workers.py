"""What workers do with jobs: under a live claim, under one they have lost, and by vanishing."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import consumes, multiple, precondition, rule

from aiops.database import tables
from aiops.jobs import queue
from aiops.jobs.queue import Failure, Success
from tests.jobs.machine.market import FILE_AGE, LEASE
from tests.jobs.machine.stage import AGO, OUTPUTS, PLANS, URLS, Stage

PROGRESS = st.sampled_from(["note who is paid", "note the request", "renew", "note who is not paid"])
PAYMENT = ("note who is paid", "note the request")
BEGINNINGS = st.sampled_from([(), PAYMENT[:1], PAYMENT])
END = st.sampled_from(["succeed", "succeed", "succeed", "fail", "reject", "hand back"])
PRICE = st.none() | st.integers(1, 6)


class Workers(Stage):
    """Any number of workers. A claim that was settled or lost stays with its worker, who may come late with it."""

    @precondition(lambda self: any(job.status == "queued" for job in self.market.jobs.values()))
    @rule(target=Stage.claims, workers=st.integers(1, 3))
    def claim(self, workers: int) -> Any:
        return self.claimed(workers)

    def claimed(self, workers: int) -> Any:
        """What so many idle workers take."""
        claims = [self.claim_one() for _ in range(workers)]
        return multiple(*(claim for claim in claims if claim is not None))

    def claim_one(self) -> tables.Job | None:
        expected = self.market.next_job()
        waiting = [job for job in self.market.jobs.values() if job.status == "queued"]
        claim = self.run(queue.claim(self.database, PLANS, "worker", LEASE.total_seconds(), self.now))
        assert (claim.job.id if claim else None) == (expected.id if expected else None), "the oldest that may run"
        if claim is None or expected is None:
            if waiting:
                self.note("nothing can be claimed: the plan's jobs are running")
            return None
        if any(job.created_at < expected.created_at for job in waiting):
            self.note("a job is claimed before one that was accepted earlier and must wait")
        if waiting != sorted(waiting, key=lambda job: job.created_at):
            self.note("a job is claimed where another server's clock is behind")
        self.market.claim(expected)
        self.note("a job is claimed" if expected.request_id is None else "a paid call is taken up")
        assert claim.job.provider_request_id == expected.request_id
        assert claim.limits == PLANS[self.market.accounts[expected.account_id].plan]
        return claim.job

    @rule(claim=consumes(Stage.claims), how=END, price=PRICE)
    def end(self, claim: tables.Job, how: str, price: int | None) -> None:
        """The price of the service may have changed since the job was accepted."""
        self.prices[claim.operation_id] = price or self.prices[claim.operation_id]
        self.work(claim, how)
        self.spent.append(claim)

    @rule(claim=Stage.claims, works=st.tuples(PROGRESS) | st.just(PAYMENT))
    def go_on(self, claim: tables.Job, works: tuple[str, ...]) -> None:
        for work in works:
            self.work(claim, work)

    @rule(claim=consumes(Stage.claims), has_stored=st.booleans())
    def crash(self, claim: tables.Job, has_stored: bool) -> None:
        """The worker vanishes, perhaps when its output was stored and its job not yet captured."""
        if has_stored:
            self.note("a worker stores its output and vanishes")
            self._store(claim)

    @precondition(lambda self: self.spent)
    @rule(ago=AGO, work=PROGRESS | END)
    def come_late(self, ago: int, work: str) -> None:
        """A worker goes on although its job has ended or is another's: nothing may come of it."""
        self.work(self.spent[-1 - ago % len(self.spent)], work)

    def work(self, claim: tables.Job, work: str) -> None:
        """What a worker does under a claim, whether the job is still its own or not."""
        job, is_ours = self.market.jobs[claim.id], self.market.is_ours(claim.id, claim.attempt)
        if not is_ours:
            self.note(f"a late worker: {work}")
            if job.status == "running":
                self.note("a late worker meets the next one at work")
        elif job.lease_until is not None and job.lease_until < self.now:
            self.note("a worker with a lapsed lease is in time for the reaper")
        acts: dict[str, Callable[[tables.Job, bool], None]] = {
            "renew": self._renew,
            "note who is not paid": self._note_unpaid,
            "note who is paid": self._note_paid,
            "note the request": self._note_request,
            "succeed": self._succeed,
            "fail": partial(self._fail, "failed"),
            "reject": partial(self._fail, "unprocessable"),
            "hand back": self._hand_back,
        }
        acts[work](claim, is_ours)

    def _renew(self, claim: tables.Job, is_ours: bool) -> None:
        assert self.run(queue.renew(self.database, claim, LEASE.total_seconds(), self.now)) == is_ours
        if is_ours:
            self.market.renew(claim.id)

    def _note_unpaid(self, claim: tables.Job, is_ours: bool) -> None:
        assert self.run(queue.note_provider(self.database, claim, "stub", paid=False)) == is_ours
        if is_ours:
            self.market.ask_provider(claim.id, is_paid=False)

    def _note_paid(self, claim: tables.Job, is_ours: bool) -> None:
        assert self.run(queue.note_provider(self.database, claim, "fal", paid=True)) == is_ours
        if is_ours:
            self.market.ask_provider(claim.id, is_paid=True)

    def _note_request(self, claim: tables.Job, is_ours: bool) -> None:
        request_id = f"fal-{claim.attempt}"
        assert self.run(queue.note_request_id(self.database, claim, request_id)) == is_ours
        if is_ours:
            self.market.jobs[claim.id].request_id = request_id

    def _hand_back(self, claim: tables.Job, is_ours: bool) -> None:
        self.run(queue.hand_back(self.database, claim, self.now))
        if is_ours:
            self.market.pass_on(claim.id)
            self.note("a job is handed back")

    def _store(self, claim: tables.Job) -> tables.File:
        """Stores an output as a worker does, on the machine's clock."""
        field, content_type = OUTPUTS[claim.operation_id]
        data = f"{field} of {claim.id}, made in attempt {claim.attempt}".encode()
        stored = self.run(self.store.put(data, content_type))
        path = self.store.find(stored.id)
        assert path is not None
        os.utime(path, (self.now.timestamp(),) * 2)
        self.market.store(stored.id, data)
        return tables.File(
            id=stored.id,
            account_id=claim.account_id,
            job_id=claim.id,
            name=stored.id,
            content_type=stored.content_type,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            created_at=self.now,
            expires_at=self.now + FILE_AGE,
        )

    def _succeed(self, claim: tables.Job, is_ours: bool) -> None:
        file, field = self._store(claim), OUTPUTS[claim.operation_id][0]
        file_id, link = file.id, URLS.sign(file.id, file.expires_at)
        success = Success({field: link, "success": True}, "engine", "stub", {field: file_id}, [file])
        assert self.run(queue.succeed(self.database, claim, success, self.now)) == is_ours
        if is_ours:
            self.market.succeed(claim.id, file_id)
            self.note("a job succeeds")
            self._note_settled(claim.id)
        else:  # as its worker does
            self.run(self.store.delete(file_id))
            del self.market.contents[file_id]

    def _fail(self, kind: str, claim: tables.Job, is_ours: bool) -> None:
        assert self.run(queue.fail(self.database, claim, Failure(kind, "It is down."), self.now)) == is_ours
        if is_ours:
            self.market.fail(claim.id, kind, "It is down.")
            self.note(f"a job fails: {kind}")
            self._note_settled(claim.id)

    def _note_settled(self, job_id: str) -> None:
        job = self.market.jobs[job_id]
        of_then = (key for key in self.made if key.account_id == job.account_id and key.made_at <= job.created_at)
        if all(key.is_revoked for key in of_then):
            self.note("a job is settled whose API key was revoked")
        if job.price != self.prices[job.call.operation_id]:
            self.note("a job is settled at its old price")
