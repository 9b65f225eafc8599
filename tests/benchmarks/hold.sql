-- What one hold does to the database, as a script of pgbench; `raw_sqlite.py` runs the same statements on SQLite.
--
-- A hold is for a job, so one transaction writes the job, takes the credits and writes the entry. The statements are
-- those of `aiops.ledger`; `statements.py` counts anew on each run what it sends and says where this file has fallen
-- behind. Written so that both databases understand it; :accounts is given by the caller.

\set account random(0, :accounts - 1)
\set number random(100000000000, 999999999999)
\set cost 5

BEGIN;
INSERT INTO job (id, account_id, operation_id, request, credits, status, attempt, deadline_at, model, paid_call,
                 outputs, created_at)
VALUES ('job_000000000000' || :number, 'acc_' || :account, 'generate_image',
        '{"prompt": "A lighthouse on a cliff at sunset", "aspect_ratio": "1:1", "style": "none"}', :cost, 'queued', 0,
        '2100-01-01 00:00:00', 'black-forest-labs/FLUX.1-schnell', false, '{}', CURRENT_TIMESTAMP);
UPDATE account SET credits = credits - :cost, held = held + :cost
 WHERE id = 'acc_' || :account AND credits - :cost >= 0
RETURNING credits AS balance \gset
INSERT INTO entry (account_id, kind, amount, balance_after, job_id, period, description, created_at)
VALUES ('acc_' || :account, 'hold', 0 - :cost, :balance, 'job_000000000000' || :number, NULL, NULL, CURRENT_TIMESTAMP);
COMMIT;
