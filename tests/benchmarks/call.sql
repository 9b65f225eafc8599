-- What one call of generate_image does to PostgreSQL, as a script of pgbench.
--
-- Taken from PostgreSQL's own log (log_statement = all) of `aiops serve` under 32 connections: the same transactions in
-- the same order, with the same statements, columns and indexes; ids and values of the same form and length. Left out
-- is what the call itself does not need: the connection pool's pings, and what the background loops ask every so often.
-- `statements.py` counts anew on each run what the service sends and says where this file has fallen behind.
--
-- :accounts is given by the caller. A connection may claim the job of another one, as a worker does; some jobs are
-- always queued, so that each claim finds one.

\set account :client_id % :accounts
\set number random(100000000000, 999999999999)
\set cost 5

-- authenticate
BEGIN;
SELECT api_key.id, api_key.account_id, api_key.name, api_key.digest, api_key.prefix, api_key.last_four,
       api_key.sealed, api_key.created_at, api_key.expires_at, api_key.revoked_at, api_key.last_used_at,
       account.id AS id_1, account.email, account.plan, account.is_administrator, account.credits, account.held,
       account.granted_period, account.password, account.is_confirmed, account.created_at AS created_at_1
  FROM api_key JOIN account ON account.id = api_key.account_id
 WHERE api_key.digest = 'digest_of_acc_' || :account AND api_key.revoked_at IS NULL;
ROLLBACK;

-- submit: lock the account, count, queue, hold
BEGIN;
SELECT account.id, account.email, account.plan, account.is_administrator, account.credits, account.held,
       account.granted_period, account.password, account.is_confirmed, account.created_at
  FROM account WHERE account.id = 'acc_' || :account FOR NO KEY UPDATE;
SELECT count(*) AS count_1, max(job.turn) AS max_1,
       (SELECT max(job.turn) AS max_2 FROM job
         WHERE job.status = 'running' AND job.status IN ('queued', 'running')) AS anon_1,
       (SELECT min(job.turn) AS min_1 FROM job
         WHERE job.status = 'queued' AND job.status IN ('queued', 'running')) AS anon_2
  FROM job WHERE job.account_id = 'acc_' || :account AND job.status = 'queued';
INSERT INTO rate_window (subject, policy, "window", calls)
VALUES ('acc_' || :account, 'services', extract(epoch FROM now())::integer / 60, 1)
    ON CONFLICT (subject, policy) DO UPDATE
   SET "window" = CASE WHEN excluded."window" > rate_window."window" THEN excluded."window"
                       ELSE rate_window."window" END,
       calls = CASE WHEN excluded."window" > rate_window."window" THEN 1 ELSE rate_window.calls + 1 END
 WHERE excluded."window" > rate_window."window" OR rate_window.calls < 1000000
RETURNING rate_window.calls, rate_window."window";
INSERT INTO job (id, account_id, operation_id, request, credits, status, turn, attempt, worker, lease_until, deadline_at,
                 model, provider, paid_call, provider_request_id, progress, result, outputs, failure, reason,
                 request_id, created_at, started_at, finished_at)
VALUES ('job_000000000000' || :number, 'acc_' || :account, 'generate_image',
        '{"prompt": "A lighthouse on a cliff at sunset", "aspect_ratio": "1:1", "style": "none", "model": "black-forest-labs/FLUX.1-schnell"}',
        :cost, 'queued', 0, 0, NULL, NULL, now() + interval '1 day', 'black-forest-labs/FLUX.1-schnell', NULL, false, NULL,
        NULL, NULL, '{}', NULL, NULL, 'req_0000' || :number, now(), NULL, NULL);
UPDATE account SET credits = account.credits - :cost, held = account.held + :cost
 WHERE account.id = 'acc_' || :account AND account.credits - :cost >= 0
RETURNING account.credits AS balance \gset
INSERT INTO entry (account_id, kind, amount, balance_after, job_id, period, description, created_at)
VALUES ('acc_' || :account, 'hold', 0 - :cost, :balance, 'job_000000000000' || :number, NULL, NULL, now());
COMMIT;

