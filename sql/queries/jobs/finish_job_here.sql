-- Marks the job done in its body's own transaction, if the lease is still held and no cancellation was
-- requested.
-- $1 job  $2 lease
UPDATE jobs SET state = 'done', finished_at = clock_timestamp(), worker = NULL, lease_expires_at = NULL
WHERE job_id = $1 AND lease = $2 AND lease_expires_at IS NOT NULL AND NOT cancel_requested
