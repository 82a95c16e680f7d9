-- Number of jobs in each unfinished state, and dead. Not of done and cancelled ones: no index has their
-- states.
SELECT state, count(*) AS jobs, min(run_at) AS oldest_at FROM jobs
WHERE state IN ('waiting', 'queued', 'running', 'dead') GROUP BY state ORDER BY state
