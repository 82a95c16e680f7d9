-- Gives back jobs that were interrupted through no fault of their own: the attempt does not count. A job
-- whose cancellation was requested is cancelled.
-- $1 jobs  $2 their leases
WITH held AS MATERIALIZED (
  SELECT j.job_id FROM unnest($1::bigint[], $2::bigint[]) AS f(job_id, lease)
  JOIN jobs j ON j.job_id = f.job_id AND j.lease = f.lease
  WHERE j.lease_expires_at IS NOT NULL ORDER BY j.job_id FOR UPDATE OF j
)
UPDATE jobs SET
  state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'waiting' END,
  finished_at = CASE WHEN cancel_requested THEN clock_timestamp() END,
  run_at = clock_timestamp(), attempts = attempts - 1, worker = NULL, lease_expires_at = NULL
FROM held WHERE jobs.job_id = held.job_id
