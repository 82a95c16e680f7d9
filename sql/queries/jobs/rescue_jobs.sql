-- Reschedules jobs whose worker is gone. The attempt counts: a job that kills its worker must not run
-- forever.
-- $1 limit
WITH lost AS MATERIALIZED (
  SELECT j.job_id FROM jobs j WHERE j.state = 'running' AND j.lease_expires_at < clock_timestamp()
  ORDER BY j.job_id LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE jobs SET
  state = CASE WHEN cancel_requested THEN 'cancelled' WHEN attempts >= max_attempts THEN 'dead' ELSE 'waiting' END,
  finished_at = CASE WHEN cancel_requested OR attempts >= max_attempts THEN clock_timestamp() END,
  run_at = clock_timestamp(), last_error = 'lease ran out at worker ' || coalesce(worker, '?'),
  worker = NULL, lease_expires_at = NULL
FROM lost WHERE jobs.job_id = lost.job_id
RETURNING jobs.job_id, jobs.kind, jobs.state
