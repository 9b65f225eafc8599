"""`aiops ledger verify`: computes every balance anew and says what is off. Reads only, in one transaction."""

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlmodel import col

from aiops.database.engine import Database, Session
from aiops.database.tables import OPEN_STATUSES, File, Job
from aiops.storage.files import FileStore

FINDINGS_MAX = 100
FILE_AGE_MIN = timedelta(hours=24)  # no setting lets a file be deleted sooner

# Each query finds what must not be; its columns fill the sentence.
RULES: tuple[tuple[str, str], ...] = (
    (
        """SELECT a.id, a.credits, coalesce(sum(e.amount), 0) FROM account a LEFT JOIN entry e ON e.account_id = a.id
           GROUP BY a.id, a.credits HAVING a.credits <> coalesce(sum(e.amount), 0)""",
        "account {}: credits are {}, its entries sum to {}",
    ),
    (
        """SELECT a.id, a.held, coalesce(sum(j.credits), 0) FROM account a
           LEFT JOIN job j ON j.account_id = a.id AND j.status IN ('queued', 'running')
           GROUP BY a.id, a.held HAVING a.held <> coalesce(sum(j.credits), 0)""",
        "account {}: {} are held, its open jobs sum to {}",
    ),
    (
        "SELECT id, credits, held FROM account WHERE credits < 0 OR held < 0",
        "account {}: below zero ({} credits, {} held)",
    ),
    (
        """SELECT e.id, e.balance_after, e.computed FROM
           (SELECT id, balance_after, sum(amount) OVER (PARTITION BY account_id ORDER BY id) AS computed FROM entry) e
           WHERE e.balance_after <> e.computed""",
        "entry {}: balance_after is {}, the entries up to it sum to {}",
    ),
    (
        """SELECT j.id, count(e.id) FROM job j LEFT JOIN entry e ON e.job_id = j.id AND e.kind = 'hold'
           AND e.amount = -j.credits AND e.account_id = j.account_id GROUP BY j.id HAVING count(e.id) <> 1""",
        "job {}: has {} holds of its price, not one",
    ),
    (
        """SELECT j.id, j.status, coalesce(min(e.kind), 'nothing') FROM job j
           LEFT JOIN entry e ON e.job_id = j.id AND e.kind IN ('capture', 'release') GROUP BY j.id, j.status
           HAVING count(e.id) <> CASE WHEN j.status IN ('queued', 'running') THEN 0 ELSE 1 END
           OR (j.status = 'succeeded' AND min(e.kind) = 'release')
           OR (j.status IN ('failed', 'cancelled') AND min(e.kind) = 'capture')""",
        "job {}: is {}, but its hold was settled by {}",
    ),
    (
        """SELECT e.id, e.kind, e.amount, j.credits FROM entry e JOIN job j ON j.id = e.job_id
           WHERE e.amount <> CASE e.kind WHEN 'hold' THEN -j.credits WHEN 'release' THEN j.credits ELSE 0 END""",
        "entry {}: a {} of {}, the job's price is {}",
    ),
    (
        """SELECT p.id, count(e.id) FROM payment p LEFT JOIN entry e ON e.payment_id = p.id
           AND e.kind = CASE p.kind WHEN 'pack' THEN 'purchase' ELSE 'grant' END
           AND e.amount = p.credits AND e.account_id = p.account_id GROUP BY p.id HAVING count(e.id) <> 1""",
        "payment {}: its credits were given by {} entries, not one",
    ),
    (
        """SELECT p.id, p.taken, -coalesce(sum(e.amount), 0) FROM payment p
           LEFT JOIN entry e ON e.payment_id = p.id AND e.kind = 'adjustment' AND e.account_id = p.account_id
           GROUP BY p.id, p.taken HAVING p.taken <> -coalesce(sum(e.amount), 0)""",
        "payment {}: {} credits are taken back, its entries sum to {}",
    ),
    (
        """SELECT id, taken, reversed, credits FROM payment WHERE taken < 0 OR taken > reversed OR reversed > credits
           OR (amount_refunded >= amount AND amount > 0 AND reversed <> credits)
           OR (amount_refunded = 0 AND reversed <> 0)""",
        "payment {}: {} taken and {} reversed of {} credits do not fit the money that went back",
    ),
    (
        """SELECT id, kind, payment_id FROM entry WHERE payment_id IS NOT NULL
           AND (job_id IS NOT NULL OR kind NOT IN ('purchase', 'grant', 'adjustment'))""",
        "entry {}: a {} for the payment {} that cannot be",
    ),
    (
        """SELECT e.id, e.kind, e.amount FROM entry e
           WHERE (e.kind IN ('grant', 'purchase') AND e.amount < 0)
           OR e.kind NOT IN ('grant', 'purchase', 'adjustment', 'hold', 'capture', 'release')""",
        "entry {}: a {} of {} credits",
    ),
)


async def verify(database: Database, now: datetime, grace_seconds: float, *, unlimited: bool = False) -> list[str]:
    """What is off, a sentence each; empty where all is well. A hold may outlive its lease by `grace_seconds`.

    On PostgreSQL a statement is stopped after a minute unless it is `unlimited`, which a large ledger needs.
    """
    findings: list[str] = []
    async with database.read(unlimited=unlimited) as session:
        for query, sentence in RULES:
            rows = (await session.execute(text(query))).fetchmany(FINDINGS_MAX)
            findings += [sentence.format(*row) for row in rows]
        findings += await _overdue(session, now - timedelta(seconds=grace_seconds))
    return findings


async def _overdue(session: Session, before: datetime) -> list[str]:
    lease_over = (col(Job.status) == "running") & (col(Job.lease_until) < before)
    time_over = col(Job.status).in_(OPEN_STATUSES) & (col(Job.deadline_at) < before)
    rows = await session.execute(select(col(Job.id), col(Job.status)).where(lease_over | time_over).limit(FINDINGS_MAX))
    return [f"job {id_}: still {status}, although its lease or its time ran out" for id_, status in rows]


async def missing_files(database: Database, store: FileStore, now: datetime) -> list[str]:
    """Files that were charged for or uploaded, have not expired, and are not there or not whole."""
    async with database.read(unlimited=True) as session:
        succeeded = await session.execute(
            select(col(Job.id), col(Job.outputs)).where(
                col(Job.status) == "succeeded", col(Job.finished_at) > now - FILE_AGE_MIN
            )
        )
        outputs = {file_id: job_id for job_id, files in succeeded for file_id in files.values()}
        rows = await session.execute(
            select(col(File.id), col(File.job_id), col(File.size_bytes)).where(col(File.expires_at) > now)
        )
        files = rows.all()
    unrecorded = outputs.keys() - {file_id for file_id, _, _ in files}
    findings = [f"job {outputs[file_id]}: its file {file_id} is not recorded" for file_id in sorted(unrecorded)]
    sizes = {one.file_id: one.size_bytes async for some in store.objects() for one in some}
    for file_id, job_id, size_bytes in files:
        if sizes.get(file_id) != size_bytes:
            owner = "an upload" if job_id is None else f"job {job_id}"
            findings.append(f"{owner}: its file {file_id} is missing or not whole")
    return findings
