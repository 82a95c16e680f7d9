-- Ends an attempt that could not do its work now; it does not count. A job whose cancellation was requested is cancelled.
-- $1 job  $2 lease  $3 reason  $4 delay in milliseconds
UPDATE jobs SET
  state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'waiting' END,
  finished_at = CASE WHEN cancel_requested THEN clock_timestamp() END,
  run_at = clock_timestamp() + $4::bigint * interval '1 millisecond', attempts = attempts - 1,
  last_error = $3, worker = NULL, lease_expires_at = NULL
WHERE job_id = $1 AND lease = $2 AND lease_expires_at IS NOT NULL
