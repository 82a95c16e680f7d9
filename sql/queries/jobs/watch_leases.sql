-- The jobs that a worker must stop: cancellation requested, or lease lost. Takes no lock.
-- $1 jobs  $2 their leases
SELECT f.job_id, f.lease, (j.job_id IS NULL) AS is_lost
FROM unnest($1::bigint[], $2::bigint[]) AS f(job_id, lease)
LEFT JOIN jobs j ON j.job_id = f.job_id AND j.lease = f.lease AND j.lease_expires_at IS NOT NULL
WHERE j.job_id IS NULL OR j.cancel_requested