-- claim
BEGIN;
SELECT job.id, job.account_id, job.operation_id, job.request, job.credits, job.status, job.turn, job.attempt, job.worker,
       job.lease_until, job.deadline_at, job.model, job.provider, job.paid_call, job.provider_request_id, job.progress,
       job.result, job.outputs, job.failure, job.reason, job.request_id, job.created_at, job.started_at, job.finished_at
  FROM job
 WHERE job.status = 'queued' AND job.status IN ('queued', 'running')
   AND job.account_id NOT IN (SELECT job.account_id FROM job JOIN account ON account.id = job.account_id
                               WHERE job.status = 'running' AND job.status IN ('queued', 'running')
                               GROUP BY job.account_id, account.plan
                              HAVING count(*) >= CASE account.plan WHEN 'free' THEN 10000 ELSE 10000 END)
 ORDER BY job.turn, job.created_at, job.id LIMIT 1 FOR NO KEY UPDATE OF job SKIP LOCKED \gset claimed_
SELECT account.id, account.email, account.plan, account.is_administrator, account.credits, account.held,
       account.granted_period, account.password, account.is_confirmed, account.created_at
  FROM account WHERE account.id = :claimed_account_id FOR NO KEY UPDATE;
SELECT count(*) AS count_1 FROM job WHERE job.account_id = :claimed_account_id AND job.status = 'running';
UPDATE job SET status = 'running', attempt = :claimed_attempt + 1, worker = 'machine:12345:0a1b2c',
       lease_until = now() + interval '30 seconds', started_at = now()
 WHERE job.id = :claimed_id;
COMMIT;

-- succeed: settle the job, capture, own the file
BEGIN;
UPDATE job SET status = 'succeeded', lease_until = NULL, model = 'stub-image', provider = 'stub', progress = 1.0,
       result = '{"image_url": "http://127.0.0.1:8000/files/uwPSVQP8YN5jtWwY_WyF0g.png?expires=1795602863&signature=tuuZcntsLCQvHLx5X117eoGhjAksCoLiupXBmoLXQ8s", "success": true}',
       outputs = '{"image_url": "uwPSVQP8YN5jtWwY_WyF0g.png"}', finished_at = now()
 WHERE job.id = :claimed_id AND job.status = 'running' AND job.attempt = :claimed_attempt + 1;
UPDATE account SET credits = account.credits + 0, held = account.held - :claimed_credits
 WHERE account.id = :claimed_account_id AND account.credits + 0 >= 0
RETURNING account.credits AS balance \gset
INSERT INTO entry (account_id, kind, amount, balance_after, job_id, period, description, created_at)
VALUES (:claimed_account_id, 'capture', 0, :balance, :claimed_id, NULL, NULL, now());
SELECT webhook.url, webhook.id, webhook.events FROM webhook
 WHERE webhook.account_id = :claimed_account_id AND webhook.disabled_at IS NULL
 UNION ALL
SELECT callback.url, NULL AS anon_1, NULL AS anon_2 FROM callback WHERE callback.job_id = :claimed_id;
INSERT INTO file (id, account_id, job_id, name, content_type, size_bytes, sha256, created_at, expires_at)
VALUES ('file_00000' || :number || '.png', :claimed_account_id, :claimed_id, 'generate_image-e2ea6b.png', 'image/png',
        77, 'f42b225d76ff9ceefe86fd315ff10eeda188059cf1f05246d4682e46abed8112', now(), now() + interval '3 days');
COMMIT;

-- tell the other processes that it has ended
SELECT pg_notify(channel, word) FROM unnest(ARRAY['aiops_job_ended'], ARRAY['job_000000000000' || :number])
    AS said (channel, word);

-- read the answer
BEGIN;
SELECT job.id, job.account_id, job.operation_id, job.request, job.credits, job.status, job.turn, job.attempt, job.worker,
       job.lease_until, job.deadline_at, job.model, job.provider, job.paid_call, job.provider_request_id, job.progress,
       job.result, job.outputs, job.failure, job.reason, job.request_id, job.created_at, job.started_at, job.finished_at
  FROM job WHERE job.id = :claimed_id AND job.account_id = :claimed_account_id;
SELECT entry.balance_after FROM entry
 WHERE entry.job_id = :claimed_id AND entry.kind IN ('capture', 'release');
SELECT file.id, file.expires_at FROM file WHERE file.id IN ('file_00000' || :number || '.png');
ROLLBACK;
