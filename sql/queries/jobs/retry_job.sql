-- An operator wants it to run now, with all its attempts. A running job is left alone. $1 job
UPDATE jobs SET state = 'waiting', run_at = clock_timestamp(), attempts = 0, cancel_requested = false, finished_at = NULL
WHERE job_id = $1 AND state IN ('waiting', 'dead', 'cancelled')
RETURNING pg_notify('syncline_jobs', '')
