-- $1 jobs  $2 their leases  $3 done  $4 total  $5 messages. Skips locked rows, which are being finished.
WITH held AS MATERIALIZED (
  SELECT j.job_id, f.done, f.total, f.message
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) AS f(job_id, lease, done, total, message)
  JOIN jobs j ON j.job_id = f.job_id AND j.lease = f.lease
  WHERE j.lease_expires_at IS NOT NULL ORDER BY j.job_id FOR UPDATE OF j SKIP LOCKED
)
UPDATE jobs SET progress_done = held.done, progress_total = held.total, progress_message = held.message
FROM held WHERE jobs.job_id = held.job_id
