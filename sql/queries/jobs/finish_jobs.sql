-- Marks jobs done whose leases are still held; the others are lost to this worker and stay as they are.
-- $1 jobs  $2 their leases. Locks in id order, like every statement that locks several jobs.
WITH held AS MATERIALIZED (
  SELECT j.job_id FROM unnest($1::bigint[], $2::bigint[]) AS f(job_id, lease)
  JOIN jobs j ON j.job_id = f.job_id AND j.lease = f.lease
  WHERE j.lease_expires_at IS NOT NULL ORDER BY j.job_id FOR UPDATE OF j
)
UPDATE jobs SET state = 'done', finished_at = clock_timestamp(), worker = NULL, lease_expires_at = NULL
FROM held WHERE jobs.job_id = held.job_id
