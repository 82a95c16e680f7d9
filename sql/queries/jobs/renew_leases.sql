-- The heartbeat. Revives an expired lease if no other worker took the job. Skips locked rows: they are being
-- finished, and a heartbeat must not wait.
-- $1 jobs  $2 their leases  $3 lease in milliseconds
WITH held AS MATERIALIZED (
  SELECT j.job_id FROM unnest($1::bigint[], $2::bigint[]) AS f(job_id, lease)
  JOIN jobs j ON j.job_id = f.job_id AND j.lease = f.lease
  WHERE j.lease_expires_at IS NOT NULL ORDER BY j.job_id FOR UPDATE OF j SKIP LOCKED
)
UPDATE jobs SET heartbeat_at = clock_timestamp(),
       lease_expires_at = clock_timestamp() + $3::bigint * interval '1 millisecond'
FROM held WHERE jobs.job_id = held.job_id
