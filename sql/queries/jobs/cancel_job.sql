-- Cancels a job at once if it is not running; a running body stops at its next Progress call. $1 job
UPDATE jobs SET
  state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
  finished_at = CASE WHEN state = 'running' THEN NULL ELSE clock_timestamp() END,
  cancel_requested = true
WHERE job_id = $1 AND state IN ('waiting', 'queued', 'running')
RETURNING state
