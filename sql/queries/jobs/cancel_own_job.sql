-- As cancel_job, for the account that enqueued it, or an administrator. No row: it is finished, or not theirs.
UPDATE jobs SET
  state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
  finished_at = CASE WHEN state = 'running' THEN NULL ELSE clock_timestamp() END,
  cancel_requested = true
WHERE job_id = $1 AND (user_id = $2 OR $3) AND state IN ('waiting', 'queued', 'running')
RETURNING state
