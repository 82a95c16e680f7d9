-- Fails an attempt: the job is retried later, dead after the last attempt, or cancelled if that was
-- requested.
-- $1 job  $2 lease  $3 error  $4 delay in milliseconds
UPDATE jobs SET
  state = CASE WHEN cancel_requested THEN 'cancelled' WHEN attempts >= max_attempts THEN 'dead' ELSE 'waiting' END,
  finished_at = CASE WHEN cancel_requested OR attempts >= max_attempts THEN clock_timestamp() END,
  run_at = clock_timestamp() + $4::bigint * interval '1 millisecond',
  last_error = $3, worker = NULL, lease_expires_at = NULL
WHERE job_id = $1 AND lease = $2 AND lease_expires_at IS NOT NULL
RETURNING state
