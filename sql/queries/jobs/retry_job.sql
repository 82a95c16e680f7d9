-- Makes a job run now, with all its attempts, for an operator. Queued, running and done jobs are left alone.
-- $1 job
UPDATE jobs SET state = 'waiting', run_at = clock_timestamp(), attempts = 0, cancel_requested = false, finished_at = NULL
WHERE job_id = $1 AND state IN ('waiting', 'dead', 'cancelled')
RETURNING pg_notify('syncline_jobs', '')
